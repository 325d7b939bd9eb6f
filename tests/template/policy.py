"""Whether a policy lets somebody do something: as much of IAM as the templates use.

Anything else in a policy is an error, not a guess.
"""

from fnmatch import fnmatchcase


def allows(document, action, resource, principal=None, **context):
    """Whether the document allows it. `principal` is a service or an ARN for a policy of a resource, and nothing for
    one of an identity; `context` holds condition keys, with _ for the colon."""
    effects = [
        statement["Effect"]
        for statement in document["Statement"]
        if _holds(statement["Action"], action)
        and _holds(statement["Resource"], resource)
        and (principal is None or _is(statement["Principal"], principal))
        and all(_met(*condition, context) for condition in _conditions(statement))
    ]
    return "Allow" in effects and "Deny" not in effects


def _list(value):
    return value if isinstance(value, list) else [value]


def _holds(patterns, value):
    return any(fnmatchcase(value, pattern) for pattern in _list(patterns))


def _is(principals, principal):
    if principals == "*":
        return True
    root = f"arn:{principal.split(':')[1]}:iam::{principal.split(':')[4]}:root" if principal.startswith("arn:") else None
    return any(name in (principal, root) for names in principals.values() for name in _list(names))


def _conditions(statement):
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield operator, key, _list(values)


def _met(operator, key, values, context):
    asked = context.get(key.replace(":", "_"))
    match operator:
        case "StringEquals":
            return asked in values
        case "ArnLike" | "StringLike":
            return asked is not None and _holds(values, asked)
        case "ArnEquals":
            return asked in values
        case "ArnNotEquals":
            return asked not in values
        case "Bool":
            return str(asked if asked is not None else "true").lower() in values
    raise NotImplementedError(operator)
