"""MiniStack, with the side of AWS that only AWS's own services have.

`PutEvents` refuses sources that begin with `aws.`, in AWS and in the emulator alike, so CloudTrail's events cannot be
put on a bus by hand. This process is the emulator plus a few addresses under `/_aws/`, by which CloudTrail and the
schedules deliver: an envelope reaches the rules as they were deployed, unchanged. It adds what AWS documents and the
emulator leaves out, so that a template which forgets it fails here too:

- a read-only management event reaches only rules in the state that asks for them;
- a rule hands over only what the target's own policy (function, queue) or the rule's role (another bus) permits,
  and what it may not hand over goes to the target's dead-letter queue;
- an event crosses to the bus of another region or account once, if that bus lets its sender in, and keeps its account
  and region;
- what S3 says of an object goes the same way;
- a function that fails is tried twice more, then the event goes to the function's destination for failures;
- a stack is refused whose functions may not read their sources or write to where failures go;
- a mapping gathers its batch as large and as long as it says;
- schedules fire when the test says so.

The functions' own calls are judged by their roles: the emulator does that itself, started with AUTH=true.
What stays untested here: throttling, encryption, and the limits of size and rate.
"""

import asyncio
import ctypes
import json
import logging
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from ministack import app as ministack
from ministack.core import iam_evaluator as iam
from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region, set_request_account_id, set_request_region
from ministack.services import dynamodb, eventbridge, lambda_svc, sqs

from completions import complete, role_may
from trail import ORGANIZATION

EVERY_MANAGEMENT_EVENT = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
ATTEMPTS = 3
# Linux: prctl(2).
PR_SET_PDEATHSIG = 1
# AWS waits one minute, then two; nothing here gets better by waiting.
SECONDS_BETWEEN_ATTEMPTS = 0.5


