"""What `tripmeter doctor` tells a person to run exists, and what it asks AWS itself: commands, options, operations."""

import json
import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from aws_cli import problem, session

ROOT = Path(__file__).parents[2]
# The repairs of every gap, as the crate tells them.
REPAIRS = ROOT / "shared/doctor/src/checks/snapshots/tripmeter_doctor__checks__tests__repairs.snap"

# Of commands that the AWS CLI and the AWS SAM CLI make themselves: the options that are given.
DEPLOY = {"--stack-name", "--template-file", "--capabilities", "--region", "--parameter-overrides"}
OF_THE_CLIS = {
    ("aws", "cloudformation", "deploy"): DEPLOY,
    ("sam", "deploy"): DEPLOY | {"--resolve-s3", "--no-confirm-changeset"},
    ("sam", "delete"): {"--stack-name", "--region"},
}

# By which model botocore has the service of an IAM prefix, where the names differ.
MODELS = {"ses": "sesv2", "sms-voice": "pinpoint-sms-voice-v2"}
# One action allows several operations of Budgets. Source: Service Authorization Reference.
OTHER_ACTIONS = {"budgets:ViewBudget": {"DescribeBudgets", "DescribeNotificationsForBudget", "DescribeSubscribersForNotification"}}


@cache
def commands():
    told = re.findall(r"^(?:run|undo|look) +(.+)$", REPAIRS.read_text(), re.MULTILINE)
    return [shlex.split(line) for line in told]


def of_the_clis(words):
    """The options that a command of the CLIs' own may have; none for any other command."""
    return next((options for start, options in OF_THE_CLIS.items() if tuple(words[: len(start)]) == start), None)


def test_every_command_exists_with_its_options():
    wrong = {}
    for words in commands():
        options = of_the_clis(words)
        if options is not None:
            found = {word for word in words if word.startswith("--")} - options
        elif words[0] == "aws":
            found = problem(words)
        else:
            found = words[0] not in ("make", "tripmeter")
        if found:
            wrong[shlex.join(words)] = found

    assert len(commands()) > 50
    assert not wrong


def test_every_template_is_there_with_the_parameters_that_are_given():
    deployed = [words for words in commands() if "--template-file" in words]

    for words in deployed:
        template = (ROOT / words[words.index("--template-file") + 1]).read_text()
        rest = words[words.index("--parameter-overrides") + 1 :] if "--parameter-overrides" in words else []
        for given in rest:
            assert re.search(rf"^  {given.split('=')[0]}:$", template, re.MULTILINE), given
    assert len(deployed) > 8


def test_documents_in_commands_are_what_the_operation_takes():
    documents = [(words, n) for words in commands() for n, word in enumerate(words) if word[0] in "[{"]

    for words, n in documents:
        model = session().get_service_model(words[1])
        operation = next(name for name in model.operation_names if name.lower() == words[2].replace("-", ""))
        option = words[n - 1].removeprefix("--").replace("-", "")
        members = model.operation_model(operation).input_shape.members
        shape = next(shape for name, shape in members.items() if name.lower() == option)
        resolve(shape, json.loads(words[n]))
    assert len(documents) > 8


def resolve(shape, value):
    """Fails on a member that the shape does not have, or on one that it asks for and does not get."""
    match shape.type_name:
        case "structure":
            assert set(value) <= set(shape.members) and set(shape.required_members) <= set(value), (shape, value)
            for name, inner in value.items():
                resolve(shape.members[name], inner)
        case "list":
            for inner in value:
                resolve(shape.member, inner)
        case "string" if shape.enum:
            assert value in shape.enum, (shape, value)


@cache
def calls():
    """The rows of the calls that are made: action, operation."""
    table = (ROOT / "shared/survey/src/calls.rs").read_text()
    return re.findall(r'= "([a-z-]+:\w+)",\s+"(\w+)",', table)


@pytest.mark.parametrize("action, operation", calls())
def test_every_call_is_an_operation_and_its_action_is_named_like_it(action, operation):
    prefix, name = action.split(":")

    assert operation in session().get_service_model(MODELS.get(prefix, prefix)).operation_names
    assert operation.lower() == name.lower() or operation in OTHER_ACTIONS[action]


def test_every_row_of_the_calls_is_looked_at():
    table = (ROOT / "shared/survey/src/calls.rs").read_text()
    assert len(calls()) == len(re.findall(r'^    \w+ = "', table, re.MULTILINE)) > 20
