"""Every finding is a valid OCSF 1.8.0 Detection Finding with the profile `cloud`, and its commands exist in AWS."""

import json
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from aws_cli import problem
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

ROOT = Path(__file__).parents[2]


@cache
def samples():
    """Findings of every family, service, kind of identity and cause, as the crate renders them."""
    run = subprocess.run(
        ["cargo", "run", "--quiet", "--locked", "-p", "tripmeter-findings", "--example", "samples"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


@cache
def schema():
    source = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0"))
    return source.get_class_schema("detection_finding", profiles=["cloud"])


def test_every_finding_is_valid_and_has_no_attribute_that_the_schema_lacks():
    validator = jsonschema.validators.validator_for(schema())(schema())

    problems = {
        f"{event['finding_info']['types'][0]} {error.json_path}: {error.message[:200]}"
        for event in samples()
        for error in validator.iter_errors(event)
    }

    assert not problems


def test_the_schema_would_notice_an_attribute_that_it_does_not_know():
    event = json.loads(json.dumps(samples()[0]))
    event["finding_info"]["analytic"]["colour"] = "red"

    with pytest.raises(jsonschema.ValidationError, match="colour"):
        jsonschema.validate(event, schema())


def test_ids_and_their_captions_agree_with_the_schema():
    attributes = get_ocsf_schema("1.8.0")["classes"]["detection_finding"]["attributes"]
    pairs = [("activity_id", "activity_name"), ("confidence_id", "confidence"), ("impact_id", "impact")]
    pairs += [(f"{name}_id", name) for name in ("risk_level", "severity", "status")]

    wrong = {
        (number, event[number], event[caption])
        for event in samples()
        for number, caption in pairs
        if number in event
        and attributes[number]["enum"][str(event[number])]["caption"] != event[caption]
    }

    assert not wrong


def test_every_family_has_its_own_runbook_and_every_tactic_its_own_attack():
    for event in samples():
        kind = event["finding_info"]["types"][0]
        tactic = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.split(":")[0])
        assert (ROOT / event["finding_info"]["src_url"]).is_file(), kind
        assert tactic in {attack["tactic"]["name"] for attack in event["finding_info"]["attacks"]}, kind


def test_every_command_exists_in_the_aws_cli_with_its_options():
    commands = {
        command
        for event in samples()
        for step in event["unmapped"]["containment"]
        for command in step["commands"]
    }

    problems = {command: wrong for command in commands if (wrong := problem(shlex.split(command)))}

    assert len(commands) > 40
    assert not problems


def test_documents_in_commands_are_json():
    documents = {
        value
        for event in samples()
        for step in event["unmapped"]["containment"]
        for command in step["commands"]
        for option, value in zip(shlex.split(command), shlex.split(command)[1:])
        if option == "--policy-document"
    }

    assert documents
    for document in documents:
        assert json.loads(document)["Statement"][0]["Effect"] == "Deny"
