"""Tag a contact or set its attributes from within a journey. Called by update_contact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.clock import Clock
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import with_attributes, with_tags
from waypost.errors import ConcurrentUpdate, ContactNotFound
from waypost.journeys.step import Step

ATTEMPTS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUpdater:
    """Applies a journey's changes to a contact."""

    contacts: ContactStore
    clock: Clock

    def update(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``add_tags``, ``remove_tags`` and ``set`` of the payload; the same again changes nothing."""
        step = Step.from_payload(payload)
        for _ in range(ATTEMPTS):
            contact = self.contacts.load(step.contact_id)
            if contact is None:
                raise ContactNotFound(f"contact {step.contact_id} does not exist")
            now = self.clock()
            changed = with_tags(contact, add=payload.get("add_tags", ()), remove=payload.get("remove_tags", ()), at=now)
            changed = with_attributes(changed, payload.get("set", {}), at=now)
            if changed.tags == contact.tags and changed.attributes == contact.attributes:
                return {"changed": False}
            if self.contacts.save(changed, claim={}):
                return {"changed": True}
        raise ConcurrentUpdate(f"contact {step.contact_id} changed {ATTEMPTS} times while it was updated")
