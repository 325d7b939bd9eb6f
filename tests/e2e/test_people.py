"""What people set: policies and settings, good and bad. Detection goes on."""

import subprocess

import calls
import episodes
import trail
from stack import Subscription

REGION = "us-east-1"
# The only finding of a read by somebody unknown in an account that is being learned.
DENIED = "DefenseEvasion:Bedrock/DeniedRegion"
ONLY_IRELAND = '[regions]\nall = ["eu-west-1"]\n'


def push(binaries, hub, file, *options):
    return subprocess.run(
        [binaries["tripmeter"], "policy", "push", file, "--table", hub.outputs["StateTable"],
         "--note", "only Ireland", "--by", "owner@example.com", "--yes", *options],
        env=hub.environment(), check=True, capture_output=True, text=True,
    )


def put_in_force(hub, number, text):
    """A version as nobody may push it: written past the program."""
    state, table = hub.client("dynamodb"), hub.outputs["StateTable"]
    state.put_item(TableName=table, Item={
        "pk": {"S": "POLICY"}, "sk": {"S": f"VERSION#{number:06}"}, "policy": {"S": text}, "digest": {"S": "0"},
        "pushed_at": {"S": "2026-03-17T03:14:00Z"}, "pushed_by": {"S": "mallory"}, "note": {"S": ""},
    })
    state.put_item(TableName=table, Item={
        "pk": {"S": "POLICY"}, "sk": {"S": "CURRENT"}, "number": {"N": str(number)},
    })


def types_told(aws, findings, record):
    aws.record([trail.envelope(record)])
    aws.settle()
    return {finding["finding_info"]["types"][0] for finding in episodes.published(findings)}


def model_list(account, user):
    return calls.call("bedrock", "ListFoundationModels", account, REGION, user=user, read_only=True)


def test_a_pushed_policy_is_judged_by_and_announced(aws, deploy_hub, account, binaries, tmp_path):
    hub, findings = deploy_hub(account, REGION)
    operations = Subscription(hub, hub.outputs["OperationsTopic"])
    policy = tmp_path / "tripmeter.toml"
    policy.write_text(ONLY_IRELAND)

    push(binaries, hub, policy)
    aws.fire_schedules(account, REGION, "NotifySweep")
    aws.settle()

    assert "only Ireland" in operations.read()[0]["Body"]
    assert DENIED in types_told(aws, findings, model_list(account, "mallory"))


def test_an_invalid_policy_leaves_the_last_good_one_in_force(aws, deploy_hub, account, binaries, tmp_path):
    hub, findings = deploy_hub(account, REGION)
    policy = tmp_path / "tripmeter.toml"
    policy.write_text(ONLY_IRELAND)
    push(binaries, hub, policy)

    put_in_force(hub, 2, "[regions\n")

    assert DENIED in types_told(aws, findings, model_list(account, "mallory"))
    assert aws.said('"PolicyInvalid":1')


def test_an_invalid_setting_falls_back_to_its_default_and_is_told(aws, deploy_hub, account):
    def spoil(template):
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                settings = "FreshUses=soon;Mode=publish;NoSuchThing=1"
                resource["Properties"]["Environment"]["Variables"]["TRIPMETER_SETTINGS"] = settings

    _, findings = deploy_hub(account, REGION, mutate=spoil)

    told = types_told(aws, findings, calls.logging_switched_off(account, REGION))

    assert told == {"DefenseEvasion:Bedrock/GuardrailRemoved"}
    assert aws.said('"SettingsInvalid":2')
