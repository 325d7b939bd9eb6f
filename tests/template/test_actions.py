"""The functions' roles against their code: every operation that a function can reach is granted, and nothing is that
none reaches."""

import re
from functools import cache

import botocore.session
import pytest
from botocore import xform_name
from stack import ROOT, Stack
from wiring import ACTIONS, role_of

AWS = ROOT / "shared/aws/src"

# What Lambda does with a function's role, for its logs, its sources and what it fails on.
OF_LAMBDA = re.compile(r"logs:|sqs:|kms:|dynamodb:(DescribeStream|GetRecords|GetShardIterator|ListStreams)$")
# What an operation asks for by what it is asked: an object's version.
OF_PARAMETERS = re.compile(r"s3:GetObjectVersion$")

# An operation is called by its method; what a transaction does is granted as the single operations are.
PREFIXES = {"dynamodb": "dynamodb", "sns": "sns", "sesv2": "ses", "cloudwatch": "cloudwatch", "s3": "s3"}
IN_TRANSACTIONS = {
    "Put::builder": "dynamodb:PutItem",
    "Update::builder": "dynamodb:UpdateItem",
    "Delete::builder": "dynamodb:DeleteItem",
    "ConditionCheck::builder": "dynamodb:ConditionCheckItem",
}


# What a person's program does with shared/aws, and no function: it runs with that person's rights.
ON_THE_COMMAND_LINE = {"dynamodb:Scan"}


@cache
def operations():
    """Every operation of the services that the functions speak to, by the name of the SDK's method."""
    session = botocore.session.get_session()
    return {
        xform_name(operation): f"{prefix}:{operation}"
        for service, prefix in PREFIXES.items()
        for operation in session.get_service_model(service).operation_names
        if not operation.startswith("Transact")
    }


def product(path):
    """A source file without its tests."""
    return path.read_text().split("#[cfg(test)]")[0]


def actions_in(text):
    for method in re.findall(r"\.(\w+)\(\)", text):
        if method in operations():
            yield operations()[method]
    for builder, action in IN_TRANSACTIONS.items():
        if builder in text:
            yield action


def module_files(module):
    """The files of a module of shared/aws."""
    return [path for path in (AWS / f"{module}.rs", *sorted((AWS / module).rglob("*.rs"))) if path.exists()]


def modules_in(text, root):
    """The modules that a source names: `tripmeter_aws::a`, `crate::{a, b::C}`."""
    for found in re.findall(rf"{root}::(\w+)", text):
        yield found
    for group in re.findall(rf"{root}::\{{([^;]*)\}};", text):
        yield from re.findall(r"\b[a-z_]+\b", group)


def reached(function):
    """The sources that a function is made of, its own and those of shared/aws."""
    own = sorted((ROOT / "functions" / function / "src").rglob("*.rs"))
    files, waiting = set(own), [m for path in own for m in modules_in(product(path), "tripmeter_aws")]
    while waiting:
        for path in module_files(waiting.pop()):
            if path not in files:
                files.add(path)
                waiting += modules_in(product(path), "crate")
    return files


@cache
def called(function):
    return {action for path in reached(function) for action in actions_in(product(path))}


@pytest.fixture(scope="module")
def granted(translated):
    stack = Stack(translated, {"ChatTopic": "yes", "TrailBucket": "archive"})

    def actions(function):
        for statement in role_of(stack, function)[1]["Statement"]:
            held = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            yield from (action for action in held if not OF_LAMBDA.match(action) and not OF_PARAMETERS.match(action))

    return {function: set(actions(function)) for function in ACTIONS}


def directory(function):
    return {
        "ControlPlaneFunction": "control-plane",
        "UsageFunction": "usage",
        "SpendFunction": "spend",
        "NotifyFunction": "notify",
        "CanaryFunction": "canary",
        "TrailFunction": "trail",
    }[function]


@pytest.mark.parametrize("function", ACTIONS)
def test_nothing_is_granted_that_the_function_cannot_call(function, granted):
    assert granted[function] - called(directory(function)) == set()


def test_every_operation_that_is_called_is_granted_to_somebody(granted):
    everything = set().union(*(called(directory(function)) for function in ACTIONS))

    assert everything - set().union(*granted.values()) == ON_THE_COMMAND_LINE
    assert {"dynamodb:PutItem", "sns:Publish", "ses:GetAccount"} <= everything
