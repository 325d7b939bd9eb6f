"""Whether a command of the AWS CLI exists, by botocore's service models, from which the CLI makes its commands."""

from functools import cache

import botocore.session
from botocore import xform_name

GLOBAL_OPTIONS = {"--region", "--query", "--output"}


@cache
def session():
    return botocore.session.get_session()


@cache
def operations(service):
    model = session().get_service_model(service)
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


def problem(words):
    """What is wrong with `aws SERVICE OPERATION --option value...`, if anything."""
    if words[0] != "aws" or len(words) < 3:
        return "not a command of the AWS CLI"
    operation = operations(words[1]).get(words[2])
    if operation is None:
        return f"no operation {words[2]}"
    shape = operation.input_shape
    options = {}
    for name, member in (shape.members if shape else {}).items():
        options[f"--{xform_name(name, '-')}"] = member
        if member.type_name == "boolean":
            options[f"--no-{xform_name(name, '-')}"] = member
    given = [word for word in words[3:] if word.startswith("--")]
    unknown = set(given) - set(options) - GLOBAL_OPTIONS
    missing = {f"--{xform_name(name, '-')}" for name in (shape.required_members if shape else [])}
    missing -= {option.replace("--no-", "--") for option in given}
    if unknown or missing:
        return f"unknown {sorted(unknown)}, missing {sorted(missing)}"
    for option, value in zip(words[3:], words[4:]):
        allowed = getattr(options.get(option), "enum", None)
        if allowed and value not in allowed:
            return f"{value} is no value of {option}"
    return None
