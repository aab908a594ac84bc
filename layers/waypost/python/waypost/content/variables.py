"""What a template may use of a contact and of what made the message leave. Used by the sender and by previews."""

from collections.abc import Mapping
from typing import Any

from waypost.contacts.names import fit_for_greetings
from waypost.contacts.profile import Contact


def template_variables(
    contact: Contact, *, event: Mapping[str, Any], journey: str, message: str, channel: str, links: Mapping[str, str]
) -> dict[str, Any]:
    """The variables of a message; every name here is known to the check that messages pass when they are published."""
    return {
        "contact": fit_for_greetings(contact.attributes) | {"id": contact.contact_id},
        "event": event,
        "journey": {"name": journey},
        "message": {"name": message, "channel": channel},
        "links": links,
    }
