"""Our model prices agree with the public list that `genai-prices` carries; no package carries those of text messages."""

import json
import subprocess
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

import phonenumbers
from genai_prices import data_snapshot

ROOT = Path(__file__).parents[2]
AS_OF = datetime(2026, 11, 25, tzinfo=timezone.utc)

# We keep the price of the global profile; a geographic profile costs a tenth more.
TOLERANCE = 0.12

# Models that the list prices and our table does not name, each with the reason that makes that right.
NOT_NAMED = {}


@cache
def rows():
    run = subprocess.run(
        ["cargo", "run", "--quiet", "--locked", "-p", "tripmeter-findings", "--example", "prices"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def ours():
    return [row for row in rows() if "model" in row]


@cache
def theirs():
    """Dollars for a million tokens in and out, by Bedrock model id."""
    [provider] = [p for p in data_snapshot.get_snapshot().providers if p.id == "aws"]
    prices = {}
    for model in provider.models:
        price = model.get_prices(AS_OF)
        tokens = [getattr(price, side) for side in ("input_mtok", "output_mtok")]
        prices[model.id] = tuple(float(getattr(value, "base", value) or 0) for value in tokens)
    return prices


def row_of(model):
    rows = [row for row in ours() if row["model"] in model]
    return max(rows, key=lambda row: len(row["model"]), default=None)


def test_every_model_of_the_list_has_a_row():
    unnamed = {model for model in theirs() if row_of(model) is None}

    assert unnamed == set(NOT_NAMED)


def test_every_row_is_a_model_of_the_list():
    used = {row_of(model)["model"] for model in theirs() if row_of(model)}

    assert {row["model"] for row in ours()} - used == set()


def test_prices_agree():
    wrong = {}
    for model, (their_input, their_output) in theirs().items():
        row = row_of(model)
        for our, their in ((row["input"], their_input), (row["output"], their_output)):
            if abs(our - their) > TOLERANCE * max(our, their):
                wrong[model] = (row, their_input, their_output)

    assert not wrong


def test_text_messages_are_priced_by_countries_that_have_telephones():
    prices = {row["country"]: row["part"] for row in rows() if "country" in row}

    assert set(prices) <= phonenumbers.SUPPORTED_REGIONS
    assert all(0.005 <= price <= 0.5 for price in prices.values())
