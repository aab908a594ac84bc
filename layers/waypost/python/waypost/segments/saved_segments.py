"""The saved segments of this deployment, as published. Used by the upkeep, by evaluate_segment and by bulk runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, Self

from waypost.errors import InvalidInput
from waypost.published_sections import published_section

SECTION: Final = "segments"

Refresh = Literal["off", "hourly", "daily"]
"""How often a segment is looked at when nothing happened: rules over time change their answer by themselves."""


@dataclass(frozen=True, slots=True)
class SavedSegment:
    """A segment with a name. ``rule`` is in published form, with the segments it names already written out.

    ``hold_out`` is the author's note on who is kept out of it for comparison; "" for none.
    """

    name: str
    description: str
    owner: str
    rule: Mapping[str, Any]
    refresh: Refresh
    hold_out: str = ""

    @classmethod
    def from_dict(cls, name: str, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(
            name=name,
            description=value["description"],
            owner=value["owner"],
            rule=value["rule"],
            refresh=value["refresh"],
            hold_out=value.get("hold_out", ""),
        )


@cache
def load_saved_segments() -> Mapping[str, SavedSegment]:
    """The saved segments by name, from the journeys layer; empty when none are declared."""
    return {name: SavedSegment.from_dict(name, value) for name, value in published_section(SECTION).items()}


def saved_segment(name: str, segments: Mapping[str, SavedSegment], *, where: str = "segment") -> SavedSegment:
    """The segment of this name. Raises InvalidInput with the nearest name there is; ``where`` is the field."""
    if name in segments:
        return segments[name]
    import difflib  # noqa: PLC0415 - only a refusal needs it, and a cold start should not pay for it

    near = difflib.get_close_matches(name, segments, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(sorted(segments)) or 'none'}"
    raise InvalidInput(where, f"unknown segment {name!r}; {hint}")
