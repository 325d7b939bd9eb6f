"""Each recorded attack, from the bus to a subscriber's queue: the episodes that a replay of the same records finds."""

import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

import calls
import episodes
import trail

ATTACKS = [
    "llmjacking-leaked-key",
    "llmjacking-api-key",
    "llmjacking-created-user",
    "ses-takeover",
    "ses-identity-policy",
    "sms-pump",
    "region-sweep",
    "busy-role-session",
]
# Long enough ago that every episode has been quiet for a day, so that the last schedule closes it with its count.
ENDED = timedelta(days=1)
DATE = len("2026-03-17")
# Half the lateness bound. Within a chunk, functions work side by side and anything may come before anything.
CHUNK_HOURS = 1


class Recording:
    """The records of a scenario as if they were of the last days, and where they happened."""

    def __init__(self, binaries, name, account):
        self.binaries, self.account = binaries, account
        records = trail.moved(trail.scenario(binaries["scenarios"], name, account), datetime.now(UTC) - ENDED)
        # The attack is on the last day but one. It is played; the days before are seeded, as an account's own
        # history is on the first day; the day after is left out.
        *_, attack, after = sorted({record["eventTime"][:DATE] for record in records})
        self.records = [record for record in records if record["eventTime"] < after]
        self.history = [record for record in self.records if record["eventTime"] < attack]
        self.played = self.records[len(self.history):]
        regions = Counter(record["awsRegion"] for record in self.records)
        (self.home, _), *others = regions.most_common()
        self.others = [region for region, _ in others]

    def replayed(self):
        """The episodes of the day that is played, as a replay of all days closes them."""
        end = calls.call("sts", "GetCallerIdentity", self.account, self.home, user="clock", read_only=True)
        begin = trail.moment(self.played[0]).timestamp() * 1000
        findings = episodes.replayed(self.binaries["tripmeter"], [*self.records, end])
        return episodes.of_findings(finding for finding in findings if finding["end_time"] >= begin)


def seed(recording, hub, folder):
    """Gives the deployed detector the account's own history, as its owner would on the first day."""
    history = trail.write(recording.history, folder / "history.ndjson")
    subprocess.run(
        [recording.binaries["tripmeter"], "seed", history, "--table", hub.outputs["StateTable"]],
        env=hub.environment(), check=True, capture_output=True, text=True,
    )


def play(aws, records):
    for chunk in trail.by_hours(records, CHUNK_HOURS):
        aws.record([trail.envelope(record) for record in chunk])
        aws.settle()


ORDERS = {
    "as-it-came": lambda records: records,
    "shuffled-and-doubled": lambda records: trail.doubled(trail.shuffled(records, timedelta(hours=1), 7), 0.1, 7),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_recorded_attack_is_found_as_a_replay_finds_it(
    aws, deploy_hub, account, binaries, tmp_path, attack, order
):
    recording = Recording(binaries, attack, account)
    hub, findings = deploy_hub(account, recording.home, recording.others)
    seed(recording, hub, tmp_path)

    play(aws, ORDERS[order](recording.played))
    aws.fire_schedules(account, recording.home, "Tick")
    aws.settle()

    expected = recording.replayed()
    assert any(episode.severity in ("High", "Critical") for episode in expected)
    assert episodes.of_findings(episodes.published(findings)) == expected
    assert aws.failures(account) == [] and hub.complaints() == []
