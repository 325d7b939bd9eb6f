"""Event patterns, as EventBridge matches them: as much of the language as the catalogue's patterns use.

Written from "Creating Amazon EventBridge event patterns"; anything else in a pattern is an error, not a guess.
"""

import re


def matches(pattern, event):
    return all(key in event and _field(wanted, event[key]) for key, wanted in pattern.items())


def _field(wanted, value):
    if isinstance(wanted, dict):
        # Of a list of objects, one that matches is enough.
        return any(isinstance(one, dict) and matches(wanted, one) for one in (value if isinstance(value, list) else [value]))
    values = value if isinstance(value, list) else [value]
    return any(_entry(entry, one) for entry in wanted for one in values)


def _entry(entry, value):
    if isinstance(entry, dict):
        [(operator, wanted)] = entry.items()
        match operator:
            case "prefix":
                return isinstance(value, str) and value.startswith(wanted)
            case "wildcard":
                anything = ".*".join(map(re.escape, wanted.split("*")))
                return isinstance(value, str) and re.fullmatch(anything, value) is not None
        raise NotImplementedError(operator)
    return entry == value


def hears(state, event):
    """Whether a rule in this state is shown the event at all: the table of "AWS service events delivered via
    CloudTrail"."""
    detail = event["detail"]
    read_only_management = detail.get("managementEvent", True) and detail.get("readOnly", False)
    return state == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" or not read_only_management
