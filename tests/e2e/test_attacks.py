"""Each recorded attack, from the bus to a subscriber's queue: the episodes that a replay of the same records finds."""

from datetime import UTC, datetime, timedelta

import pytest

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
# What is played; the days before are seeded, as an account's own history is on the first day.
LIVE = timedelta(days=2)
# Long enough ago that every episode has been quiet for a day, so that the last schedule closes it with its count.
ENDED = timedelta(days=2)
# Half the lateness bound: two chunks are never under way at once, and what is in one may come in any order.
CHUNK_HOURS = 1


@pytest.fixture
def recorded(binaries):
    """The records of an attack in the days before today, split into history and what is played."""

    def recorded(name):
        records = trail.moved(trail.scenario(binaries["scenarios"], name), datetime.now(UTC) - ENDED)
        begin = trail.stamp(trail.moment(records[-1]) - LIVE)
        cut = next(at for at, record in enumerate(records) if record["eventTime"] >= begin)
        return records[:cut], records[cut:]

    return recorded
