"""What was found, in the form in which the deployed detector and a replay are compared."""

import json
import subprocess
from typing import NamedTuple


class Episode(NamedTuple):
    """One episode at its latest revision."""

    uid: str
    type: str
    severity: str
    count: int


def of_findings(findings):
    """The episodes of OCSF findings, each as its highest revision left it."""
    latest = {}
    for finding in findings:
        uid = finding["finding_info"]["uid"]
        if uid not in latest or finding["metadata"]["sequence"] >= latest[uid]["metadata"]["sequence"]:
            latest[uid] = finding
    return {
        Episode(uid, finding["finding_info"]["types"][0], finding["severity"], finding["count"])
        for uid, finding in latest.items()
    }


def replayed(binary, records, *options):
    """The findings of a replay of the same records."""
    lines = "".join(json.dumps(record) + "\n" for record in records)
    run = subprocess.run(
        [binary, "replay", "-", "--format", "json", "--summary", "none", *options],
        input=lines, capture_output=True, check=True, text=True,
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def published(subscription):
    """The findings that a subscriber of the topic has received since it last looked."""
    return [json.loads(message["Body"]) for message in subscription.read()]


def arrivals(subscription):
    """When each finding reached the subscriber's queue, in seconds since 1970, and the finding."""
    return [
        (int(message["Attributes"]["SentTimestamp"]) / 1000, json.loads(message["Body"]))
        for message in subscription.read()
    ]


def events(finding):
    """CloudTrail's ids of the events that a finding rests on."""
    return next(one["data"]["event_ids"] for one in finding["evidences"] if one["name"] == "CloudTrail event ids")
