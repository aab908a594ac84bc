"""Writes the page of a contact's journeys and gives a link to it. Called by show_contact."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost.clock import Clock, format_instant
from waypost.contacts.identity.named_contact import find_named, read_name
from waypost.contacts.ports import ContactStore
from waypost.errors import ContactNotFound, InvalidInput
from waypost.files.folders import PAGES
from waypost.files.ports import Files
from waypost.journeys.enrolment import Enrolment
from waypost.pages.texts import DEFAULT, LANGUAGES
from waypost.reports.journey_page import Graphs, contact_page
from waypost.reports.timeline import ContactItems, rows_of

LINK_LIFE: Final = timedelta(minutes=60)
"""How long a link is good, at most: it ends earlier with the credentials of the function that signed it."""
PAGE_TYPE: Final = "text/html; charset=utf-8"
MOST_LISTED: Final = 50
"""Passages in the answer, the latest ones: an execution's output is limited to 256 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowContact:
    """Draws the passages of a contact through its journeys."""

    contacts: ContactStore
    items: ContactItems
    files: Files
    graphs: Graphs
    default_zone: ZoneInfo
    clock: Clock

    def show(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``{contact, journey?, language?}`` → the page's key and link, and where the contact stands in each journey.

        ``contact`` is ``{contact_id: …}`` or one identity such as ``{user_id: …}``. Raises InvalidInput naming the field, and
        ContactNotFound.
        """
        language, journey = request.get("language", DEFAULT), request.get("journey", "")
        if language not in LANGUAGES:
            raise InvalidInput("language", f"should be one of {', '.join(LANGUAGES)}")
        if not isinstance(journey, str):
            raise InvalidInput("journey", "should be the name of a journey")
        contact = find_named(self.contacts, read_name(request.get("contact"), "contact"), "contact")
        now, contact_id = self.clock(), contact.contact_id
        page = contact_page(
            contact_id,
            self.items,
            graphs=self.graphs,
            default_zone=self.default_zone,
            now=now,
            language=language,
            journey=journey,
        )
        if page is None:  # it was erased in between
            raise ContactNotFound("contact: no contact is known by this contact_id")
        key = f"{PAGES}contacts/{contact_id}.html"
        with self.files.writer(key, content_type=PAGE_TYPE) as file:
            file.write(page.encode())
        return {
            "contact_id": contact_id,
            "page": key,
            "link": self.files.link(key, life=LINK_LIFE),
            "link_ends_at": format_instant(now + LINK_LIFE),
            "journeys": self._journeys(contact_id, journey),
        }

    def _journeys(self, contact_id: str, journey: str) -> list[dict[str, Any]]:
        _, rows = rows_of(contact_id, self.items)
        found = [Enrolment.from_dict(row) for row in rows if str(row["sk"]).startswith("enrolment#")]
        chosen = sorted((each for each in found if journey in {"", each.journey}), key=lambda each: each.enrolled_at)
        return [_stands(each) for each in reversed(chosen[-MOST_LISTED:])]


def _stands(enrolment: Enrolment) -> dict[str, Any]:
    """Where the contact stands in a journey, or how it ended."""
    pause = enrolment.pause if enrolment.position == "parked" and enrolment.status != "ended" else None
    failure = enrolment.failure
    return {
        "journey": enrolment.journey,
        "version": enrolment.version,
        "entered_at": format_instant(enrolment.enrolled_at),
        "splits": dict(enrolment.splits),
        "held_out": enrolment.held_out,
        "test_pace": enrolment.shortened.pace if enrolment.shortened else None,
        "status": enrolment.status,
        "outcome": enrolment.outcome,
        "ended_at": format_instant(enrolment.ended_at) if enrolment.ended_at else None,
        "waits_at": pause.state if pause else None,
        "waits_until": format_instant(pause.due_at) if pause else None,
        "failure": failure.to_dict() if failure else None,
    }
