"""What the emulator leaves out or gets wrong, of what this project's template relies on.

Each is a gap of MiniStack 1.5.33 in its own code: `complete` is called once, before it serves.
"""

import time

from ministack.core import iam_evaluator as iam
from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge, lambda_svc, sns, sqs
from ministack.services import iam as iam_service
from ministack.services.cloudformation import provisioners

# What a mapping's poller does with the function's role; AWS refuses a mapping without them.
POLLER_ACTIONS = {
    "sqs": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    "dynamodb": ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
}
# Its calls that know no resource.
POLLER_ACTIONS_ANYWHERE = {"sqs": [], "dynamodb": ["dynamodb:ListStreams"]}


def complete(is_hurried):
    """Fills every gap; while `is_hurried()`, mappings do not wait for their windows."""
    name_roles()
    ask_roles_first()
    gather_batches(is_hurried)
    pass_over_metric_math()
    answer_for_text_messages()
    keep_policies_of_buses()
    # Schedules fire when a test says so.
    eventbridge.start_scheduler = lambda: None


def role_may(role_arn, action, resource):
    """Whether a role's policies permit an action on a resource."""
    if not role_arn:
        return False
    policies = iam._gather_role_policies(role_arn.rsplit("/", 1)[-1], get_account_id())
    asked = iam.EvalContext(
        principal_arn=role_arn, principal_type="AssumedRole", principal_account=get_account_id(), action=action,
        resource_arn=resource, region=get_region(),
    )
    return iam.evaluate(asked, policies).decision == "Allow"


def name_roles():
    """A policy that asks for the principal is told a session's role, as in AWS, and not the session."""
    resolve = iam._resolve_condition_key

    def resolve_role(key, asked):
        value = resolve(key, asked)
        if value == f"arn:aws:iam::{asked.principal_account}:root":
            # To a bucket of another account, every caller is its account's root.
            value = iam.caller_arn()
        if key.lower() != "aws:principalarn" or ":assumed-role/" not in value:
            return value
        role = iam_service._roles.get_scoped(value.split(":")[4], None, value.split("/")[1])
        return role["Arn"] if role else value

    iam._resolve_condition_key = resolve_role


def answer_for_text_messages():
    """The emulator's SNS knows no limits of text messages; those of a new account are these."""
    handle = sns.handle_request
    limits = {"MonthlySpendLimit": "1", "DefaultSMSType": "Promotional"}
    entries = "".join(f"<entry><key>{key}</key><value>{value}</value></entry>" for key, value in limits.items())
    answer = f"<GetSMSAttributesResult><attributes>{entries}</attributes></GetSMSAttributesResult>"

    async def handle_more(method, path, headers, body, query_params):
        if b"Action=GetSMSAttributes" in body:
            return sns._xml(200, "GetSMSAttributesResponse", answer)
        return await handle(method, path, headers, body, query_params)

    sns.handle_request = handle_more


def pass_over_metric_math():
    """The emulator has no alarms over several metrics, nor metrics to alarm at: such an alarm counts as made."""
    kind = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    create, delete = kind["create"], kind["delete"]
    kind["create"] = lambda logical_id, properties, stack: (
        (f"{stack}-{logical_id}", {"Arn": logical_id}) if "Metrics" in properties else create(logical_id, properties, stack)
    )
    kind["delete"] = lambda physical_id, properties: (
        None if "Metrics" in properties else delete(physical_id, properties)
    )


def keep_policies_of_buses():
    """The emulator knows no policy of a bus as a resource of a template."""

    def create(logical_id, properties, stack):
        statement = properties["Statement"] | {"Sid": properties["StatementId"]}
        policy = eventbridge._event_bus_policies.setdefault(
            properties["EventBusName"], {"Version": "2012-10-17", "Statement": []}
        )
        policy["Statement"].append(statement)
        return f"{properties['EventBusName']}|{properties['StatementId']}", {}

    def delete(physical_id, properties):
        policy = eventbridge._event_bus_policies.get(properties["EventBusName"], {"Statement": []})
        policy["Statement"] = [one for one in policy["Statement"] if one["Sid"] != properties["StatementId"]]

    provisioners._RESOURCE_HANDLERS["AWS::Events::EventBusPolicy"] = {"create": create, "delete": delete}


def ask_roles_first():
    """A stack is refused, as in AWS, whose functions may not read their sources or write to where failures go."""

    def demand(logical_id, function, action, resource):
        _, config, name = lambda_svc._get_func_record_for_ref(function)
        if not role_may(config["Role"], action, resource):
            raise PermissionError(f"{logical_id}: the role of {name} may not {action} on {resource}")

    def check_mapping(logical_id, properties):
        source, function = properties["EventSourceArn"], properties["FunctionName"]
        service = parse_arn(source).service
        for action in POLLER_ACTIONS[service]:
            demand(logical_id, function, action, source)
        for action in POLLER_ACTIONS_ANYWHERE[service]:
            demand(logical_id, function, action, "*")
        check_destination(logical_id, properties)

    def check_destination(logical_id, properties):
        destination = (properties.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
        if destination:
            demand(logical_id, properties["FunctionName"], "sqs:SendMessage", destination)

    for kind, check in [("EventSourceMapping", check_mapping), ("EventInvokeConfig", check_destination)]:
        handlers = provisioners._RESOURCE_HANDLERS[f"AWS::Lambda::{kind}"]
        handlers["create"] = checked(check, handlers["create"])


def checked(check, create):
    def create_if_permitted(logical_id, properties, stack):
        check(logical_id, properties)
        return create(logical_id, properties, stack)

    return create_if_permitted


def gather_batches(is_hurried):
    """Mappings gather batches as large and as long as they say; the emulator's end at ten messages, at once."""

    def receive(queue_url, batch_size):
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            arn, now = queue["attributes"]["QueueArn"], time.time()
            window = max((mapping["MaximumBatchingWindowInSeconds"] for mapping in lambda_svc._esms.values()
                          if mapping["EventSourceArn"] == arn), default=0)
            sqs._dlq_sweep(queue)
            visible = [message["visible_at"] for message in queue["messages"] if message["visible_at"] <= now]
            full = len(visible) >= batch_size or now - min(visible, default=now) >= window
            if not visible or not (full or is_hurried()):
                return []
            return sqs._collect_msgs(queue, batch_size, int(queue["attributes"].get("VisibilityTimeout", "30")))

    # A parameter of a template is a text to the emulator, even where it is a number.
    concurrency = lambda_svc._sqs_esm_concurrency
    lambda_svc._sqs_esm_concurrency = lambda *asked: int(concurrency(*asked))
    sqs._receive_messages_for_esm = receive
