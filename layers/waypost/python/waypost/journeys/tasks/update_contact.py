"""Change a contact from within a journey: tags, attributes, groups, points, stage. Called by update_contact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from waypost import ids
from waypost.clock import Clock, format_instant, parse_instant
from waypost.contacts.attributes import AttributeSystem
from waypost.contacts.cleaning import Unusable
from waypost.contacts.fitting import fitted
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact, points_problem, with_attributes, with_groups, with_lifecycle, with_tags
from waypost.contacts.quiet_events import with_stored
from waypost.contacts.tag_system import TagSystem, tag_events, with_expiries
from waypost.errors import ConcurrentUpdate, ContactNotFound, EnrolmentNotFound, InvalidInput
from waypost.events.envelope import OWN_SOURCE, Event, caused_by_step
from waypost.events.history import EventHistory
from waypost.events.listening import Listening
from waypost.events.ports import EventQueue
from waypost.journeys.ports import EnrolmentStore
from waypost.journeys.superseding import refuse_superseded
from waypost.segments.lifecycle import Lifecycle
from waypost.sending.occasion import HopVisit, JourneyStep, step_place

ATTEMPTS: Final = 8
_KINDS: Final = {"tags": "tag", "remove_tags": "tag", "groups": "group", "leave_groups": "group"}
"""What ``contact_updated`` may carry that no Pause waits by, and the kind of fact that it changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateContact:
    """Applies a journey's changes to a contact, and tells the event stream.

    What changes is queued as events **before** the profile is saved: a crash in between repeats both, and the ids of the
    events follow from the step, so that a repeated step emits each event once. ``contact_updated`` carries the change in its
    ``profile``; ``tag_added`` and its like say it piece by piece, so that each of them can start a journey. What nothing
    reads is stored with the profile instead of being queued (``Listening.quiet``).
    """

    contacts: ContactStore
    enrolments: EnrolmentStore
    queue: EventQueue
    history: EventHistory
    listening: Listening
    tags: TagSystem
    attributes: AttributeSystem
    lifecycle: Lifecycle | None
    clock: Clock

    def update(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``add_tags``, ``remove_tags``, ``set``, ``join_groups``, ``leave_groups``, ``earn_points``, ``spend_points``
        and ``lifecycle`` of the payload; the same again changes nothing.

        ``{changed: bool}`` says whether the profile changed at once; points are booked when their event is routed. ``left_out``
        names what a full profile could not take; the routed ``contact_updated`` puts it on the timeline. Raises
        InvalidInput for what is not declared, ContactNotFound, EnrolmentNotFound, HopSuperseded and ConcurrentUpdate.
        """
        step, now = JourneyStep.from_payload(payload), parse_instant(format_instant(self.clock()))
        enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
        if enrolment is None:
            raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
        refuse_superseded(enrolment, payload)
        change = self._checked(payload)
        place = step_place(enrolment.pauses_passed, HopVisit.from_payload(payload))
        cause = caused_by_step(step.enrolment_id, place)
        for attempt in range(ATTEMPTS):
            contact = self.contacts.load(step.contact_id)
            if contact is None:
                raise ContactNotFound(f"contact {step.contact_id} does not exist")
            changed, left_out = fitted(contact, self._changed(contact, change, now))
            events = _events(contact, changed, change, step, cause, now, is_asked=bool(left_out))
            if changed == contact:
                if events and not attempt:  # points alone
                    self.queue.send(events)
                return {"changed": False} | _left_out(left_out)
            quiet = [event for event in events if not left_out and self._is_quiet(event)]
            if announced := [event for event in events if event not in quiet]:
                self.queue.send(announced)
            if self.contacts.save(with_stored(changed, quiet, history=self.history, routed_at=now), claim={}):
                return {"changed": True} | _left_out(left_out)
        raise ConcurrentUpdate(f"contact {step.contact_id} changed {ATTEMPTS} times while it was updated")

    def _is_quiet(self, event: Event) -> bool:
        """Whether routing the event would change nothing.

        A changed attribute may be the date or the zone that a Pause of another journey waits by. What a tag's own event says,
        ``contact_updated`` says too.
        """
        if not self.listening.is_quiet(event):
            return False
        match event.type:
            case "tag_added" | "tag_removed":
                return True
            case "contact_updated":
                facts = {f"{kind}:{name}" for field, kind in _KINDS.items() for name in event.profile.get(field, ())}
                return _KINDS.keys() >= event.profile.keys() and not self.listening.watches(facts)
            case _:
                return False

    def _checked(self, payload: Mapping[str, Any]) -> "_Change":
        change = _Change(
            add_tags=tuple(payload.get("add_tags") or ()),
            remove_tags=tuple(payload.get("remove_tags") or ()),
            attributes=self._clean(payload.get("set") or {}),
            join=tuple(payload.get("join_groups") or ()),
            leave=tuple(payload.get("leave_groups") or ()),
            earned=payload.get("earn_points"),
            spent=payload.get("spend_points"),
            lifecycle=payload.get("lifecycle") or "",
        )
        self.tags.check_given(change.add_tags, where="add_tags")
        self.tags.check_given(change.remove_tags, where="remove_tags")
        for name, points in (("earn_points", change.earned), ("spend_points", change.spent)):
            if points is not None and (reason := points_problem(points)):
                raise InvalidInput(name, reason)
        return change

    def _clean(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes as they are stored; None removes one."""
        clean: dict[str, Any] = {}
        for name, value in given.items():
            declared = self.attributes.attributes.get(name)
            clean[name] = value
            if declared is not None and value is not None:
                clean[name] = declared.clean(value, zone=self.attributes.time_zone)
            if isinstance(clean[name], Unusable):
                raise InvalidInput(f"set.{name}", clean[name].reason)
        return clean

    def _changed(self, contact: Contact, change: "_Change", now: datetime) -> Contact:
        """The contact after the change; itself when everything is so already, whatever the stamps would say."""
        changed = with_tags(contact, add=change.add_tags, remove=change.remove_tags, at=now)
        changed = with_attributes(changed, change.attributes, at=now)
        changed = with_expiries(with_groups(changed, join=change.join, leave=change.leave, at=now), self.tags)
        if change.lifecycle and change.lifecycle != contact.lifecycle:
            (self.lifecycle or Lifecycle(())).check_given(change.lifecycle, current=contact.lifecycle)
            changed = with_lifecycle(changed, change.lifecycle, at=now)
        return contact if replace(changed, attributes_at=contact.attributes_at) == contact else changed


@dataclass(frozen=True, slots=True)
class _Change:
    """What a step asks for, checked."""

    add_tags: tuple[str, ...]
    remove_tags: tuple[str, ...]
    attributes: Mapping[str, Any]
    join: tuple[str, ...]
    leave: tuple[str, ...]
    earned: int | None
    spent: int | None
    lifecycle: str

    def profile(self) -> dict[str, Any]:
        """The ``profile`` of ``contact_updated``."""
        lists = {
            "tags": self.add_tags,
            "remove_tags": self.remove_tags,
            "groups": self.join,
            "leave_groups": self.leave,
        }
        return {**self.attributes, **{name: list(names) for name, names in lists.items() if names}}


def _left_out(names: Sequence[str]) -> dict[str, Any]:
    return {"left_out": list(names)} if names else {}


def _events(
    before: Contact,
    after: Contact,
    change: _Change,
    step: JourneyStep,
    cause: str,
    now: datetime,
    *,
    is_asked: bool,
) -> list[Event]:
    """That the contact was updated if it was, or (``is_asked``) could not be as a whole, then each change on its own, and points."""
    change_id = f"{step.enrolment_id}/{step.state}/{step.occurrence}"
    because = {"by": "journey", "journey": step.journey, "step": step.state}

    def event(kind: str, properties: Mapping[str, Any], profile: Mapping[str, Any] | None = None) -> Event:
        return Event(
            id="e-" + ids.digest(kind, step.contact_id, change_id, *map(str, properties.values())),
            type=kind,
            contact={"contact_id": before.contact_id},
            occurred_at=now,
            received_at=now,
            source=OWN_SOURCE,
            properties={**properties, **because},
            profile=dict(profile or {}),
            correlation_id=step.correlation_id,
            cause=cause,
        )

    events = (
        [event("contact_updated", {}, change.profile())] if (after != before or is_asked) and change.profile() else []
    )
    events += tag_events(
        before.tags,
        after.tags,
        contact_id=before.contact_id,
        by="journey",
        at=now,
        change_id=change_id,
        because={"journey": step.journey, "step": step.state},
        correlation_id=step.correlation_id,
        cause=cause,
    )
    events += [event("group_joined", {"group": name}) for name in sorted(after.groups - before.groups)]
    events += [event("group_left", {"group": name}) for name in sorted(before.groups - after.groups)]
    if after.lifecycle != before.lifecycle:
        events.append(event("lifecycle_changed", {"from": before.lifecycle, "to": after.lifecycle}))
    for kind, points in (("points_earned", change.earned), ("points_spent", change.spent)):
        if points:
            events.append(event(kind, {"points": points}))
    return events
