"""The size of a stored item as DynamoDB counts it. Used wherever something that grows must not outgrow its item."""

from collections.abc import Mapping
from typing import Any, Final

LARGEST_ITEM: Final = 400 * 1024
"""Bytes of an item, the names of its attributes included. Source: DynamoDB Developer Guide, "Quotas", Item size."""


def stored_size(value: Any) -> int:
    """The bytes of a JSON value, or of bytes, in an item; of a number the most it can be.

    Text counts its UTF-8 bytes, a number a byte for two digits and two more, a list or an object three bytes, one more for each
    element, and its names. Source: DynamoDB Developer Guide, "DynamoDB item sizes and formats".
    """
    match value:
        case str():
            return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
        case None | bool():
            return 1
        case Mapping():
            return 3 + sum(1 + stored_size(name) + stored_size(each) for name, each in value.items())
        case list() | tuple():
            return 3 + sum(1 + stored_size(each) for each in value)
        case int() | float():
            return (len(repr(value)) + 1) // 2 + 2
        case bytes():
            return len(value)
        case _:
            raise TypeError(f"cannot store a {type(value).__name__}")