class Bus:
    """The default buses of every account and region, as AWS's services see them."""

    def __init__(self):
        # An account has ten or a thousand invocations at once; this machine has two cores.
        self.workers = ThreadPoolExecutor(max_workers=2)
        self.invocations = []
        # While a test waits for the end, windows are cut short: the batches are those of a quieter moment.
        self.hurried = False
        # What a function refused to the end: its name and what it said.
        self.failures = []

    def deliver(self, envelope, account, region, hops=1):
        """Hands one envelope to every rule that hears it; returns which rule handed it to which target."""
        self.hurried = False
        set_request_account_id(account)
        set_request_region(region)
        view = eventbridge._pattern_event_view({
            "EventId": envelope["id"],
            "Source": envelope["source"],
            "DetailType": envelope["detail-type"],
            "Account": envelope["account"],
            "Region": envelope["region"],
            "Time": envelope["time"],
            "Resources": envelope["resources"],
            "Detail": envelope["detail"],
        })
        handed = []
        for key, rule in list(eventbridge._rules.items()):
            if rule.get("EventBusName", "default") != "default" or not hears(rule, envelope):
                continue
            if eventbridge._matches_pattern_view(rule["EventPattern"], view, rule["Name"]):
                for target in list(eventbridge._targets.get(key, [])):
                    handed += self.hand_over(rule, target, view.event_with_detail(), hops)
        return handed

    def fire(self, account, region, named):
        """Fires once every schedule of the account whose rule has this in its name."""
        set_request_account_id(account)
        set_request_region(region)
        handed = []
        for key, rule in list(eventbridge._rules.items()):
            if not rule.get("ScheduleExpression") or rule["State"] == "DISABLED" or named not in rule["Name"]:
                continue
            event = {
                "version": "0", "id": "schedule", "detail-type": "Scheduled Event", "source": "aws.events",
                "account": account, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "region": region,
                "resources": [rule["Arn"]], "detail": {},
            }
            for target in list(eventbridge._targets.get(key, [])):
                handed += self.hand_over(rule, target, event, hops=0)
        return handed

    def hand_over(self, rule, target, event, hops):
        arn = parse_arn(target["Arn"])
        payload = json.loads(target["Input"]) if target.get("Input") else event
        done = [{"rule": rule["Name"], "target": target["Arn"], "set_aside": False}]
        if arn.service == "events":
            if hops and may_put(target.get("RoleArn", ""), target["Arn"]):
                here = get_account_id(), get_region()
                done += self.deliver(payload, arn.account_id, arn.region, hops - 1)
                set_request_account_id(here[0])
                set_request_region(here[1])
                return done
        elif arn.service == "sqs":
            if send(target["Arn"], payload, rule["Arn"]):
                return done
        elif arn.service == "lambda":
            function, config, _ = lambda_svc._get_func_record_for_ref(target["Arn"])
            if function and function_admits(function, target["Arn"], rule["Arn"]):
                record = lambda_svc._execution_record_for_config(function, config)
                self.invocations = [one for one in self.invocations if not one.done()]
                self.invocations.append(self.workers.submit(self.invoke, record, payload))
                return done
        print(f"bus: {rule['Name']} may not hand over to {target['Arn']}", flush=True)
        letters = (target.get("DeadLetterConfig") or {}).get("Arn")
        set_aside = letters and send(letters, event, rule["Arn"])
        return [{"rule": rule["Name"], "target": letters, "set_aside": True}] if set_aside else []

    def invoke(self, function, event):
        """An asynchronous invocation: again after a failure, in the end to the destination for failures."""
        config = function["config"]
        for attempt in range(ATTEMPTS):
            result = lambda_svc._execute_function_with_config_scope(function, event)
            print(result.get("log", ""), flush=True)
            if not result.get("error") and not result.get("throttle"):
                return
            print(f"bus: {config['FunctionName']} failed, attempt {attempt + 1}: {result.get('body')}", flush=True)
            time.sleep(SECONDS_BETWEEN_ATTEMPTS)
        self.failures.append(f"{config['FunctionArn']}: {result.get('body')}")
        here = parse_arn(config["FunctionArn"])
        set_request_account_id(here.account_id)
        set_request_region(here.region)
        settings = (function.get("event_invoke_configs") or {}).get("$LATEST") or function.get("event_invoke_config") or {}
        destination = (settings.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
        if destination and role_may(config["Role"], "sqs:SendMessage", destination):
            lambda_svc._route_async_failure(destination, config["FunctionName"], event, result)

    def busy(self, hurry):
        """How much is on its way: invocations, messages in mapped queues, unread stream records."""
        self.hurried = hurry
        lambda_svc.esm_wake.set()
        waiting = sum(not one.done() for one in self.invocations) + sum(lambda_svc._esm_inflight.values())
        for account, region, mapping in lambda_svc._iter_all_esms():
            if not mapping["Enabled"]:
                continue
            set_request_account_id(account)
            set_request_region(region)
            source = parse_arn(mapping["EventSourceArn"])
            if source.service == "sqs":
                queue = sqs._queue_by_arn(mapping["EventSourceArn"])
                waiting += len(queue["messages"]) if queue else 0
            elif source.service == "dynamodb":
                end = dynamodb.stream_end_position(source.resource.split("/")[1])
                waiting += end - lambda_svc._dynamodb_stream_positions.get(mapping["UUID"], end)
        return waiting


def hears(rule, envelope):
    """Whether a rule in this state gets the event at all.

    <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>
    """
    if not rule.get("EventPattern"):
        return False
    record = envelope["detail"]
    read_only_management = (
        envelope["detail-type"].endswith("via CloudTrail")
        and record.get("readOnly") is True
        and record.get("eventCategory", "Management") == "Management"
    )
    return rule["State"] == EVERY_MANAGEMENT_EVENT or (rule["State"] == "ENABLED" and not read_only_management)


def may_put(role_arn, bus_arn):
    """Whether a role may put events on a bus: by its own policies, and in another account by the bus's, too."""
    bus = parse_arn(bus_arn)
    if not role_may(role_arn, "events:PutEvents", bus_arn):
        return False
    if bus.account_id == get_account_id():
        return True
    asked = iam.EvalContext(
        principal_arn=role_arn, principal_type="AssumedRole", principal_account=get_account_id(),
        action="events:PutEvents", resource_arn=bus_arn, region=bus.region,
        service_context={"aws:principalorgid": ORGANIZATION},
    )
    policy = eventbridge._event_bus_policies.get_scoped(bus.account_id, bus.region, "default")
    return iam.evaluate_resource_policy(policy, asked).decision == "Allow"


def tell_of_objects(bus):
    """S3's events take the way of all events of AWS's, which the emulator ends at the account."""
    dispatch = eventbridge._dispatch_event

    def dispatch_as_aws(event, view=None):
        if event["Source"] != "aws.s3":
            return dispatch(event, view)
        here = get_account_id(), get_region()
        bus.deliver({
            "version": "0", "id": event["EventId"], "source": event["Source"], "detail-type": event["DetailType"],
            "account": event["Account"], "region": event["Region"], "time": event["Time"],
            "resources": event["Resources"], "detail": json.loads(event["Detail"]),
        }, *here)
        set_request_account_id(here[0])
        set_request_region(here[1])

    eventbridge._dispatch_event = dispatch_as_aws


def send(queue_arn, event, rule_arn):
    """Puts an event on a queue, if the queue's policy lets this rule."""
    if not sqs.queue_policy_allows(queue_arn, "events.amazonaws.com", rule_arn, get_account_id()):
        return False
    eventbridge._dispatch_to_sqs(parse_arn(queue_arn), json.dumps(event))
    return True


def function_admits(function, function_arn, rule_arn):
    """Whether the function's own policy lets this rule invoke it."""
    asked = iam.EvalContext(
        principal_arn="*", principal_type="Service", principal_account="", action="lambda:InvokeFunction",
        resource_arn=function_arn, region=get_region(),
        service_context={"aws:sourcearn": rule_arn, "aws:sourceaccount": get_account_id()},
    )
    return iam.evaluate_resource_policy(function["policy"], asked, service="events.amazonaws.com").decision == "Allow"


def with_bus(emulator, bus):
    """The emulator's application, with the addresses that only AWS's services know."""

    def answer_to(path, asked):
        # Who asks here is AWS, and its ways are encrypted.
        iam.pin_request_origin("127.0.0.1", True)
        if path == "/_aws/busy":
            return bus.busy(asked["hurry"])
        if path == "/_aws/failures":
            return [failure for failure in bus.failures if f":{asked['account']}:" in failure]
        if path == "/_aws/schedules":
            return bus.fire(asked["account"], asked["region"], asked["named"])
        return [bus.deliver(envelope, asked["account"], asked["region"]) for envelope in asked["envelopes"]]

    async def app(scope, receive, send_back):
        if scope["type"] != "http":
            return await emulator(scope, receive, send_back)
        if not scope["path"].startswith("/_aws/"):
            # The way to AWS is encrypted, unless a test says that its own is not.
            if not any(name == b"x-forwarded-proto" for name, _ in scope["headers"]):
                scope = scope | {"headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
            return await emulator(scope, receive, send_back)
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        answer = json.dumps(await asyncio.to_thread(answer_to, scope["path"], json.loads(body))).encode()
        headers = [(b"content-type", b"application/json")]
        await send_back({"type": "http.response.start", "status": 200, "headers": headers})
        await send_back({"type": "http.response.body", "body": answer})

    return app


def die_with_the_test():
    """A test that is killed takes this process with it; functions end when nobody answers them any more."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    die_with_the_test()
    bus = Bus()
    complete(lambda: bus.hurried)
    tell_of_objects(bus)
    # A line for each event and each message would bury what the functions say.
    for name in ("events", "sns"):
        logging.getLogger(name).setLevel(logging.WARNING)
    ministack.app = with_bus(ministack.app, bus)
    ministack.main()
