"""Binary values in DynamoDB's answers, which JSON carries as Base64 and adapters get as bytes."""

from base64 import b64decode
from typing import Any, Final

_MARKS: Final = (b'"B"', b'"BS"')


def may_hold_binary(body: bytes) -> bool:
    """Whether a look at the values is worth while; most answers hold none."""
    return any(mark in body for mark in _MARKS)


def decode(answer: dict[str, Any]) -> None:
    """Put bytes for Base64 in every item of an answer of DynamoDB.

    Items and keys that it left unprocessed stay as they came, and go back as they are.
    """
    for name in ("Item", "Attributes"):
        if item := answer.get(name):
            _decode_item(item)
    for item in answer.get("Items", ()):
        _decode_item(item)
    for items in answer.get("Responses", {}).values():
        for item in items:
            _decode_item(item)


def _decode_item(item: dict[str, Any]) -> None:
    for value in item.values():
        _decode_value(value)


def _decode_value(value: dict[str, Any]) -> None:
    """An attribute value has one member, its kind."""
    for kind, content in value.items():
        match kind:
            case "B":
                value[kind] = b64decode(content)
            case "BS":
                value[kind] = [b64decode(each) for each in content]
            case "M":
                _decode_item(content)
            case "L":
                for each in content:
                    _decode_value(each)
            case _:
                pass
