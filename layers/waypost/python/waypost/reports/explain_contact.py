"""Explains why messages were (not) sent to a contact, as JSON and as a page. Called by explain_contact, which a marketer starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost.clock import Clock, format_instant
from waypost.contacts.identity.named_contact import find_named, read_name, read_text
from waypost.contacts.ports import ContactStore
from waypost.errors import ContactNotFound, InvalidInput
from waypost.files.folders import PAGES
from waypost.files.ports import Files
from waypost.pages.texts import DEFAULT, LANGUAGES
from waypost.reports.explanation_page import explanation_page
from waypost.reports.message_explanation import explain
from waypost.reports.show_contact import LINK_LIFE, PAGE_TYPE
from waypost.reports.timeline import ContactItems

MOST_LISTED: Final = 50
"""Messages in the answer, the latest ones: an execution's output is limited to 256 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainContact:
    """Explains the decisions on a contact's messages."""

    contacts: ContactStore
    items: ContactItems
    files: Files
    default_zone: ZoneInfo
    clock: Clock

    def explain(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``{contact, journey?, message?, message_key?, language?}`` → the explanation, with a link to its page.

        ``contact`` is ``{contact_id: …}`` or one identity such as ``{user_id: …}``. Raises InvalidInput naming the field, and
        ContactNotFound.
        """
        language = request.get("language", DEFAULT)
        if language not in LANGUAGES:
            raise InvalidInput("language", f"should be one of {', '.join(LANGUAGES)}")
        wanted = {name: read_text(request, name) for name in ("journey", "message", "message_key")}
        contact = find_named(self.contacts, read_name(request.get("contact"), "contact"), "contact")
        found = explain(contact.contact_id, self.items, default_zone=self.default_zone, **wanted)
        if found is None:  # it was erased in between
            raise ContactNotFound("contact: no contact is known by this contact_id")
        now, key = self.clock(), f"{PAGES}contacts/{found.contact_id}-why.html"
        with self.files.writer(key, content_type=PAGE_TYPE) as file:
            file.write(explanation_page(found, now=now, language=language).encode())
        explained = found.to_dict()
        return {
            **explained,
            "messages": explained["messages"][-MOST_LISTED:],
            "page": key,
            "link": self.files.link(key, life=LINK_LIFE),
            "link_ends_at": format_instant(now + LINK_LIFE),
        }
