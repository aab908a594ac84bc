"""What DynamoDB bills: the size of an item, and the request units of reads and writes. Used by the counting proxy.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import base64
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

AttributeValue = Mapping[str, Any]
Item = Mapping[str, AttributeValue]

WRITE_UNIT: Final = 1024
READ_UNIT: Final = 4096


def item_size(item: Item) -> int:
    """Bytes of an item: names and values."""
    return sum(_text(name) + value_size(value) for name, value in item.items())


def value_size(value: AttributeValue) -> int:
    """Bytes of an attribute value: numbers take half a byte a digit and one more, nesting three and one per element."""
    ((kind, content),) = value.items()
    match kind:
        case "NULL" | "BOOL":
            return 1
        case "N":
            digits = content.lstrip("-").replace(".", "").strip("0")
            return math.ceil(len(digits) / 2) + (2 if content.startswith("-") else 1)
        case "M":
            return 3 + sum(1 + _text(name) + value_size(inner) for name, inner in content.items())
        case "L":
            return 3 + sum(1 + value_size(inner) for inner in content)
        case "S" | "B":
            return len(base64.b64decode(content)) if kind == "B" else _text(content)
        case _:
            return sum(_text(element) for element in content)


def read_units(sizes: Iterable[int], *, consistent: bool, each: bool = False) -> float:
    """The units of reading items of these sizes: together (a query), or ``each`` for itself (BatchGetItem).

    Reading nothing costs one unit too; an eventually consistent read half.
    """
    found = list(sizes)
    units = sum(_units(size, READ_UNIT) for size in found) if each else _units(sum(found), READ_UNIT)
    return units if consistent else units / 2


def write_units(size: int, *, transaction: bool = False) -> int:
    """The units of writing an item; ``size`` is the larger of before and after."""
    return _units(size, WRITE_UNIT) * (2 if transaction else 1)


def _units(size: int, unit: int) -> int:
    return max(1, math.ceil(size / unit))


def _text(text: str) -> int:
    return len(text.encode())
