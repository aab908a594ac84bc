"""Collects the events of one request and everything that is wrong with it. Used by the Segment and webhook formats."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from waypost import ids
from waypost.contacts.cleaning import HOME_REGION, Unusable
from waypost.contacts.identity.acceptance import clean_identity, group_objection, identity_objection
from waypost.contacts.profile import ALIASED, GROUP_EVENTS, GROUP_JOINED, POINTS_EVENTS, group_name, points_problem
from waypost.events.envelope import Event
from waypost.intake.event_times import occurred_at
from waypost.intake.field_types import Model, join, usable_part
from waypost.intake.http_request import MAX_EVENT
from waypost.intake.request_outcome import Problem, RejectedItem
from waypost.intake.strict_json import size
from waypost.intake.traits import LONGEST_GROUP, Traits

NO_NAMES: Final[Mapping[str, str]] = {}

_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9._:@=+-]{1,100}")


@dataclass(frozen=True, slots=True)
class Stated:
    """When the sender says it happened and sent it, both on the sender's clock; ``name`` is the field it was read from."""

    at: datetime | None
    sent_at: datetime | None = None
    name: str = "occurred_at"


@dataclass(slots=True)
class Reading:
    """The events read so far.

    ``problems`` name what of the request was left out, ``rejected`` are the items of which there is no event at all.
    ``is_readable`` is False when the form around the items is wrong, so that there are none.
    """

    source: str
    received_at: datetime
    correlation_id: str
    events: list[Event] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    rejected: list[RejectedItem] = field(default_factory=list)
    is_readable: bool = True
    _known_before: int = 0
    """How many problems there were before the item that is read now."""

    def unreadable(self, problems: list[Problem]) -> None:
        """Note what is wrong with the form of the whole request."""
        self.problems += problems
        self.is_readable = False

    def reject(self, where: str, given: Any, problems: list[Problem]) -> None:
        """Note an item of which no event can be made."""
        known = {problem.field for problem in self.problems}
        self.problems += [problem for problem in problems if problem.field not in known]
        self.rejected.append(
            RejectedItem(
                source=self.source,
                where=where or "body",
                given=given,
                problems=problems,
                received_at=self.received_at,
                correlation_id=self.correlation_id,
            )
        )

    def checked(self, model: type[Model], given: dict[str, Any], where: str) -> Model | None:
        """The usable part of ``given`` as a model; None after noting why there is none."""
        if size(given) > MAX_EVENT:
            too_large = Problem(where or "body", f"should be at most {MAX_EVENT} bytes", 413)
            if where:
                self.reject(where, given, [too_large])
            else:
                self.unreadable([too_large])
            return None
        self._known_before = len(self.problems)
        usable, problems = usable_part(model, given, where)
        if usable is None:
            self.reject(where, given, problems)
        else:
            self.problems += problems
        return usable

    def add(
        self,
        where: str,
        given: dict[str, Any],
        *,
        type: str,  # noqa: A002 - the envelope's own word
        identities: Mapping[str, str | None],
        traits: Traits,
        properties: dict[str, Any],
        occurred: Stated,
        event_id: str,
        required: str,
        named: Mapping[str, str] = NO_NAMES,
        source: str = "",
    ) -> None:
        """Note one event, or why there is none. ``source`` is the event's, if not that of the reading.

        ``required`` is the field to name when no contact is identified, ``named`` are the fields that properties come from
        which the sender did not give as properties.
        """
        self.problems += traits.problems
        self.warnings += traits.warnings
        contact = {kind: value for kind, value in (traits.identities | dict(identities)).items() if value}
        lacking: list[Problem] = []
        if not contact:
            missing = Problem(join(where, required), "is required, or another identity of the contact")
            lacking += self.problems[self._known_before :] or [missing]
        if reason := _property_problem(type, properties):
            name, expected = reason
            lacking.append(Problem(join(where, named.get(name, f"properties.{name}")), expected))
        if lacking:
            self.reject(where, given, lacking)
            return
        try:
            at = occurred_at(occurred.at, occurred.sent_at, self.received_at)
        except ValueError as error:
            self.problems.append(Problem(join(where, occurred.name), f"{error}; the time of receiving stands in"))
            at = self.received_at
        self.events.append(
            Event(
                id=event_id,
                type=type,
                contact=contact,
                occurred_at=at,
                received_at=self.received_at,
                source=source or self.source,
                properties=properties,
                profile=traits.profile,
                correlation_id=self.correlation_id,
            )
        )

    def identity(self, kind: str, text: str | None, where: str, *, region: str = HOME_REGION) -> str:
        """An identity that stands at ``where``, cleaned; "" after noting why it identifies nobody."""
        match clean_identity(kind, text, region=region) if text else None:
            case Unusable(reason):
                self.problems.append(Problem(where, reason))
                return ""
            case found:
                return found or ""


def _property_problem(event_type: str, properties: Mapping[str, Any]) -> tuple[str, str] | None:
    """What an event that changes a profile by its properties lacks: the property and the reason."""
    if event_type in POINTS_EVENTS and (reason := points_problem(properties.get("points"))):
        return "points", reason
    if event_type in GROUP_EVENTS:
        name = group_name(properties)
        if not 0 < len(name) <= LONGEST_GROUP:
            return "group", f"should be the name of a group, 1 to {LONGEST_GROUP} characters"
        if event_type == GROUP_JOINED and (reason := group_objection(name)):
            return "group", reason
    if event_type == ALIASED:
        previous = properties.get("previous_id")
        if not isinstance(previous, str) or not previous:
            return "previous_id", "should be a user id or an anonymous id"
        if objection := identity_objection("user_id", previous):
            return "previous_id", objection.reason
    return None


def usable_id(text: str | None) -> str:
    """A sender's id of an event; "" without one, or when others may have the same: a placeholder, or one that lost characters."""
    return "" if text is None or identity_objection("message_id", text) else text


def sender_id(source: str, given: str) -> str:
    """The id of an event whose sender gave one, in the sender's own space; an unusual one is hashed."""
    return f"{source}:{given if _PLAIN_ID.fullmatch(given) else ids.digest('event', source, given, length=32)}"
