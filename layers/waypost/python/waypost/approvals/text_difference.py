"""What a version changes in the words that go out now, line by line. Used by the page on which it is approved."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Change = Literal["removed", "added"]
MOST_LINES: Final = 200
_MEANT: Final[Mapping[str, Change]] = {"-": "removed", "+": "added"}


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One line of a field that is no more, or that is new."""

    field: str
    change: Change
    text: str


def changed_lines(before: Mapping[str, str], after: Mapping[str, str]) -> Sequence[ChangedLine]:
    """The lines in which two contents differ, field by field, what is removed first; at most ``MOST_LINES``."""
    return [
        ChangedLine(field, _MEANT[line[0]], line[2:])
        for field in dict.fromkeys((*after, *before))
        for line in difflib.ndiff(before.get(field, "").splitlines(), after.get(field, "").splitlines())
        if line[0] in _MEANT and line[2:].strip()
    ][:MOST_LINES]
