"""What a user can set: as the settings are, explained, and grouped."""

import re

import pytest
from stack import Stack, source

TEMPLATES = ["template.yaml", "infra/forwarder.yaml", "infra/trail.yaml", "infra/archive.yaml", "infra/meters.yaml"]


def test_settings_have_the_names_defaults_and_ranges_of_the_program(settings):
    parameters = source()["Parameters"]
    of_program = {row["name"]: row for row in settings}
    shared = parameters.keys() & of_program.keys()
    for name in shared - {"Mode"}:
        low, high = re.fullmatch(r"(\S+) to (\S+)", of_program[name]["range"]).groups()
        written = [parameters[name][key] for key in ("Default", "MinValue", "MaxValue")]
        assert written == [float(of_program[name]["default"]), float(low), float(high)], name

    assert parameters["Mode"]["Default"] == of_program["Mode"]["default"]
    assert {name for name in of_program if name.startswith("Ceiling")} <= shared
    assert len(shared) == 22


def test_every_setting_reaches_the_functions(translated, settings):
    names = {row["name"] for row in settings} & source()["Parameters"].keys()
    changed = {name: "observe" if name == "Mode" else 20 for name in names}

    stack = Stack(translated, changed)

    for function in stack.of_type("AWS::Lambda::Function").values():
        pairs = function["Environment"]["Variables"]["TRIPMETER_SETTINGS"].split(";")
        assert dict(pair.split("=") for pair in pairs) == {name: str(value) for name, value in changed.items()}


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_is_explained_and_bounded(name):
    for key, parameter in source(name)["Parameters"].items():
        assert parameter["Description"].endswith("."), key
        assert {"AllowedValues", "AllowedPattern", "MinValue"} & parameter.keys(), key
        if "AllowedPattern" in parameter and "Default" in parameter:
            assert re.search(parameter["AllowedPattern"], parameter["Default"]), key
        assert "AllowedPattern" not in parameter or "ConstraintDescription" in parameter, key


def test_every_parameter_is_in_one_group():
    groups = source()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    grouped = [name for group in groups for name in group["Parameters"]]

    assert sorted(grouped) == sorted(source()["Parameters"])


@pytest.mark.parametrize(
    "name, accepted, refused",
    [
        ("NotificationEmail", ["", "dana@example.com"], ["dana", "dana@example.com,eve@example.com"]),
        ("WatchedRegions", ["", "us-east-1", "us-gov-west-1,eu-west-1"], ["us-east-1, eu-west-1", "europe"]),
        ("RunbookBaseUrl", ["", "https://wiki.example.com/runbooks/"], ["wiki.example.com", "http://example.com"]),
        ("RolePath", ["/", "/security/"], ["security", "/security"]),
        ("OrganizationId", ["", "o-a1b2c3d4e5"], ["a1b2c3d4e5", "o-A1B2C3D4E5"]),
        ("TrailBucket", ["", "aws-controltower-logs-555566667777-eu-west-1"], ["s3://archive", "archive/", "Archive"]),
        ("KeyArn", ["", "arn:aws-cn:kms:cn-north-1:111122223333:key/0a1b"], ["alias/aws/sns", "0a1b"]),
    ],
)
def test_a_pattern_takes_what_it_says(name, accepted, refused):
    pattern = source()["Parameters"][name]["AllowedPattern"]

    assert all(re.search(pattern, value) for value in accepted)
    assert not any(re.search(pattern, value) for value in refused)
