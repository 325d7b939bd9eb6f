"""Runs a command of the AWS CLI as a person pastes it, by the models from which the CLI makes its commands."""

import itertools
import json
import shlex


def run(aws, account, region, command):
    """Runs it; `region` where the command names none."""
    program, service, operation, *rest = shlex.split(command)
    assert program == "aws", command
    options = dict(split(rest))
    client = aws.client(service, account, *options.pop("region", [region]))
    model = client.meta.service_model
    name = next(name for name in model.operation_names if name.lower() == operation.replace("-", ""))
    members = model.operation_model(name).input_shape.members
    by_option = {member.lower(): (member, shape) for member, shape in members.items()}
    parameters = {}
    for option, values in options.items():
        is_on = not option.startswith("no-")
        member, shape = by_option[option.removeprefix("no-").replace("-", "").lower()]
        parameters[member] = is_on if shape.type_name == "boolean" else value(shape, values)
    method = client.meta.method_to_api_mapping
    return getattr(client, next(python for python, api in method.items() if api == name))(**parameters)


def split(words):
    """Options with their values."""
    starts = [at for at, word in enumerate(words) if word.startswith("--")]
    for at, end in itertools.pairwise([*starts, len(words)]):
        yield words[at][2:], words[at + 1:end]


def value(shape, words):
    """JSON, the shorthand of the CLI, or a word."""
    match shape.type_name:
        case "structure" | "list" | "map" if words[0][0] in "[{":
            return json.loads(words[0])
        case "structure":
            pairs = (pair.split("=", 1) for pair in words[0].split(","))
            return {name: value(shape.members[name], [text]) for name, text in pairs}
        case "map":
            return dict(pair.split("=", 1) for pair in words[0].split(","))
        case "list":
            return [value(shape.member, [word]) for word in words]
        case "integer" | "long":
            return int(words[0])
        case "double" | "float":
            return float(words[0])
        case _:
            return words[0]
