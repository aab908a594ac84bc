"""Collects the events of one request and everything that is wrong with it. Used by the Segment and webhook formats."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from waypost import ids
from waypost.contacts.profile import GROUP_EVENTS, POINTS_EVENTS, group_name, points_problem
from waypost.events.envelope import Event
from waypost.intake.event_times import occurred_at
from waypost.intake.field_types import Model, check, join
from waypost.intake.http_request import MAX_EVENT
from waypost.intake.request_outcome import Problem
from waypost.intake.strict_json import size
from waypost.intake.traits import LONGEST_GROUP, Traits

_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9._:@=+-]{1,100}")


@dataclass(frozen=True, slots=True)
class Stated:
    """When the sender says it happened and sent it, both on the sender's clock; ``name`` is the field it was read from."""

    at: datetime | None
    sent_at: datetime | None = None
    name: str = "occurred_at"


@dataclass(slots=True)
class Reading:
    """The events read so far. Any problem refuses them all."""

    source: str
    received_at: datetime
    correlation_id: str
    events: list[Event] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def checked(self, model: type[Model], given: dict[str, Any], where: str) -> Model | None:
        """``given`` as a model; None after noting why it is none."""
        if size(given) > MAX_EVENT:
            self.problems.append(Problem(where or "body", f"should be at most {MAX_EVENT} bytes", 413))
            return None
        match check(model, given, where):
            case list() as problems:
                self.problems += problems
                return None
            case checked:
                return checked

    def add(
        self,
        where: str,
        *,
        type: str,  # noqa: A002 - the envelope's own word
        identities: Mapping[str, str | None],
        traits: Traits,
        properties: dict[str, Any],
        occurred: Stated,
        event_id: str,
        required: str,
    ) -> None:
        """Note one event, or what is wrong with it; ``required`` is the field to name when no contact is identified."""
        self.problems += traits.problems
        self.warnings += traits.warnings
        contact = {kind: value for kind, value in (traits.identities | dict(identities)).items() if value}
        if not contact and not traits.problems:
            self.problems.append(Problem(join(where, required), "is required, or another identity of the contact"))
        if reason := _property_problem(type, properties):
            field, expected = reason
            self.problems.append(Problem(join(where, f"properties.{field}"), expected))
        try:
            at = occurred_at(occurred.at, occurred.sent_at, self.received_at)
        except ValueError as error:
            self.problems.append(Problem(join(where, occurred.name), str(error)))
            return
        self.events.append(
            Event(
                id=event_id,
                type=type,
                contact=contact,
                occurred_at=at,
                received_at=self.received_at,
                source=self.source,
                properties=properties,
                profile=traits.profile,
                correlation_id=self.correlation_id,
            )
        )


def _property_problem(event_type: str, properties: Mapping[str, Any]) -> tuple[str, str] | None:
    """What an event that changes a profile by its properties lacks: the property and the reason."""
    if event_type in POINTS_EVENTS and (reason := points_problem(properties.get("points"))):
        return "points", reason
    if event_type in GROUP_EVENTS and not 0 < len(group_name(properties)) <= LONGEST_GROUP:
        return "group", f"should be the name of a group, 1 to {LONGEST_GROUP} characters"
    return None


def sender_id(source: str, given: str) -> str:
    """The id of an event whose sender gave one, in the sender's own space; an unusual one is hashed."""
    return f"{source}:{given if _PLAIN_ID.fullmatch(given) else ids.digest('event', source, given, length=32)}"
