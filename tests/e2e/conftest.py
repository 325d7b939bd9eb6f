"""One emulator for the run; each test has accounts of its own in it."""

import itertools
import os
from pathlib import Path

import pytest

from local_aws import LocalAws
from stack import Stack, Subscription, read_template

ROOT = Path(__file__).parents[2]
# The translator's SDK asks for one; every client of ours names its own.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
LOG_LINES_SHOWN = 60
LOG_WIDTH_SHOWN = 400
_accounts = itertools.count(100_000_000_001)


@pytest.fixture(scope="session")
def binaries():
    """The programs by name, where `make e2e` has built them."""
    folder = Path(os.environ["TRIPMETER_BINARIES"])
    return {path.name: path for path in folder.iterdir() if path.is_file() and os.access(path, os.X_OK)}


@pytest.fixture(scope="session")
def aws(tmp_path_factory):
    emulator = LocalAws(tmp_path_factory.mktemp("aws") / "log")
    yield emulator
    emulator.stop()


@pytest.fixture
def account():
    """An account that no other test uses."""
    return f"{next(_accounts):012}"


@pytest.fixture
def members():
    """Two more accounts of the organisation."""
    return [f"{next(_accounts):012}" for _ in range(2)]


@pytest.fixture
def deploy(aws, binaries):
    """Deploys a template; what is deployed goes when the test does."""
    stacks = []

    def deploy(account, region, template="template.yaml", name="tripmeter", mutate=lambda plain: None, **parameters):
        if isinstance(template, str):
            template = read_template(ROOT / template)
        stacks.append(Stack(aws, name, account, region, template, parameters, binaries, mutate))
        return stacks[-1]

    yield deploy
    for stack in stacks:
        stack.delete()


@pytest.fixture
def deploy_hub(deploy):
    """Deploys the detector with a subscriber of its findings, and a forwarder in each other region that is named."""

    def deploy_hub(account, region, others=(), name="tripmeter", **parameters):
        routes = {"RouteAssumedRoles": "yes"}
        ours = {"Architecture": "x86_64", "BatchWindowSeconds": "1", "WatchedRegions": ",".join(others)}
        hub = deploy(account, region, name=name, **(ours | routes | parameters))
        for other in others:
            deploy(account, other, "infra/forwarder.yaml", "ear", HubBusArn=hub.outputs["HubBusArn"], **routes)
        return hub, Subscription(hub, hub.outputs["FindingsTopic"])

    return deploy_hub


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failure is shown with what the functions and the emulator said last."""
    report = (yield).get_result()
    emulator = item.funcargs.get("aws") if hasattr(item, "funcargs") else None
    if report.failed and emulator:
        lines = [line[:LOG_WIDTH_SHOWN] for line in emulator.log.read_text(errors="replace").splitlines() if line]
        report.sections.append((f"the end of {emulator.log}", "\n".join(lines[-LOG_LINES_SHOWN:])))
