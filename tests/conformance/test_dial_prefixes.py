"""The table of dial prefixes against the numbering plans of every region that `phonenumbers` knows."""

import json
import subprocess

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

PREFIXES = {
    prefix: country
    for country, prefixes in json.loads(
        subprocess.run(
            ["cargo", "run", "--quiet", "--locked", "-p", "tripmeter-catalogue", "--example", "dial_prefixes"],
            check=True,
            capture_output=True,
        ).stdout
    ).items()
    for prefix in prefixes
}

# Numbers that no prefix tells from those of the country that runs the plan.
SHARED = {
    ("AX", "mobile"): "FI",
    ("BL", "fixed"): "GP",
    ("BL", "mobile"): "GP",
    ("CC", "mobile"): "AU",
    ("CX", "mobile"): "AU",
    ("EH", "mobile"): "MA",
    ("MF", "fixed"): "GP",
    ("MF", "mobile"): "GP",
    ("SJ", "mobile"): "NO",
    ("VA", "mobile"): "IT",
}

TYPES = {"mobile": PhoneNumberType.MOBILE, "fixed": PhoneNumberType.FIXED_LINE}


def country(digits):
    return next((PREFIXES[digits[:length]] for length in range(8, 0, -1) if digits[:length] in PREFIXES), None)


def examples():
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind, number_type in TYPES.items():
            number = phonenumbers.example_number_for_type(region, number_type)
            if number is not None:
                yield region, kind, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@pytest.mark.parametrize("region, kind, number", list(examples()))
def test_an_example_number_belongs_to_its_region(region, kind, number):
    expected = SHARED.get((region, kind), region)

    assert country(number.removeprefix("+")) == expected


def test_no_country_is_in_the_table_that_has_no_numbers():
    assert set(PREFIXES.values()) <= set(phonenumbers.SUPPORTED_REGIONS)
