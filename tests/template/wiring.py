"""What has to be connected so that an event ends as a message, and nothing is lost on the way.

Each function takes a stack and yields what is wrong with it, in words. The emulator delivers without looking at
permissions, so nobody else would notice.
"""

import json

from matcher import matches
from policy import allows

EVENTS = "events.amazonaws.com"
QUEUE, TOPIC, TABLE, LAMBDA = "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::DynamoDB::Table", "AWS::Lambda::Function"
RULE, ROLE, MAPPING, ALARM = (
    "AWS::Events::Rule",
    "AWS::IAM::Role",
    "AWS::Lambda::EventSourceMapping",
    "AWS::CloudWatch::Alarm",
)

READ = {"dynamodb:GetItem"}
QUERY = {"dynamodb:Query"}
WRITE = {"dynamodb:PutItem", "dynamodb:UpdateItem"}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
JUDGES = READ | QUERY | WRITE | {"dynamodb:BatchGetItem"}

# Every function's actions by the logical id of what they are on, exactly.
ACTIONS = {
    "ControlPlaneFunction": {
        "StateTable": JUDGES,
        "FindingsTable": QUERY | {"dynamodb:UpdateItem"},
        "FindingsTable/index/open": QUERY,
        "FailedQueue": {"sqs:SendMessage"},
        "ControlPlaneLogs": LOGS,
    },
    "UsageFunction": {
        "StateTable": JUDGES,
        "FindingsTable": QUERY | {"dynamodb:UpdateItem"},
        "UsageQueue": {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
        "UsageLogs": LOGS,
    },
    "SpendFunction": {
        "*": {"cloudwatch:GetMetricData"},
        "StateTable": JUDGES | {"dynamodb:DeleteItem"},
        "FindingsTable": QUERY | {"dynamodb:UpdateItem"},
        "SpendQueue": {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
        "FailedQueue": {"sqs:SendMessage"},
        "SpendLogs": LOGS,
    },
    "TrailFunction": {
        "StateTable": JUDGES,
        "FindingsTable": QUERY | {"dynamodb:UpdateItem"},
        "the trail's files": {"s3:GetObject", "s3:GetObjectVersion"},
        "TrailQueue": {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
        "TrailLogs": LOGS,
    },
    "NotifyFunction": {
        "StateTable": READ | QUERY | WRITE,
        "FindingsTable": READ | {"dynamodb:UpdateItem"},
        "FindingsTable/index/pending": QUERY,
        "FindingsTable/stream": {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
        "*": {"dynamodb:ListStreams"},
        "FindingsTopic": {"sns:Publish"},
        "OperationsTopic": {"sns:Publish"},
        "FindingsChatTopic": {"sns:Publish"},
        "Key": {"kms:Decrypt", "kms:GenerateDataKey"},
        "FailedQueue": {"sqs:SendMessage"},
        "UnpublishedQueue": {"sqs:SendMessage"},
        "NotifyLogs": LOGS,
    },
    "CanaryFunction": {
        "*": {"ses:GetAccount", "sns:GetSMSAttributes"},
        "StateTable": READ | QUERY | WRITE | {"dynamodb:DeleteItem"},
        "FindingsTable": {"dynamodb:UpdateItem"},
        "FailedQueue": {"sqs:SendMessage"},
        "CanaryLogs": LOGS,
    },
}

# What is not there in every deployment.
BY_PARAMETER = {"TrailFunction", "FindingsChatTopic"}

ENVIRONMENT = """
    TRIPMETER_STATE_TABLE TRIPMETER_FINDINGS_TABLE TRIPMETER_FINDINGS_TOPIC TRIPMETER_CHAT_TOPIC
    TRIPMETER_OPERATIONS_TOPIC TRIPMETER_SETTINGS TRIPMETER_STACK TRIPMETER_OWN_ROLES TRIPMETER_OWN_NAMES
    TRIPMETER_REGIONS TRIPMETER_ALLOWED_REGIONS TRIPMETER_FINDING_RETENTION_DAYS TRIPMETER_RUNBOOKS
""".split()

# Services that publish to a topic; a key that they may not use would silence them.
PUBLISHERS = {
    "OperationsTopic": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"],
    "SpendTopic": ["budgets.amazonaws.com", "costalerts.amazonaws.com"],
}

# Properties that would give a resource a name of its own choosing.
NAMES = {
    "AlarmName",
    "BucketName",
    "DashboardName",
    "FunctionName",
    "LogGroupName",
    "QueueName",
    "RoleName",
    "TableName",
    "TopicName",
    "TrailName",
}


def granted(stack):
    """What the functions of this stack are to be granted."""
    left_out = BY_PARAMETER - stack.resources.keys()
    return {function: actions for function, actions in ACTIONS.items() if function not in left_out}


def role_of(stack, function):
    """The logical id of a function's role, and its policy."""
    arn = stack.resources[function]["Properties"]["Role"]
    role = stack.by_arn(arn)
    [policy] = stack.resources[role]["Properties"]["Policies"]
    return role, policy["PolicyDocument"]


def _document(stack, kind, of, logical):
    """The policy of a queue or topic, and nothing that allows anything where there is none."""
    target = stack._ref(logical)
    for properties in stack.of_type(kind).values():
        if target in properties[of]:
            return properties["PolicyDocument"]
    return {"Statement": []}


def queue_policy(stack, queue):
    return _document(stack, "AWS::SQS::QueuePolicy", "Queues", queue)


def topic_policy(stack, topic):
    return _document(stack, "AWS::SNS::TopicPolicy", "Topics", topic)


def targets(stack):
    for rule, properties in stack.of_type(RULE).items():
        for target in properties.get("Targets", []):
            yield rule, target, stack.by_arn(target["Arn"])


def _may_invoke(stack, function, rule):
    return any(
        permission["FunctionName"] == stack.arn(function)
        and permission["Principal"] == EVENTS
        and allows(
            {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": permission["Action"],
                        "Resource": "*",
                        "Principal": {"Service": permission["Principal"]},
                        "Condition": {"ArnLike": {"aws:SourceArn": permission["SourceArn"]}},
                    }
                ]
            },
            "lambda:InvokeFunction",
            "*",
            EVENTS,
            aws_SourceArn=stack.arn(rule),
        )
        for permission in stack.of_type("AWS::Lambda::Permission").values()
    )


def _may_send(stack, queue, rule):
    return allows(
        queue_policy(stack, queue), "sqs:SendMessage", stack.arn(queue), EVENTS, aws_SourceArn=stack.arn(rule)
    )


def rules_reach_their_targets(stack):
    for rule, properties in stack.of_type(RULE).items():
        if not properties.get("Targets"):
            yield f"{rule} has no target"
    for rule, target, logical in targets(stack):
        kind = logical and stack.declared[logical]["Type"]
        if kind == LAMBDA and not _may_invoke(stack, logical, rule):
            yield f"{rule} may not invoke {logical}"
        elif kind == QUEUE and not _may_send(stack, logical, rule):
            yield f"{rule} may not send to {logical}"
        elif ":event-bus/" in target["Arn"]:
            yield from _forwards(stack, rule, target)
        elif logical is None:
            yield f"{rule} has a target that is not of this stack"


def _forwards(stack, rule, target):
    role = stack.by_arn(target.get("RoleArn", ""))
    if role is None:
        yield f"{rule} forwards without a role"
        return
    properties = stack.resources[role]["Properties"]
    [policy] = properties["Policies"]
    if not allows(policy["PolicyDocument"], "events:PutEvents", target["Arn"]):
        yield f"{rule} may not put events on {target['Arn']}"
    trust = properties["AssumeRolePolicyDocument"]
    trusted = {"Statement": [statement | {"Resource": "*"} for statement in trust["Statement"]]}
    if not allows(trusted, "sts:AssumeRole", "*", EVENTS, aws_SourceAccount="111122223333"):
        yield f"{role} does not trust EventBridge"


def only_rules_of_this_stack_are_let_in(stack):
    foreign = f"arn:{stack.partition}:events:{stack.region}:111122223333:rule/somebody-elses"
    for permission, properties in stack.of_type("AWS::Lambda::Permission").items():
        pattern = properties.get("SourceArn", "*")
        if properties["Principal"] != EVENTS:
            yield from _log_permission(stack, permission, properties)
        elif not pattern.split(":rule/")[-1].startswith(stack.name):
            yield f"{permission} lets in rules of others"
    for queue in stack.of_type(QUEUE):
        document = queue_policy(stack, queue)
        if allows(document, "sqs:SendMessage", stack.arn(queue), EVENTS, aws_SourceArn=foreign):
            yield f"{queue} lets in rules of others"


def _log_permission(stack, permission, properties):
    group = stack.parameters["BedrockLogGroup"]
    wanted = f"arn:{stack.partition}:logs:{stack.region}:111122223333:log-group:{group}:*"
    if (properties.get("SourceArn"), properties.get("SourceAccount")) != (wanted, "111122223333"):
        yield f"{permission} lets in logs of others"


def logs_reach_their_function(stack):
    for name, properties in stack.of_type("AWS::Logs::SubscriptionFilter").items():
        permissions = stack.of_type("AWS::Lambda::Permission").values()
        invoked = {one["FunctionName"] for one in permissions if one["Principal"] == "logs.amazonaws.com"}
        if properties["DestinationArn"] not in invoked:
            yield f"{name} may not invoke its function"


def topics_of_meters_reach_their_queue(stack):
    topic, queue = stack.arn("SpendTopic"), stack.arn("SpendQueue")
    subscribed = [one for one in stack.of_type("AWS::SNS::Subscription").values() if one["TopicArn"] == topic]
    if [(one["Protocol"], one["Endpoint"]) for one in subscribed] != [("sqs", queue)]:
        yield "SpendTopic reaches somebody else than SpendQueue"
    for source, admitted in ((topic, True), (topic + "x", False)):
        if allows(queue_policy(stack, "SpendQueue"), "sqs:SendMessage", queue, "sns.amazonaws.com", aws_SourceArn=source) != admitted:
            yield f"SpendQueue {'refuses its topic' if admitted else 'lets in topics of others'}"


def what_cannot_be_delivered_is_kept(stack):
    for rule, target, _ in targets(stack):
        queue = stack.by_arn(target.get("DeadLetterConfig", {}).get("Arn", ""))
        if queue is None:
            yield f"{rule} has no dead-letter queue"
        elif not _may_send(stack, queue, rule):
            yield f"{rule} may not send to its dead-letter queue {queue}"
        if not {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"} <= target.get("RetryPolicy", {}).keys():
            yield f"{rule} does not say how often it tries"


def _failure_destination(stack, function):
    for properties in stack.of_type("AWS::Lambda::EventInvokeConfig").values():
        if properties["FunctionName"] == stack.physical(function):
            return properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    return None


def what_a_function_fails_on_is_kept(stack):
    for rule, _, function in targets(stack):
        if function is None or stack.declared[function]["Type"] != LAMBDA:
            continue
        destination = _failure_destination(stack, function)
        if stack.by_arn(destination or "") is None:
            yield f"{function}, called by {rule}, keeps nothing that it fails on"
        elif not allows(role_of(stack, function)[1], "sqs:SendMessage", destination):
            yield f"{function} may not send what it fails on"


def mappings_feed_their_functions(stack):
    for name, mapping in stack.of_type(MAPPING).items():
        function = stack.by_arn(mapping["FunctionName"])
        if function is None:
            yield f"{name} has no function of this stack"
            continue
        _, policy = role_of(stack, function)
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name} fails whole batches"
        if int(mapping["BatchSize"]) > 10 and int(mapping.get("MaximumBatchingWindowInSeconds", 0)) < 1 and ":sqs:" in mapping["EventSourceArn"]:
            yield f"{name} has a large batch without a window"
        if "/stream/" in mapping["EventSourceArn"]:
            yield from _stream(stack, name, mapping, policy)
        else:
            yield from _queue(stack, name, mapping, function, policy)


def _queue(stack, name, mapping, function, policy):
    queue = stack.by_arn(mapping["EventSourceArn"])
    if queue is None:
        yield f"{name} reads no queue of this stack"
        return
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        if not allows(policy, action, stack.arn(queue)):
            yield f"{function} may not {action} on {queue}"
    if int(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 1_000)) > 64:
        yield f"{name} scales without a limit"
    properties = stack.resources[queue]["Properties"]
    longest_window = stack.template["Parameters"]["BatchWindowSeconds"]["MaxValue"]
    busy = 6 * stack.resources[function]["Properties"]["Timeout"] + longest_window
    if int(properties.get("VisibilityTimeout", 30)) < busy:
        yield f"{queue} shows messages again while {function} may still work on them"
    redrive = properties.get("RedrivePolicy", {})
    if stack.by_arn(redrive.get("deadLetterTargetArn", "")) is None:
        yield f"{queue} has no dead-letter queue"
    elif int(redrive["maxReceiveCount"]) < 5:
        yield f"{queue} gives up too soon"


def _stream(stack, name, mapping, policy):
    table = mapping["EventSourceArn"].split("/stream/")[0]
    logical = stack.by_arn(table)
    if logical is None or "StreamSpecification" not in stack.resources[logical]["Properties"]:
        yield f"{name} reads no stream of this stack"
        return
    for action in ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"):
        if not allows(policy, action, mapping["EventSourceArn"]):
            yield f"{name} may not {action}"
    if not mapping.get("BisectBatchOnFunctionError") or not 0 <= mapping.get("MaximumRetryAttempts", -1) <= 10:
        yield f"{name} lets one bad item block the others"
    failures = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
    if stack.by_arn(failures) is None or not allows(policy, "sqs:SendMessage", failures):
        yield f"{name} keeps nothing that it fails on"
    [pattern] = [json.loads(one["Pattern"]) for one in mapping.get("FilterCriteria", {}).get("Filters", [{"Pattern": "{}"}])]
    waits = {"dynamodb": {"NewImage": {"uid": {"S": "u"}, "pending": {"S": "1"}}}}
    said = {"dynamodb": {"NewImage": {"uid": {"S": "u"}}}}
    if not matches(pattern, waits) or matches(pattern, said):
        yield f"{name} does not pass exactly what waits to be published"


def findings_are_published_by_notify_alone(stack):
    notify = stack.resources["NotifyFunction"]["Properties"]["Role"]
    other = stack.resources["UsageFunction"]["Properties"]["Role"]
    for topic in ("FindingsTopic", "FindingsChatTopic"):
        if topic not in stack.resources:
            continue
        document, arn = topic_policy(stack, topic), stack.arn(topic)
        if not allows(document, "sns:Publish", arn, notify, aws_PrincipalArn=notify):
            yield f"{topic} refuses notify"
        # Inside an account, a policy of an identity is enough unless the topic denies it.
        anybody = {"Statement": [*document["Statement"], {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
        if allows(anybody, "sns:Publish", arn, other, aws_PrincipalArn=other):
            yield f"{topic} can be forged"


def encryption_silences_nobody(stack):
    own_key = "Key" in stack.resources
    for topic, properties in stack.of_type(TOPIC).items():
        key = properties.get("KmsMasterKeyId", "")
        if "alias/aws/" in key:
            yield f"{topic} is encrypted with a key that alarms may not use"
        if topic not in PUBLISHERS and not key:
            yield f"{topic} is not encrypted"
        for principal in PUBLISHERS.get(topic, []):
            if not principal.startswith("cloudwatch") and stack.partition != "aws":
                continue
            source = {
                "cloudwatch.amazonaws.com": f"arn:{stack.partition}:cloudwatch:{stack.region}:111122223333:alarm:any",
                "budgets.amazonaws.com": f"arn:{stack.partition}:budgets::111122223333:budget/any",
                "costalerts.amazonaws.com": f"arn:{stack.partition}:ce::111122223333:anomalysubscription/any",
            }[principal]
            facts = {"aws_SourceAccount": "111122223333", "aws_SourceArn": source}
            if not allows(topic_policy(stack, topic), "sns:Publish", stack.arn(topic), principal, **facts):
                yield f"{topic} refuses {principal}"
            for action in ("kms:Decrypt", "kms:GenerateDataKey"):
                if own_key and key and not allows(
                    stack.resources["Key"]["Properties"]["KeyPolicy"], action, key, principal, **facts
                ):
                    yield f"{principal} may not use the key of {topic}"
                if key and not own_key:
                    yield f"{topic} is encrypted with a key whose policy nobody knows"


def every_function_has_its_environment(stack):
    for function, properties in stack.of_type(LAMBDA).items():
        variables = properties.get("Environment", {}).get("Variables", {})
        for name in ENVIRONMENT:
            if name not in variables:
                yield f"{function} lacks {name}"
        roles = variables.get("TRIPMETER_OWN_ROLES", "").split(",")
        wanted = [stack.resources[key]["Properties"]["Role"] for key in ("CanaryFunction", "NotifyFunction")]
        if roles[:2] != wanted or set(roles) != {stack.resources[key]["Properties"]["Role"] for key in granted(stack)}:
            yield f"{function} does not know the roles of its stack"
        if len(json.dumps(variables)) > 4_096:
            yield f"{function} has more environment than Lambda takes"


def _logical(stack, arn):
    if arn == "*":
        return "*"
    base, _, rest = arn.partition("/index/")
    if rest:
        return f"{stack.by_arn(base)}/index/{rest}"
    base, _, rest = arn.partition("/stream/")
    if rest:
        return f"{stack.by_arn(base)}/stream"
    if arn == stack.parameters["KeyArn"]:
        return "Key"
    if arn == stack.parameters["TrailKeyArn"]:
        return "the trail's key"
    if arn == f"arn:{stack.partition}:s3:::{stack.parameters['TrailBucket']}/*":
        return "the trail's files"
    return stack.by_arn(arn)


def roles_hold_exactly_what_is_needed(stack):
    encrypted = bool(stack.parameters["KeyArn"])
    for function, wanted in granted(stack).items():
        _, policy = role_of(stack, function)
        held = {}
        for statement in policy["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            for arn in resources:
                held.setdefault(_logical(stack, arn), set()).update(actions)
        left_out = BY_PARAMETER - stack.resources.keys()
        wanted = {key: set(actions) for key, actions in wanted.items() if key not in left_out}
        if encrypted:
            wanted.setdefault("Key", set()).add("kms:Decrypt")
        if function == "TrailFunction" and stack.parameters["TrailKeyArn"]:
            wanted["the trail's key"] = {"kms:Decrypt"}
        for key in sorted({*held, *wanted}, key=str):
            if held.get(key, set()) != wanted.get(key, set()):
                yield f"{function} on {key}: {sorted(held.get(key, set()) ^ wanted.get(key, set()))}"


def roles_obey_the_organisation(stack):
    for role, properties in stack.of_type(ROLE).items():
        if properties.get("Path") != stack.parameters["RolePath"]:
            yield f"{role} is not under the path"
        if properties.get("PermissionsBoundary", "") != stack.parameters["PermissionsBoundaryArn"]:
            yield f"{role} has another boundary"


def what_is_learned_is_kept(stack):
    for table, properties in stack.of_type(TABLE).items():
        resource = stack.resources[table]
        if (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) != ("Retain", "Retain"):
            yield f"{table} goes with the stack"
        if not properties.get("DeletionProtectionEnabled"):
            yield f"{table} can be deleted"
        if not properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
            yield f"{table} cannot be taken back"
        if properties.get("TimeToLiveSpecification") != {"AttributeName": "expires", "Enabled": True}:
            yield f"{table} forgets nothing"
        if properties.get("BillingMode") != "PAY_PER_REQUEST":
            yield f"{table} has a fixed capacity"
        if bool(properties.get("SSESpecification")) != bool(stack.parameters["KeyArn"]):
            yield f"{table} is not encrypted with the key that was given"


def nothing_has_a_fixed_name(stack):
    for key, resource in stack.resources.items():
        properties = resource.get("Properties", {})
        own = NAMES | ({"Name"} if resource["Type"] == RULE else set())
        refers = {"AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig", "AWS::Logs::SubscriptionFilter", MAPPING}
        for name in own & properties.keys():
            if resource["Type"] not in refers:
                yield f"{key} has a name of its own"


def functions_log_where_it_is_kept_for_a_while(stack):
    for function, properties in stack.of_type(LAMBDA).items():
        group = properties.get("LoggingConfig", {}).get("LogGroup")
        logical = next((key for key in stack.of_type("AWS::Logs::LogGroup") if stack.physical(key) == group), None)
        if logical is None:
            yield f"{function} logs into a group that is not of this stack"
        elif not stack.resources[logical]["Properties"].get("RetentionInDays"):
            yield f"{logical} is kept forever"


def trouble_is_told(stack):
    alarms = stack.of_type(ALARM)
    topic = stack.arn("OperationsTopic")
    for alarm, properties in alarms.items():
        if properties.get("AlarmActions") != [topic]:
            yield f"{alarm} tells nobody"
    watched = {
        (metric["Namespace"], metric["MetricName"], dimension["Name"], dimension["Value"])
        for properties in alarms.values()
        for metric in _metrics(properties)
        for dimension in metric["Dimensions"]
    }
    wanted = []
    read = {mapping["EventSourceArn"] for mapping in stack.of_type(MAPPING).values()}
    for queue in stack.of_type(QUEUE):
        measure = "ApproximateAgeOfOldestMessage" if stack.arn(queue) in read else "ApproximateNumberOfMessagesVisible"
        wanted.append(("AWS/SQS", measure, "QueueName", stack.physical(queue)))
    for function in stack.of_type(LAMBDA):
        wanted += [("AWS/Lambda", name, "FunctionName", stack.physical(function)) for name in ("Errors", "Throttles")]
    ours = ("Conflicts", "SettingsInvalid", "PolicyInvalid", "Unreadable", "CanaryMisses")
    wanted += [("Tripmeter", name, "Stack", stack.name) for name in ours]
    for one in wanted:
        if one not in watched:
            yield f"no alarm watches {one[1]} of {one[3]}"
    silence = [p for p in alarms.values() if p.get("MetricName") == "CanaryMisses"]
    if not silence or silence[0].get("TreatMissingData") != "breaching":
        yield "silence is taken for health"


def _metrics(properties):
    if "Metrics" in properties:
        return [one["MetricStat"]["Metric"] for one in properties["Metrics"] if "MetricStat" in one]
    return [properties]


def schedules_call_with_their_word(stack):
    words = {"ControlPlaneTick": "tick", "NotifySweep": "sweep", "CanaryCalls": "canary", "SpendMetrics": "meters"}
    for rule, word in words.items():
        properties = stack.resources.get(rule, {}).get("Properties", {"Targets": []})
        if [json.loads(target.get("Input", "{}")) for target in properties["Targets"]] != [{"tripmeter": word}]:
            yield f"{rule} does not call with its word"


CHECKS = [
    rules_reach_their_targets,
    only_rules_of_this_stack_are_let_in,
    logs_reach_their_function,
    topics_of_meters_reach_their_queue,
    what_cannot_be_delivered_is_kept,
    what_a_function_fails_on_is_kept,
    mappings_feed_their_functions,
    findings_are_published_by_notify_alone,
    encryption_silences_nobody,
    every_function_has_its_environment,
    roles_hold_exactly_what_is_needed,
    roles_obey_the_organisation,
    what_is_learned_is_kept,
    nothing_has_a_fixed_name,
    functions_log_where_it_is_kept_for_a_while,
    trouble_is_told,
    schedules_call_with_their_word,
]
