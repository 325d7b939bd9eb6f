"""Templates that each lack one thing: a rule, a permission, a mapping."""

# What cannot be missed here, and why; the template's own tests hold these.
UNPLAYED_STATEMENTS = {
    "NotifyPublishes": "within an account, the role's own policy suffices",
    "AlarmsPublish": "no alarm rings in the emulator",
    "BudgetsPublish": "no budget is spent in the emulator",
    "CostAlertsPublish": "no cost is monitored in the emulator",
}
# Of the topics that nobody but notify may publish to, and it does so encrypted.
UNPLAYED_ENCRYPTION = ("FindingsTopicPolicy", "FindingsChatTopicPolicy")
UNPLAYED_ACTIONS = {
    "logs:CreateLogStream": "the emulator writes the functions' logs itself",
    "logs:PutLogEvents": "the emulator writes the functions' logs itself",
    "kms:Decrypt": "the emulator's topics and tables are not encrypted",
    "kms:GenerateDataKey": "the emulator's topics and tables are not encrypted",
}


def mutations(plain):
    """What can be taken away from a translated template: how it is called, and how it is done to a template."""
    for name, resource in plain["Resources"].items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Events::Rule":
                yield f"{name}, disabled", disabled(name)
                yield f"{name}, without its target", without(name, "Targets")
                if properties.get("State", "ENABLED") not in ("ENABLED", "DISABLED"):
                    yield f"{name}, without read-only events", with_(name, "State", "ENABLED")
            case "AWS::Lambda::EventSourceMapping":
                yield f"{name}, disabled", with_(name, "Enabled", False)
            case "AWS::Lambda::Permission":
                yield f"{name}, missing", lambda template, name=name: template["Resources"].pop(name)
            case "AWS::SQS::QueuePolicy" | "AWS::SNS::TopicPolicy":
                for at, statement in enumerate(properties["PolicyDocument"]["Statement"]):
                    sid = statement["Fn::If"][1]["Sid"] if "Fn::If" in statement else statement["Sid"]
                    unplayed = sid == "OnlyEncrypted" and name in UNPLAYED_ENCRYPTION
                    if sid not in UNPLAYED_STATEMENTS and not unplayed:
                        yield f"{name}, without {sid}", without_statement(name, at)
            case "AWS::IAM::Role":
                yield from without_actions(name, properties["Policies"][0]["PolicyDocument"]["Statement"])


def without_actions(name, statements):
    for at, statement in enumerate(statements):
        for action in listed(statement.get("Action", [])):
            if action not in UNPLAYED_ACTIONS:
                yield f"{name}, without {action} of {statement['Sid']}", without_action(name, at, action)


def listed(one_or_many):
    return one_or_many if isinstance(one_or_many, list) else [one_or_many]


def disabled(name):
    return with_(name, "State", "DISABLED")


def with_(name, property_, value):
    return lambda template: template["Resources"][name]["Properties"].update({property_: value})


def without(name, property_):
    return lambda template: template["Resources"][name]["Properties"].pop(property_)


def without_statement(name, at):
    return lambda template: template["Resources"][name]["Properties"]["PolicyDocument"]["Statement"].pop(at)


def without_action(name, at, action):
    def mutate(template):
        statement = template["Resources"][name]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][at]
        statement["Action"] = [one for one in listed(statement["Action"]) if one != action] or ["none:None"]

    return mutate
