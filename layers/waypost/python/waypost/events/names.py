"""Turns the names senders use into ours: ``Order Placed`` and ``orderPlaced`` become ``order_placed``. Called by the receivers."""

import re
import unicodedata
from typing import Final

MAX_LENGTH: Final = 100

_END_OF_ACRONYM: Final = re.compile(r"(?<=[A-Z])(?=[A-Z][a-z])")  # looks at single letters: time stays linear
_START_OF_WORD: Final = re.compile(r"([a-z0-9])([A-Z])")
_SEPARATORS: Final = re.compile(r"[\W_]+")
_BUILT_IN: Final = {"e_mail": "email", "time_zone": "timezone"}


def snake_case(name: str) -> str:
    """``name`` in snake_case; letters of any script stay, everything else separates words. May be empty."""
    text = unicodedata.normalize("NFKC", name)
    text = _END_OF_ACRONYM.sub("_", text)
    text = _START_OF_WORD.sub(r"\1_\2", text)
    return _SEPARATORS.sub("_", text).strip("_").lower()


def event_type(name: str) -> str:
    """The event type of a name, in any script: ``提交订单`` stays, ``Ｏrder Placed`` is ``order_placed``.

    NFKC and lower case give a name one spelling wherever types are compared. Raises ValueError with the reason.
    """
    return _named(name)


def attribute_name(name: str) -> str:
    """The attribute name of a trait; letters of any script are allowed. Raises ValueError with the reason.

    ``E-Mail``, ``timeZone`` and ``time-zone`` are the attributes that are built in as ``email`` and ``timezone``.
    """
    named = _named(name)
    return _BUILT_IN.get(named, named)


def _named(name: str) -> str:
    converted = snake_case(name)
    if not converted:
        raise ValueError("should be a name with at least one letter or digit")
    if len(converted) > MAX_LENGTH:
        raise ValueError(f"should be a name of at most {MAX_LENGTH} characters")
    return converted
