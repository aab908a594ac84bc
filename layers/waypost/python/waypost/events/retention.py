"""How long events, journeys that have ended and messages are kept, in the table and in the archive. Used by what stores them.

``statemachines/contacts/retention.yaml`` declares it; without the file everything is kept as ``BUILT_IN`` says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, Final, Self

from waypost.published_sections import published_section


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """Events with one retention: ``keep`` is how long the table has them, ``archive`` how long the archive does.

    Both count from the day the event occurred; ``name`` is also the tag of the archive's objects.
    """

    name: str
    keep: timedelta
    archive: timedelta


BUILT_IN: Final = RetentionClass("standard", keep=timedelta(days=760), archive=timedelta(days=760))
"""A little over two years: a year-on-year comparison needs both years."""


PASSAGES: Final = RetentionClass("passages", keep=timedelta(days=760), archive=timedelta(days=760))
"""Journeys that have ended and messages, where nothing is declared."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The classes, and which event types belong to each; ``default`` takes the rest.

    ``passages`` is of journeys that have ended and of messages. ``types`` maps exact event types, ``patterns`` has those with a ``*`` in the order in which they are tried.
    """

    default: RetentionClass = BUILT_IN
    types: Mapping[str, RetentionClass] = field(default_factory=dict)
    patterns: Sequence[tuple[re.Pattern[str], RetentionClass]] = ()
    passages: RetentionClass = PASSAGES

    def of(self, event_type: str) -> RetentionClass:
        """The class of an event type: its own name first, then the pattern that says most, then the default."""
        if exact := self.types.get(event_type):
            return exact
        return next((each for pattern, each in self.patterns if pattern.fullmatch(event_type)), self.default)

    @property
    def classes(self) -> list[RetentionClass]:
        """Every class of events, once each, by name."""
        found = {each.name: each for each in (self.default, *self.types.values(), *(each for _, each in self.patterns))}
        return [found[name] for name in sorted(found)]

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; an empty one keeps everything as ``BUILT_IN`` says."""
        if not value:
            return cls()
        classes = {name: _class(name, each) for name, each in value["classes"].items()}
        return cls(
            default=classes[value["default"]],
            types={name: classes[owner] for name, owner in value["types"].items()},
            patterns=[(pattern_of(text), classes[owner]) for text, owner in value["patterns"]],
            passages=_class(PASSAGES.name, value["passages"]) if "passages" in value else PASSAGES,
        )


def _class(name: str, days: Mapping[str, int]) -> RetentionClass:
    return RetentionClass(name, keep=timedelta(days=days["keep_days"]), archive=timedelta(days=days["archive_days"]))


EVERYTHING_ALIKE: Final = Retention()
"""Where nothing is declared."""


def pattern_of(text: str) -> re.Pattern[str]:
    """An event type in which ``*`` stands for any letters."""
    return re.compile(re.escape(text).replace(r"\*", r"\w*"))


@cache
def load_retention() -> Retention:
    """What this deployment declares, from the journeys layer."""
    return Retention.from_dict(published_section("retention"))
