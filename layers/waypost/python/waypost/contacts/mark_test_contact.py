"""Make a contact a test contact, or no longer. Called by mark_test_contact, which a marketer starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost import ids
from waypost.clock import Clock
from waypost.contacts.identity.named_contact import find_named, read_name, read_text
from waypost.contacts.ports import ContactStore
from waypost.errors import InvalidInput
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.message_events import TEST_CONTACT_MARKED
from waypost.events.ports import EventQueue

_FIELDS: Final = frozenset({"contact", "test", "by", "reason", "run"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkTestContact:
    """Says by an event who is a test contact: its profile follows, and the timeline keeps who asked for it and why.

    No bulk run sees a test contact, so that no segment, export or figure has it; journeys and messages treat it as anybody.
    """

    contacts: ContactStore
    queue: EventQueue
    clock: Clock

    def mark(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute ``{contact: who, test?: true | false, by, reason, run}``; the same ``run`` again changes nothing.

        ``who`` is ``{contact_id: …}`` or one identity. Raises InvalidInput naming the field, and ContactNotFound.
        """
        if strangers := sorted(request.keys() - _FIELDS):
            raise InvalidInput(strangers[0], f"unknown field; expected {', '.join(sorted(_FIELDS - {'run'}))}")
        test = request.get("test", True)
        if not isinstance(test, bool):
            raise InvalidInput("test", f"expected true or false, got {test!r}")
        by, reason, run = (_needed(request, field) for field in ("by", "reason", "run"))
        contact = find_named(self.contacts, read_name(request.get("contact"), "contact"), "contact")
        now = self.clock()
        self.queue.send([
            Event(
                id=ids.event_id(OWN_SOURCE, ["test-contact", contact.contact_id, run]),
                type=TEST_CONTACT_MARKED,
                contact={"contact_id": contact.contact_id},
                occurred_at=now,
                received_at=now,
                source=OWN_SOURCE,
                properties={"test": test, "by": by, "reason": reason},
            )
        ])  # fmt: skip
        return {"contact_id": contact.contact_id, "test": test, "was": contact.test}


def _needed(request: Mapping[str, Any], name: str) -> str:
    text = read_text(request, name).strip()
    if not text:
        raise InvalidInput(name, "is missing")
    return text
