"""Our catalogue, our kinds of usage and our stand-in against OpenAI's own client library."""

import inspect
import typing

import openai
import pytest
from openai.resources.admin.organization import usage as usage_resource
from openai.types.admin.organization import audit_log_list_response as audit
from openai.types.admin.organization import usage_completions_response as completions
from openai.types.admin.organization import usage_costs_response as costs
from openai.types.admin.organization.cost_quantity_unit import CostQuantityUnit

TEN = 1_772_532_000
EVENT = audit.AuditLogListResponse
TYPES = typing.get_args(EVENT.model_fields["type"].annotation)


def usage_methods():
    """The kinds of usage that the library asks for, with what they may be grouped by."""
    hints = {}
    for name, method in inspect.getmembers(usage_resource.Usage, inspect.isfunction):
        parameters = inspect.signature(method).parameters
        if "bucket_width" in parameters and name != "costs":
            hints[name] = str(parameters["group_by"].annotation)
    return hints


def event(n, kind):
    """An event with the members that its type has in the library's model, all of them empty but the id."""
    payload = {"id": f"thing_{n}"}
    made = {
        "id": f"audit_log-{n:03}",
        "type": kind,
        "effective_at": TEN + n,
        "actor": {"type": "session", "session": {"ip_address": "203.0.113.9", "user": {"id": "user-1", "email": "a@example.com"}}},
        "project": {"id": "proj_1", "name": "chat"},
        kind: payload,
    }
    return EVENT.model_validate(made).model_dump(by_alias=True, exclude_none=True)


def row(key, tokens):
    made = completions.DataResultOrganizationUsageCompletionsResult(
        object="organization.usage.completions.result",
        input_tokens=tokens,
        output_tokens=1,
        num_model_requests=1,
        api_key_id=key,
        project_id="proj_1",
        model="gpt-5",
    )
    return made.model_dump(exclude_none=True)


def test_every_type_of_event_has_a_row(ours):
    assert set(TYPES) - set(ours["events"]) == set()


def test_every_kind_of_usage_is_read(ours):
    assert {kind["name"] for kind in ours["usage"]} == set(usage_methods())


def test_usage_is_grouped_by_what_the_library_lets_it_be(ours):
    methods = usage_methods()
    wrong = [(kind["name"], group) for kind in ours["usage"] for group in kind["groups"] if group not in methods[kind["name"]]]
    assert wrong == []


def test_costs_have_the_members_that_prices_are_learned_of():
    members = costs.DataResultOrganizationCostsResult.model_fields
    amount = costs.DataResultOrganizationCostsResultAmount.model_fields
    units = typing.get_args(typing.get_args(CostQuantityUnit)[1])
    groups = str(inspect.signature(usage_resource.Usage.costs).parameters["group_by"].annotation)

    assert {"amount", "line_item", "quantity", "quantity_unit"} <= members.keys()
    assert {"value", "currency"} <= amount.keys()
    assert {"tokens", "1000_tokens", "images", "characters", "duration_seconds", "duration_minutes", "duration_hours"} <= set(units)
    assert "line_item" in groups


def test_the_library_pages_through_the_audit_log_of_the_stand_in(stand_in):
    events = [event(n, kind) for n, kind in enumerate(TYPES)]
    client = stand_in({"events": events}, page=20)

    seen = list(client.admin.organization.audit_logs.list(limit=100, effective_at={"gte": TEN}))

    assert [one.id for one in seen] == [one["id"] for one in reversed(events)]
    assert {one.type for one in seen} == set(TYPES)


def test_the_library_pages_through_usage_of_the_stand_in(stand_in):
    buckets = {str(TEN + 60 * minute): [row(f"key_{minute}", 100 * minute)] for minute in range(25)}
    client = stand_in({"usage": {"completions": buckets}}, page=7)

    seen, page = [], None
    while True:
        asked = {"page": page} if page else {}
        answer = client.admin.organization.usage.completions(
            start_time=TEN, bucket_width="1m", group_by=["api_key_id", "model"], limit=60, **asked
        )
        seen += [(bucket.start_time, result.api_key_id, result.input_tokens) for bucket in answer.data for result in bucket.results]
        page = answer.next_page
        if not answer.has_more:
            break

    assert seen == [(TEN + 60 * minute, f"key_{minute}", 100 * minute) for minute in range(25)]


def test_the_library_reads_the_limits_of_the_stand_in(stand_in):
    limit = {
        "object": "organization.spend_limit",
        "currency": "USD",
        "interval": "month",
        "threshold_amount": 10_000,
        "enforcement": {"status": "inactive"},
    }
    client = stand_in({"others": {"/organization/spend_limit": limit}}, page=20)

    assert client.admin.organization.spend_limit.retrieve().threshold_amount == 10_000


def test_the_stand_in_refuses_another_key_as_openai_does(stand_in):
    client = stand_in({}, page=20).copy(admin_api_key="sk-admin-other")
    with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
        list(client.admin.organization.audit_logs.list())
