"""The linters of AWS and of others over every template, as written and as translated."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from stack import ROOT, source

BIN = Path(sys.executable).parent
TEMPLATES = ["template.yaml", *(f"infra/{name}.yaml" for name in ("forwarder", "guardrails", "trail", "meters", "openai", "archive"))]
REGIONS = ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1"]
# AWS Budgets and Cost Explorer are not in GovCloud, SES is not in China: conditions leave out the one, and nobody
# creates the others there.
COMMERCIAL_ONLY = {"infra/meters.yaml"}
# checkov knows no check for alarms, budgets, anomaly monitors and event destinations, and says nothing of such a template.
NOTHING_TO_CHECK = {"infra/meters.yaml"}
CHECKOV = ROOT / ".venv-checkov/bin/checkov"


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_sam_finds_the_template_valid():
    result = run(BIN / "sam", "validate", "--lint", "--template", "template.yaml")

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_finds_nothing(name):
    regions = REGIONS[:2] if name in COMMERCIAL_ONLY else REGIONS

    result = run(BIN / "cfn-lint", "--regions", *regions, "--", name)

    assert result.returncode == 0, result.stdout


def test_cfn_lint_finds_nothing_in_what_sam_makes_of_it(translated, tmp_path):
    path = tmp_path / "translated.json"
    path.write_text(json.dumps(translated))

    result = run(BIN / "cfn-lint", path)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", TEMPLATES)
def test_checkov_finds_nothing_but_what_is_explained(name):
    result = run(CHECKOV, "--config-file", "tests/template/checkov.yaml", "-f", name)

    assert result.returncode == 0, result.stdout
    assert ("Passed checks" in result.stdout) == (name not in NOTHING_TO_CHECK), result.stdout


def test_what_is_generated_is_what_the_catalogue_says():
    result = run(sys.executable, "infra/generate.py", "--check")

    assert result.returncode == 0, result.stderr


def test_a_stale_template_would_be_noticed(tmp_path):
    """The section is written anew: what somebody changed in it by hand is a difference."""
    sys.path.insert(0, str(ROOT / "infra"))
    from generate import generated

    text = (ROOT / "template.yaml").read_text()
    changed = text.replace("GetSendQuota, ", "")

    assert changed != text
    assert generated(changed) == text


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_can_have_a_tag_has_it(name):
    untagged = []
    for key, resource in source(name)["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            continue  # tagged for all of them at once
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource["Type"]).schema
        can = "Tags" in schema["properties"] and schema.get("tagging", {}).get("taggable", True)
        if can and {"Key": "Application", "Value": "tripmeter"} not in resource["Properties"].get("Tags", []):
            untagged.append((key, resource["Type"]))

    assert untagged == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_partition_is_written_out(name):
    text = (ROOT / name).read_text()

    assert "arn:aws:" not in text
