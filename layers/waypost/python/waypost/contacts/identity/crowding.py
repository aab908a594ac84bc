"""Contacts that collect many values of a kind of identity: often several people whom a shared value made one. Used by the router."""

from collections.abc import Mapping, Sequence
from typing import Final

MOST_USUAL: Final[Mapping[str, int]] = {"anonymous_id": 200}
"""Values of a kind that one person may well have; browsers forget their visitors, so there are many of those."""

MOST_USUAL_OF_OTHERS: Final = 10


def crowded_kind(identities: Mapping[str, Sequence[str]], named: Mapping[str, str]) -> str:
    """The kind of which an event that named ``named`` brought one value too many, "" if none.

    ``identities`` are those of the contact after the event; a new value stands last.
    """
    for kind, value in named.items():
        values = identities.get(kind, ())
        if len(values) > MOST_USUAL.get(kind, MOST_USUAL_OF_OTHERS) and values[-1] == value:
            return kind
    return ""
