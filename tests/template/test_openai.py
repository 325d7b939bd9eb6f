"""The nested stack that reads OpenAI: off by default, given all that it asks for, and no more than it needs."""

from stack import Stack, source

SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:openai-admin-AbCdEf"


def nested(translated, **parameters):
    hub = Stack(translated, {"OpenAISecretArn": SECRET, **parameters})
    return hub, hub.resources["OpenAI"]["Properties"]["Parameters"]


def test_it_is_off_until_a_secret_is_named(translated):
    assert "OpenAI" not in Stack(translated).resources
    assert nested(translated)[1]["SecretArn"] == SECRET


def test_it_is_given_every_parameter_that_it_has_no_default_for(translated):
    declared = source("infra/openai.yaml")["Parameters"]

    _, given = nested(translated)

    assert given.keys() <= declared.keys()
    assert {name for name, parameter in declared.items() if "Default" not in parameter} <= given.keys()


def test_it_judges_by_the_settings_of_every_other_function(translated):
    hub, given = nested(translated, FreshUses=31)

    [settings] = {
        function["Environment"]["Variables"]["TRIPMETER_SETTINGS"] for function in hub.of_type("AWS::Lambda::Function").values()
    }
    assert given["Settings"] == settings and "FreshUses=31" in settings


def test_the_key_is_named_in_the_environment_and_never_in_it():
    template = source("infra/openai.yaml")
    variables = template["Resources"]["OpenAIFunction"]["Properties"]["Environment"]["Variables"]

    assert variables["TRIPMETER_OPENAI_SECRET"] == {"Ref": "SecretArn"}
    assert "{{resolve" not in str(template)


def test_secrets_are_listened_for_only_where_some_are_named():
    rule = source("infra/openai.yaml")["Resources"]["SecretReads"]

    assert rule["Condition"] == "WatchesSecrets"
    assert rule["Properties"]["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def test_its_alarms_watch_metrics_as_they_are_written():
    alarms = [resource["Properties"] for resource in source("infra/openai.yaml")["Resources"].values() if resource["Type"] == "AWS::CloudWatch::Alarm"]
    ours = [alarm["Dimensions"] for alarm in alarms if alarm["Namespace"] == "Tripmeter"]

    # Metrics are billed by dimension: every one of ours has the stack's name alone.
    assert ours == [[{"Name": "Stack", "Value": {"Ref": "StackName"}}]]
