"""End the journeys of one contact by hand. Called by stop_journey, which an operator starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.clock import format_instant
from waypost.contacts.identity.named_contact import find_named, read_name, read_text
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.errors import ConcurrentUpdate, InvalidInput
from waypost.journeys.enrolment import Enrolment, Stopped
from waypost.journeys.ports import ATTEMPTS, EnrolmentStore
from waypost.journeys.stop_enrolment import StopEnrolment

ACTIONS: Final = ("preview", "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopJourney:
    """Shows where a contact stands, and ends its journey there."""

    contacts: ContactStore
    enrolments: EnrolmentStore
    stop_enrolment: StopEnrolment

    def act(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute ``{action: preview | stop, contact: who, journey, by, reason}``; a repeated one changes nothing.

        ``who`` is ``{contact_id: …}`` or one identity. ``by`` and ``reason`` stand on the timeline; preview needs neither them
        nor the journey. Raises InvalidInput naming the field, ContactNotFound and ConcurrentUpdate.
        """
        who = read_name(request.get("contact"), "contact")
        journey = read_text(request, "journey")
        match request.get("action"):
            case "preview":
                return self.preview(who, journey)
            case "stop":
                why = Stopped(reason=_needed(request, "reason"), by=_needed(request, "by"))
                return self.stop(who, _needed(request, "journey"), why)
            case unknown:
                raise InvalidInput("action", f"should be one of {', '.join(ACTIONS)}, not {unknown!r}")

    def preview(self, who: Mapping[str, str], journey: str = "") -> dict[str, Any]:
        """The journeys that the contact is in, or the one; nothing is written."""
        contact = find_named(self.contacts, who, "contact")
        found = [each for each in self._enrolments(contact) if each.status != "ended" and journey in {"", each.journey}]
        return {"action": "preview", "contact_id": contact.contact_id, "journeys": [_shown(each) for each in found]}

    def stop(self, who: Mapping[str, str], journey: str, why: Stopped) -> dict[str, Any]:
        """End the contact's journey: no hop goes on, deferred messages are called off, ``journey_ended`` says stopped.

        Raises InvalidInput when the contact is in no such journey and was not stopped in it by the same request before.
        """
        contact = find_named(self.contacts, who, "contact")
        stopped = self.stop_all(contact, journey, why)
        if not stopped:
            raise InvalidInput("journey", self._is_not_in(contact, journey))
        return {"action": "stop", "contact_id": contact.contact_id, "journeys": [_shown(each) for each in stopped]}

    def stop_all(self, contact: Contact, journey: str, why: Stopped) -> list[Enrolment]:
        """End the contact's passages through the journey; with those that the same request has ended before."""
        return [
            self._stopped(enrolment, why)
            for enrolment in self._enrolments(contact)
            if enrolment.journey == journey and (enrolment.status != "ended" or enrolment.stopped == why)
        ]

    def _stopped(self, enrolment: Enrolment, why: Stopped) -> Enrolment:
        """The enrolment, stopped; of one that had been, what a crash may have left undone is done."""
        now = enrolment
        for _ in range(ATTEMPTS):
            if now.status == "ended":
                self.stop_enrolment.call_off(now)
                return now
            self.stop_enrolment.stop(now, why)
            now = self.enrolments.load(enrolment.contact_id, enrolment.enrolment_id) or now
        raise ConcurrentUpdate(f"enrolment {enrolment.enrolment_id} changed {ATTEMPTS} times while it was stopped")

    def _enrolments(self, contact: Contact) -> list[Enrolment]:
        """Those of the contact, and those that began under an id that is part of it now."""
        return [each for contact_id in contact.partitions for each in self.enrolments.of_contact(contact_id)]

    def _is_not_in(self, contact: Contact, journey: str) -> str:
        others = sorted({each.journey for each in self._enrolments(contact) if each.status != "ended"})
        return f"the contact is not in {journey!r}; it is in {', '.join(others) or 'no journey'}"


def _needed(request: Mapping[str, Any], name: str) -> str:
    text = read_text(request, name).strip()
    if not text:
        raise InvalidInput(name, "is missing")
    return text


def _shown(enrolment: Enrolment) -> dict[str, Any]:
    pause, stopped = enrolment.pause, enrolment.stopped
    return {
        "journey": enrolment.journey,
        "enrolment_id": enrolment.enrolment_id,
        "status": enrolment.status,
        "enrolled_at": format_instant(enrolment.enrolled_at),
        "at": pause.state if pause is not None else "",
        **({"outcome": enrolment.outcome} if enrolment.outcome else {}),
        **({"reason": stopped.reason, "by": stopped.by} if stopped else {}),
    }
