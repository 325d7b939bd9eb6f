"""The ear in another region: what it forwards, to where, and what of it the hub hears."""

import copy

import pytest
from stack import ROOT, Stack, source, translate
from test_patterns import envelope, heard_by, listening
from wiring import (
    nothing_has_a_fixed_name,
    only_rules_of_this_stack_are_let_in,
    roles_obey_the_organisation,
    rules_reach_their_targets,
    what_cannot_be_delivered_is_kept,
)

BUS = "arn:aws:events:eu-central-1:111122223333:event-bus/default"
CHECKS = [
    nothing_has_a_fixed_name,
    only_rules_of_this_stack_are_let_in,
    roles_obey_the_organisation,
    rules_reach_their_targets,
    what_cannot_be_delivered_is_kept,
]


def ear(**parameters):
    return Stack(source("infra/forwarder.yaml"), {"HubBusArn": BUS, **parameters}, name="tripmeter-ear", region="us-east-1")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("parameters", [{}, {"RouteAssumedRoles": "yes", "RolePath": "/security/"}], ids=["bare", "full"])
def test_the_forwarder_is_connected(check, parameters):
    assert list(check(ear(**parameters))) == []


@pytest.mark.parametrize(
    "path, said",
    [
        (("SESUse", "Properties", "Targets", 0, "RoleArn"), "SESUse forwards without a role"),
        (("ForwardRole", "Properties", "Policies", 0, "PolicyDocument", "Statement", 0), "may not put events"),
        (("UndeliveredQueuePolicy",), "may not send to its dead-letter queue"),
    ],
)
def test_a_forwarder_that_is_not_connected_is_noticed(path, said):
    template = copy.deepcopy(source("infra/forwarder.yaml"))
    node = template["Resources"]
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]

    stack = Stack(template, {"HubBusArn": BUS}, name="tripmeter-ear", region="us-east-1")

    problems = [problem for check in CHECKS for problem in check(stack)]
    assert any(said in problem for problem in problems), problems


def test_its_role_may_do_nothing_but_forward():
    [policy] = ear().resources["ForwardRole"]["Properties"]["Policies"]

    assert policy["PolicyDocument"]["Statement"] == [
        {"Sid": "Hub", "Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS}
    ]


def test_use_stays_where_it_is_when_nobody_wants_it_forwarded():
    kept = ear(ForwardUse="no")

    assert not any(key.endswith("Use") for key in listening(kept))
    assert "IAMChanges" in listening(kept)


@pytest.mark.parametrize(
    "event_source, name",
    [("account", "EnableRegion"), ("iam", "CreateAccessKey"), ("budgets", "DeleteBudget")],
)
def test_what_is_recorded_in_one_region_alone_reaches_the_hub_as_it_was(event_source, name):
    """The event that the forwarder puts on the hub's bus keeps its source, account and region."""
    event = envelope(
        {
            "eventSource": f"{event_source}.amazonaws.com",
            "eventName": name,
            "eventTime": "2026-03-17T03:14:00Z",
            "awsRegion": "us-east-1",
            "readOnly": False,
        }
    )
    hub = Stack(translate(source()))

    [forwarded] = heard_by(listening(ear()), event)
    [heard] = heard_by(listening(hub), event)

    assert forwarded == heard
    assert hub.outputs["HubBusArn"] == BUS


def test_the_hub_hears_by_its_rules_what_the_forwarder_forwards():
    hub = Stack(translate(source()))

    assert {key: rule["EventPattern"] for key, rule in listening(hub).items()} == {
        key: rule["EventPattern"] for key, rule in listening(ear()).items()
    }


def test_the_trail_records_exactly_the_data_events_of_the_catalogue(catalogue):
    stack = Stack(source("infra/trail.yaml"), {"ManagementEvents": "no"})
    selected = {}
    for selector in stack.resources["Trail"]["Properties"]["AdvancedEventSelectors"]:
        fields = {field["Field"]: field["Equals"] for field in selector["FieldSelectors"]}
        assert fields["eventCategory"] == ["Data"] and "readOnly" not in fields
        [resource_type] = fields["resources.type"]
        selected[resource_type] = set(fields["eventName"])

    by_type = {}
    for row in catalogue:
        if row["data_event"]:
            by_type.setdefault(row["data_event"], set()).add(row["call"])
    assert all(names <= selected[resource_type] for resource_type, names in by_type.items())
    assert set().union(*selected.values()) == set().union(*by_type.values())
    assert sum(len(names) + 2 for names in selected.values()) <= 500, "CloudTrail's limit of values in a trail's selectors"


def test_the_trail_is_kept_whole_and_only_it_may_write():
    stack = Stack(source("infra/trail.yaml"), {"ManagementEvents": "yes"})
    trail, bucket = stack.resources["Trail"]["Properties"], stack.resources["Files"]

    assert trail["IsMultiRegionTrail"] and trail["IsLogging"] and trail["EnableLogFileValidation"]
    assert trail["AdvancedEventSelectors"][0]["FieldSelectors"] == [{"Field": "eventCategory", "Equals": ["Management"]}]
    assert (bucket["DeletionPolicy"], all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())) == ("Retain", True)
    assert list(nothing_has_a_fixed_name(stack)) == []


def test_the_price_is_in_the_description():
    assert "0.10 USD" in (ROOT / "infra/trail.yaml").read_text().split("Metadata:")[0]
