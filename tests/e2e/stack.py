"""A template of ours, deployed as SAM and CloudFormation would."""

import functools
import io
import json
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """The translator asks for AWS's managed policies; a role of ours names its actions itself."""

    def load(self):
        return {}


def translated(template, parameters, bucket):
    """What SAM makes of a template: plain CloudFormation, where each function's code is an archive in a bucket."""
    for program, function in programs(template).items():
        function["Properties"]["CodeUri"] = f"s3://{bucket}/{program}.zip"
    return transform(template, parameters, NoManagedPolicies())


def located(condition, account, region):
    """Conditions with what they ask about their place filled in: the emulator does not know it there."""
    place = {"AWS::Partition": "aws", "AWS::Region": region, "AWS::AccountId": account}
    if isinstance(condition, list):
        return [located(one, account, region) for one in condition]
    if not isinstance(condition, dict):
        return condition
    if set(condition) == {"Ref"}:
        return place.get(condition["Ref"], condition)
    return {name: located(one, account, region) for name, one in condition.items()}


def programs(template):
    """Each program that `sam build` would package, and the function that runs it."""
    return {
        resource["Metadata"]["BuildProperties"]["Binary"]: resource
        for resource in template["Resources"].values() if resource["Type"] == "AWS::Serverless::Function"
    }


def read_template(path):
    return yaml_parse(Path(path).read_text())


class Stack:
    """A deployed stack: its outputs and resources."""

    def __init__(self, aws, name, account, region, template, parameters, binaries, mutate=lambda plain: None):
        self.aws, self.name, self.account, self.region = aws, name, account, region
        bucket = f"{name}-artifacts-{account}-{region}"
        upload(self.client("s3"), bucket, {program: binaries[program] for program in programs(template)})
        plain = translated(template, dict(parameters), bucket)
        plain["Conditions"] = located(plain.get("Conditions", {}), account, region)
        mutate(plain)
        deploy(self.client("s3"), bucket, self.client("cloudformation"), name, plain, parameters)
        described = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}

    def client(self, service):
        return self.aws.client(service, self.account, self.region)

    def resources(self):
        """Logical to physical ids."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in pages for one in page["StackResourceSummaries"]
        }

    def complaints(self):
        """Every error that a function of this stack has logged."""
        logs = self.client("logs")
        groups = [name for name in self.resources().values() if name.startswith(f"/aws/cloudformation/{self.name}/")]
        return [
            event["message"] for group in groups
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern='"ERROR"')
            for event in page["events"]
        ]

    def environment(self):
        """For our own program, as its owner would run it: credentials and region of the account."""
        return {
            "AWS_ENDPOINT_URL": self.aws.endpoint, "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.account, "AWS_SECRET_ACCESS_KEY": "root",
        }

    def delete(self):
        self.client("cloudformation").delete_stack(StackName=self.name)
        waiter = self.client("cloudformation").get_waiter("stack_delete_complete")
        waiter.wait(StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


class Subscription:
    """A queue of a consumer's own, subscribed to a topic of the stack: raw, as a SIEM would."""

    def __init__(self, stack, topic_arn):
        self.sqs = stack.client("sqs")
        self.url = self.sqs.create_queue(QueueName=f"{stack.name}-{topic_arn.rsplit(':', 1)[-1]}-reader")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps({"Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        }]})})
        stack.client("sns").subscribe(
            TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )

    def read(self):
        """Every message so far, oldest first; they are taken off the queue."""
        messages = []
        while True:
            got = self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=0,
                AttributeNames=["All"], MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not got:
                return sorted(messages, key=lambda one: int(one["Attributes"]["SentTimestamp"]))
            messages += got
            for message in got:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])


def upload(s3, bucket, binaries):
    s3.create_bucket(Bucket=bucket, **location(s3.meta.region_name))
    for name, path in binaries.items():
        s3.put_object(Bucket=bucket, Key=f"{name}.zip", Body=archive(path))


@functools.cache
def archive(path):
    """A program as Lambda takes it: an archive that holds it as `bootstrap`, without what only a debugger reads."""
    with tempfile.TemporaryDirectory() as folder:
        program = shutil.copy(path, folder)
        subprocess.run(["strip", program], check=False, stderr=subprocess.DEVNULL)
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o755 << 16
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
            out.writestr(bootstrap, Path(program).read_bytes())
    return packed.getvalue()


def location(region):
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def deploy(s3, bucket, cloudformation, name, template, parameters):
    """Creates the stack and waits; what failed is said as CloudFormation says it."""
    body = json.dumps(template)
    s3.put_object(Bucket=bucket, Key=f"{name}.json", Body=body.encode())
    cloudformation.create_stack(
        StackName=name, TemplateURL=f"{s3.meta.endpoint_url}/{bucket}/{name}.json",
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    waiter = cloudformation.get_waiter("stack_create_complete")
    try:
        waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    except Exception as error:
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        reasons = [
            f"{one['LogicalResourceId']}: {one['ResourceStatusReason']}"
            for page in pages for one in page["StackEvents"]
            if "FAILED" in one["ResourceStatus"] and one.get("ResourceStatusReason")
        ]
        raise RuntimeError("the stack was not created:\n" + "\n".join(reasons)) from error
