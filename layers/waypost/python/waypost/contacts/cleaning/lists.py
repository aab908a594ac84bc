"""Several values in one cell: split by a separator, or a JSON list when a value holds one. Used by attributes, imports and exports."""

import csv
import json
from collections.abc import Sequence
from typing import Any, Final

_SEPARATORS: Final = ",，;；、|\n"
_AS_COMMAS: Final = str.maketrans(dict.fromkeys(_SEPARATORS, ","))


def split_values(text: str, separator: str = "") -> list[Any]:
    """The values in a text, which are texts unless it is a JSON list of others; several in quotation marks (``"vip","new"``) are parted by commas, and without a ``separator`` any of ``, ; | 、`` and line breaks part them."""
    if text.startswith("[") and text.endswith("]"):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, list) and not any(isinstance(each, (list, dict)) or each is None for each in found):
            return found
    if not separator and text.startswith('"') and text.endswith('"'):
        quoted = next(csv.reader([text], skipinitialspace=True), [])
        if '"' not in "".join(quoted):
            return quoted
    return text.split(separator) if separator else text.translate(_AS_COMMAS).split(",")


def join_values(values: Sequence[str]) -> str:
    """The inverse of ``split_values``: joined by semicolons where that can be split again."""
    if any(separator in value for value in values for separator in _SEPARATORS):
        return json.dumps(values, ensure_ascii=False)
    return ";".join(values)
