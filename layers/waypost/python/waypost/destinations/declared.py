"""The destinations this deployment declares, as deliver_event reads them. Published by ``waypost.authoring.destinations``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, Literal

from waypost.codec import JsonForm
from waypost.events.envelope import Event
from waypost.events.retention import pattern_of
from waypost.published_sections import published_section


@dataclass(frozen=True, slots=True)
class Destination(JsonForm):
    """A system that receives events.

    ``events`` are types, ``*`` standing for any letters; ``where`` is a rule over the event's properties. ``fields``
    maps names in the payload to paths in the event (or ``attributes.…`` of the contact), or to ``{"constant": value}``;
    empty sends the whole event. ``called``: journeys may call it and use its answer. Of the kind ``api_key`` AWS itself delivers, and nothing here is asked.
    """

    name: str
    kind: Literal["standard_webhooks", "api_key"]
    url: str
    events: tuple[str, ...]
    where: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    timeout: timedelta = timedelta(seconds=20)
    called: bool = False

    @property
    def asks_for_attributes(self) -> bool:
        """Whether the payload has something of the contact's profile."""
        return any(isinstance(path, str) and path.startswith("attributes.") for path in self.fields.values())

    def wants(self) -> Callable[[Event], bool]:
        """A function that says of an event whether it goes there; what the rule of AWS let through is asked again."""
        from waypost.segments.compile import compile_rule  # noqa: PLC0415 - only deliver_event compiles rules
        from waypost.segments.subject import Subject  # noqa: PLC0415

        patterns = [pattern_of(text) for text in self.events]
        holds = compile_rule(self.where)

        def wanted(event: Event) -> bool:
            if not any(pattern.fullmatch(event.type) for pattern in patterns):
                return False
            return holds(Subject({}, frozenset(), event.occurred_at, properties=event.properties))

        return wanted


@cache
def load_destinations() -> dict[str, Destination]:
    """What this deployment declares, by name, from the journeys layer."""
    return {
        name: Destination.from_dict({**each, "name": name}) for name, each in published_section("destinations").items()
    }
