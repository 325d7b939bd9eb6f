"""A template as CloudFormation would make a stack of it: conditions decided, references resolved, names given.

So that a test compares real ARNs with real patterns instead of guessing what an expression will be.
"""

import copy
import re
from functools import cache
from pathlib import Path

import yaml
from samtranslator.translator.transform import transform

ROOT = Path(__file__).parents[2]
ACCOUNT = "111122223333"
NOTHING = object()

# What a name that CloudFormation gives may have, where it is shorter than usual.
LONGEST = {"AWS::Events::Rule": 64, "AWS::Lambda::Function": 64, "AWS::IAM::Role": 64, "AWS::SQS::Queue": 80}

ARNS = {
    "AWS::CloudTrail::Trail": "cloudtrail:{region}:{account}:trail/{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{name}",
    "AWS::IAM::Role": "iam::{account}:role{path}{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
}


class _Loader(yaml.SafeLoader):
    pass


def _tag(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt":
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tag)


@cache
def _read(name):
    return yaml.load((ROOT / name).read_text(), _Loader)


def source(name="template.yaml"):
    """A template as it is written."""
    return copy.deepcopy(_read(name))


class _NoManagedPolicies:
    def load(self):
        return {}


def translate(template):
    """What SAM makes of it: plain CloudFormation. Functions' code and nested templates are in a bucket by then."""
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "built", "Key": "bootstrap.zip"}
        if resource["Type"] == "AWS::CloudFormation::Stack":
            resource["Properties"]["TemplateURL"] = "https://built.s3.amazonaws.com/nested.yaml"
    return transform(template, {}, _NoManagedPolicies())


class Stack:
    """A deployed template: `resources` by logical id, those that conditions leave out gone."""

    def __init__(self, template, parameters=None, *, name="tripmeter", region="eu-central-1", partition="aws"):
        self.name, self.region, self.partition = name, region, partition
        self.template = template
        self.parameters = {
            key: (parameters or {}).get(key, declared.get("Default", "")) for key, declared in template["Parameters"].items()
        }
        self.declared = {
            key: resource
            for key, resource in template["Resources"].items()
            if "Condition" not in resource or self._condition(resource["Condition"])
        }
        self.resources = {key: self._resolve(resource) for key, resource in self.declared.items()}
        self.outputs = {
            key: self._resolve(output["Value"])
            for key, output in template.get("Outputs", {}).items()
            if "Condition" not in output or self._condition(output["Condition"])
        }

    def of_type(self, kind):
        return {key: resource["Properties"] for key, resource in self.resources.items() if resource["Type"] == kind}

    def arn(self, key):
        """The ARN of a resource, by its logical id."""
        kind = self.declared[key]["Type"]
        path = self._resolve(self.declared[key]["Properties"].get("Path", "/"))
        rest = ARNS[kind].format(region=self.region, account=ACCOUNT, name=self.physical(key), path=path)
        return f"arn:{self.partition}:{rest}"

    def by_arn(self, arn):
        """The logical id of what has this ARN, or none."""
        return next((key for key in self.declared if self.declared[key]["Type"] in ARNS and self.arn(key) == arn), None)

    def physical(self, key):
        """The name that CloudFormation gives: the stack's and the logical one, both cut where the whole is too long."""
        kind = self.declared[key]["Type"]
        if kind == "AWS::KMS::Key":
            return "0a1b2c3d-" + key.lower()
        room = LONGEST.get(kind, 255) - 1 - 1 - 13
        logical = key[: max(24, room - len(self.name))]
        return f"{self.name[: room - len(logical)]}-{logical}-1A2B3C4D5E6F7"

    def _condition(self, name):
        return self._truth(self.template["Conditions"][name])

    def _truth(self, value):
        [(function, argument)] = value.items()
        match function:
            case "Condition":
                return self._condition(argument)
            case "Fn::Equals":
                left, right = map(self._resolve, argument)
                return str(left) == str(right)
            case "Fn::Not":
                return not self._truth(argument[0])
            case "Fn::And":
                return all(map(self._truth, argument))
            case "Fn::Or":
                return any(map(self._truth, argument))
        raise NotImplementedError(function)

    def _resolve(self, value):
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref":
                return self._ref(argument)
            if function.startswith("Fn::"):
                return self._function(function, argument)
        return {key: item for key, item in ((k, self._resolve(v)) for k, v in value.items()) if item is not NOTHING}

    def _ref(self, name):
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": NOTHING,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": suffix,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        match self.declared[name]["Type"]:
            case "AWS::SNS::Topic":
                return self.arn(name)
            case "AWS::SQS::Queue":
                return f"https://sqs.{self.region}.{suffix}/{ACCOUNT}/{self.physical(name)}"
        return self.physical(name)

    def _get_att(self, name, attribute):
        match attribute:
            case "Arn":
                return self.arn(name)
            case "StreamArn":
                return self.arn(name) + "/stream/2026-01-01T00:00:00.000"
            case "QueueName":
                return self.physical(name)
        raise NotImplementedError(attribute)

    def _function(self, function, argument):
        match function:
            case "Fn::GetAtt":
                return self._get_att(*argument)
            case "Fn::If":
                return self._resolve(argument[1] if self._condition(argument[0]) else argument[2])
            case "Fn::Join":
                return argument[0].join(str(item) for item in self._resolve(argument[1]))
            case "Fn::Select":
                return self._resolve(argument[1])[int(argument[0])]
            case "Fn::Split":
                return self._resolve(argument[1]).split(argument[0])
            case "Fn::FindInMap":
                mapping, first, second = map(self._resolve, argument)
                return self.template["Mappings"][mapping][first][second]
            case "Fn::Sub":
                return self._sub(argument)
        raise NotImplementedError(function)

    def _sub(self, argument):
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def value(match):
            name = match[1]
            if name in variables:
                return str(self._resolve(variables[name]))
            resource, _, attribute = name.partition(".")
            return str(self._get_att(resource, attribute) if attribute else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)
