"""The keys of a secret that an operator writes by hand, read strictly. Used by receivers, the unsubscribe page and destinations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

SHORTEST_KEY: Final = 16
"""Characters; 96 bits when they are random base64."""

_MOST_KEYS: Final = 20


@dataclass(frozen=True, slots=True)
class Keys:
    """The ``usable`` keys, in the order given, and the places of ``rejected`` entries with the reason, never a value."""

    usable: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()


def read_keys(given: Any, where: str, problem: Callable[[str], str]) -> Keys:
    """A list of texts, or one text for a list of one; ``problem`` says why a text is no key, "" if it is one.

    An entry that is none is left out, so that it cannot take the good ones beside it along; any other form, such as an object
    whose names would be taken for keys, is rejected whole.
    """
    if given is None:
        return Keys()
    if not isinstance(given, str | list):
        return Keys(rejected=(f"{where}: should be a list of texts",))
    entries = [given] if isinstance(given, str) else given
    usable: list[str] = []
    rejected: list[str] = []
    for index, entry in enumerate(entries[:_MOST_KEYS]):
        reason = problem(entry) if isinstance(entry, str) else "should be text"
        if reason:
            rejected.append(f"{where}[{index}]: {reason}")
        else:
            usable.append(entry)
    if len(entries) > _MOST_KEYS:
        rejected.append(f"{where}: should be at most {_MOST_KEYS}; the first are used")
    return Keys(tuple(usable), tuple(rejected))


def key_problem(text: str) -> str:
    """Why a text is no key that a header can carry, "" if it is one."""
    if len(text) < SHORTEST_KEY:
        return f"should have at least {SHORTEST_KEY} characters"
    return (
        "" if text.isascii() and text.isprintable() and " " not in text else "should be printable ASCII without spaces"
    )
