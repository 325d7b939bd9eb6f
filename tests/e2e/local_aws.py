"""The AWS of a test: MiniStack in a process of its own on a free port, dead when the test is."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

HERE = Path(__file__).parent
# Long enough for a batch of thousands on two busy cores; a test that waits longer has lost something.
PATIENCE = 120


class LocalAws:
    """Everything of one emulator: clients for any account and region, CloudTrail's side of the bus, the end."""

    def __init__(self, log: Path):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log = log
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {
            # Functions are given it by the emulator, whatever their own environment says.
            "AWS_ENDPOINT_URL": self.endpoint,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            # Roles, queue policies and topic policies are enforced; a key that is an account id is its root.
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "INFO",
            # It unpacks functions there, and is killed before it can tidy up: pytest does.
            "TMPDIR": str(log.parent),
        }
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "cloud.py")],
                env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )
        self.wait_for_start()

    def wait_for_start(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the emulator did not start:\n{self.log.read_text()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("the emulator did not start")

    def client(self, service, account, region):
        """A client of this account's root."""
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=region, aws_access_key_id=account,
            aws_secret_access_key="root", config=Config(retries={"max_attempts": 1}, read_timeout=PATIENCE),
        )

    def record(self, envelopes, batch=200):
        """What CloudTrail does: each event goes to the bus of the account and region in which it happened.

        Per envelope, which rules handed it to which targets.
        """
        handed = [[] for _ in envelopes]
        ordered = sorted(range(len(envelopes)), key=lambda at: place(envelopes[at]))
        for (account, region), there in itertools.groupby(ordered, key=lambda at: place(envelopes[at])):
            there = list(there)
            for begin in range(0, len(there), batch):
                some = there[begin:begin + batch]
                given = self.deliver([envelopes[at] for at in some], account, region)
                for at, targets in zip(some, given, strict=True):
                    handed[at] = targets
        return handed

    def deliver(self, envelopes, account, region):
        """Puts these on the default bus of an account and region, whatever they say of themselves."""
        return self.ask("/_aws/events", {"account": account, "region": region, "envelopes": envelopes})

    def fire_schedules(self, account, region, named=""):
        """Every schedule of the account with this in its name, once, now."""
        return self.ask("/_aws/schedules", {"account": account, "region": region, "named": named})

    def failures(self, account):
        """What functions of this account refused, after every attempt."""
        return self.ask("/_aws/failures", {"account": account})

    def settle(self, hurry=True):
        """Waits until nothing that was delivered is still on its way; in a hurry, windows are cut short."""
        deadline = time.monotonic() + PATIENCE
        quiet = 0
        # A function that is done may have written what another reads next: quiet has to last.
        while quiet < 4:
            waiting = self.ask("/_aws/busy", {"hurry": hurry})
            if time.monotonic() > deadline:
                raise TimeoutError(f"{waiting} still on their way after {PATIENCE} s")
            quiet = 0 if waiting else quiet + 1
            time.sleep(0.05)

    def said(self, text):
        """Whether the emulator or a function has printed this."""
        return text in self.log.read_text(errors="replace")

    def ask(self, path, body):
        request = urllib.request.Request(self.endpoint + path, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def stop(self):
        """Ends the emulator and every function that it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def place(envelope):
    return envelope["account"], envelope["region"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
