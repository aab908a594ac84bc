"""The page of a contact that a marketer asks for in the console: named by any identity, with a link that ends."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.contacts import FakeContacts
from tests.fakes.files import FakeFiles
from tests.reports.nurture import GRAPH, PROFILE, Items, enrolment_row, message
from waypost.contacts.profile import Contact
from waypost.errors import ContactNotFound, InvalidInput
from waypost.reports.show_contact import ShowContact

FIRST = "2031-03-03T01:00:00.000Z"
NOW = datetime(2031, 3, 4, tzinfo=UTC)


def known() -> FakeContacts:
    """One contact, known by its e-mail address."""
    contacts = FakeContacts()
    contacts.put(Contact.from_dict(PROFILE))
    contacts.identities["email", "mei@example.com"] = "c-1"
    return contacts


def service(files: FakeFiles, *rows: dict[str, Any]) -> ShowContact:
    return ShowContact(
        contacts=known(),
        items=Items(PROFILE, *rows),
        files=files,
        graphs=lambda _: GRAPH,
        default_zone=ZoneInfo("UTC"),
        clock=lambda: NOW,
    )


def test_the_answer_has_a_link_to_the_page_and_where_the_contact_stands() -> None:
    files = FakeFiles()
    answer = service(files, enrolment_row(), message("Welcome", FIRST)).show({"contact": {"email": "MEI@example.com "}})
    assert answer["page"] == "pages/contacts/c-1.html"
    assert answer["link"].endswith("pages/contacts/c-1.html?for=3600")
    assert answer["link_ends_at"] == "2031-03-04T01:00:00.000Z"
    [journey] = answer["journeys"]
    assert (journey["journey"], journey["waits_at"]) == ("nurture", "Wait")
    assert journey["waits_until"] == "2031-03-05T02:00:00.000Z"
    page = (files.read(answer["page"]) or b"").decode()
    assert "The contact waits at “Wait”" in page
    assert "mei@example.com" not in page


def test_only_the_journey_that_is_asked_for_is_shown() -> None:
    answer = service(FakeFiles(), enrolment_row()).show({"contact": {"contact_id": "c-1"}, "journey": "another"})
    assert answer["journeys"] == []


def test_why_a_journey_failed_is_in_the_answer() -> None:
    failure = {"state": "Tag", "error": "InvalidInput", "cause": "no such tag"}
    ended = enrolment_row(status="ended", outcome="failed", ended_at=FIRST, position="running", failure=failure)
    [journey] = service(FakeFiles(), ended).show({"contact": {"contact_id": "c-1"}})["journeys"]
    assert journey["failure"] == failure
    assert journey["waits_at"] is None


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "contact"),
        ({"contact": {"name": "Mei"}}, "contact"),
        ({"contact": {"email": "nonsense"}}, "contact.email"),
        ({"contact": {"contact_id": "c-1"}, "language": "fr"}, "language"),
        ({"contact": {"contact_id": "c-1"}, "journey": 7}, "journey"),
    ],
)
def test_a_request_that_says_nothing_is_refused_with_its_field(request_: dict[str, Any], field: str) -> None:
    files = FakeFiles()
    with pytest.raises(InvalidInput) as refused:
        service(files).show(request_)
    assert str(refused.value).startswith(field)


def test_nobody_has_no_page() -> None:
    with pytest.raises(ContactNotFound, match="no contact is known by this user_id"):
        service(FakeFiles()).show({"contact": {"user_id": "u-9"}})
