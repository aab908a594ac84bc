"""UpdateItem requests written once: SET, REMOVE and a condition from plain values. Used by the stores."""

from collections.abc import Mapping, Sequence
from typing import Any

from waypost.aws import table


def update(
    *,
    table_name: str,
    pk: str,
    sk: str,
    set_: Mapping[str, Any],
    set_once: Mapping[str, Any] | None = None,
    append: Mapping[str, Sequence[Any]] | None = None,
    remove: Sequence[str] = (),
    condition: str = "",
    values: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The keyword arguments of an UpdateItem call (also the body of a transaction's ``Update``).

    ``set_once`` sets only what the item lacks, ``append`` adds to lists, ``condition`` names attributes as ``#name``
    and values as ``:name`` (given in ``values``).
    """
    once, lists, extra = dict(set_once or {}), dict(append or {}), dict(values or {})
    assignments = [f"#{name} = :set_{name}" for name in set_]
    assignments += [f"#{name} = if_not_exists(#{name}, :once_{name})" for name in once]
    assignments += [f"#{name} = list_append(if_not_exists(#{name}, :nothing), :more_{name})" for name in lists]
    expression = "SET " + ", ".join(assignments)
    if remove:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in remove)
    bound = {f":set_{name}": value for name, value in set_.items()}
    bound |= {f":once_{name}": value for name, value in once.items()}
    bound |= {f":more_{name}": list(value) for name, value in lists.items()}
    bound |= {f":{name}": value for name, value in extra.items()}
    bound |= {":nothing": []} if lists else {}
    named = {*set_, *once, *lists, *remove}
    named |= {
        word.strip("#(),") for word in condition.replace("(", " ").replace(")", " ").split() if word.startswith("#")
    }
    request: dict[str, Any] = {
        "TableName": table_name,
        "Key": table.key(pk, sk),
        "UpdateExpression": expression,
        "ExpressionAttributeNames": {f"#{name}": name for name in sorted(named)},
        "ExpressionAttributeValues": table.dump_item(bound),
    }
    return request | ({"ConditionExpression": condition} if condition else {})
