"""Why a message was sent, waits or was not sent: what each guard saw, when it goes out, what would help."""

from datetime import UTC, datetime
from html import unescape
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.contacts import FakeContacts
from tests.fakes.files import FakeFiles
from tests.reports.nurture import PROFILE, Items, enrolment_row, message
from waypost.contacts.profile import Contact
from waypost.errors import ContactNotFound, InvalidInput
from waypost.journeys.enrol_contact import EntryReason
from waypost.journeys.ports import Refusal
from waypost.pages.texts import LANGUAGES
from waypost.reports.explain_contact import ExplainContact
from waypost.reports.explanation_page import explanation_page, explanation_text
from waypost.reports.message_explanation import ENTRY_REASONS, Explanation, explain

FIRST, SECOND, THIRD = "2031-03-03T01:00:00.000Z", "2031-03-05T02:00:00.000Z", "2031-03-09T02:00:00.000Z"
SAW = "er;lj=active;ad=1 known;su;co=word 2031-03-01;fc=2/2 in 24h"


def decision(at: str, outcome: str, reason: str, **more: Any) -> dict[str, Any]:
    return {"at": at, "local_time": at, "outcome": outcome, "reason": reason, "channel": "email", **more}


def row(state: str, *decisions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return message("Welcome", FIRST) | {"state": state, "decisions": list(decisions), **changes}


def refused(reason: str, at: str = FIRST) -> dict[str, Any]:
    made = [{"journey": "nurture", "reason": reason, "enrolment_id": None}]
    return {"sk": f"routed#{at}", "event_type": "registered", "routed_at": at, "decisions": made}


def explained(*rows: dict[str, Any], **wanted: str) -> Explanation:
    found = explain("c-1", Items(PROFILE, *rows), default_zone=ZoneInfo("UTC"), **wanted)
    assert found is not None
    return found


def test_a_sent_message_shows_what_every_guard_saw() -> None:
    saw = f"{SAW};qh=08:00-22:00"
    [shown] = explained(
        row("delivered", decision(FIRST, "sent", "every_guard_allowed", saw=saw, policy="ab12"))
    ).messages
    [made] = shown.decisions
    assert [(each.guard, each.saw) for each in made.guards] == [
        ("erased", ""),
        ("left_journey", "active"),
        ("missing_address", "1 known"),
        ("suppressed", ""),
        ("no_consent", "word 2031-03-01"),
        ("frequency_cap", "2/2 in 24h"),
        ("quiet_hours", "08:00-22:00"),
    ]
    assert not any(each.decided for each in made.guards)
    assert (made.policy, shown.state, shown.what_would_help, shown.next_possible_at) == ("ab12", "delivered", "", None)


def test_a_message_that_waits_says_which_guard_decided_and_when_it_is_tried_again() -> None:
    waits = row("deferred", decision(FIRST, "deferred", "frequency_cap", saw=SAW), deferred_until=SECOND)
    [shown] = explained(waits).messages
    assert [each.guard for each in shown.decisions[0].guards if each.decided] == ["frequency_cap"]
    assert shown.next_possible_at == datetime(2031, 3, 5, 2, tzinfo=UTC)
    assert "by itself" in shown.what_would_help


def test_each_decision_of_a_chain_leads_to_the_next() -> None:
    chain = row(
        "skipped",
        decision(FIRST, "deferred", "quiet_hours"),
        decision(SECOND, "deferred", "frequency_cap"),
        decision(THIRD, "skipped", "consent_withdrawn", saw="co=word 2031-03-06"),
    )
    [shown] = explained(chain).messages
    assert [each.next_possible_at and each.next_possible_at.day for each in shown.decisions] == [5, 9, None]
    assert (shown.reason, shown.next_possible_at) == ("consent_withdrawn", None)
    assert "newer consent" in shown.what_would_help


def test_a_channel_that_was_passed_over_has_its_own_way_out() -> None:
    sent = decision(FIRST, "sent", "every_guard_allowed", elsewhere={"sms": "missing_address"})
    [shown] = explained(row("accepted", sent)).messages
    [other] = shown.decisions[0].elsewhere
    assert (other.channel, other.reason) == ("sms", "missing_address")
    assert "address" in other.what_would_help


def test_a_claim_without_an_answer_is_explained_too() -> None:
    claimed = row("claimed", claimed_at=FIRST, claimed_local_time=FIRST, channel="email")
    [shown] = explained(claimed).messages
    assert (shown.reason, shown.decisions) == ("no_answer", ())
    assert "never sent again" in shown.what_would_help


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, 2),
        ({"message_key": "m-Welcome"}, 1),
        ({"journey": "nurture", "message": "welcome"}, 1),
        ({"message": "nurture/thank"}, 1),
        ({"message": "Thank"}, 1),
        ({"journey": "another"}, 0),
    ],
)
def test_messages_are_found_by_key_journey_message_or_step(wanted: dict[str, str], found: int) -> None:
    assert len(explained(message("Welcome", FIRST), message("Thank", SECOND), **wanted).messages) == found


@pytest.mark.parametrize(
    ("rows", "reason", "detail", "next_at"),
    [
        ([], "never_triggered", "", None),
        ([refused("entry_rule_not_met")], "entry_rule_not_met", f"registered {FIRST}", None),
        (
            [refused("entry_rule_not_met"), refused("journey_closed", SECOND)],
            "journey_closed",
            f"registered {SECOND}",
            None,
        ),
        ([enrolment_row()], "on_its_way", "Wait", datetime(2031, 3, 5, 2, tzinfo=UTC)),
        ([enrolment_row(status="ended", outcome="goal", ended_at=SECOND)], "passed_by", f"goal {SECOND}", None),
    ],
)
def test_of_a_message_that_no_step_asked_for_it_says_what_keeps_the_contact_from_it(
    rows: list[dict[str, Any]], reason: str, detail: str, next_at: datetime | None
) -> None:
    absence = explained(*rows, journey="nurture", message="remind").absence
    assert absence is not None
    assert (absence.reason, absence.detail, absence.next_possible_at) == (reason, detail, next_at)
    assert absence.what_would_help


def test_every_reason_for_not_entering_says_what_would_help() -> None:
    literals, refusals = get_args(EntryReason), get_args(Refusal)
    reasons = {name for each in literals for name in (get_args(each) or (each,))} | set(refusals)
    assert set(ENTRY_REASONS) == reasons - {"enrolled"}
    assert all(ENTRY_REASONS.values())


def test_the_text_holds_the_whole_chain() -> None:
    waits = row("deferred", decision(FIRST, "deferred", "frequency_cap", saw=SAW, policy="ab12"), deferred_until=SECOND)
    text = "\n".join(explanation_text(explained(waits)))
    for part in (
        "nurture/welcome (Welcome), m-Welcome: deferred",
        "✓ no_consent: word 2031-03-01",
        "sending policy ab12",
    ):
        assert part in text
    assert "✗ frequency_cap: 2/2 in 24h" in text
    assert "next: 2031-03-05T10:00+08:00" in text
    assert "what would help: It goes out by itself" in text


def test_the_page_has_the_chain_in_every_language_and_nothing_personal() -> None:
    waits = row("deferred", decision(FIRST, "deferred", "frequency_cap", saw=SAW), deferred_until=SECOND)
    page = explanation_page(explained(waits), now=datetime(2031, 3, 4, tzinfo=UTC), language="zh-CN")
    shown = unescape(page)
    assert "Next at 5 Mar 10:00." in shown
    assert "2/2 in 24h" in shown
    assert shown.count("m-Welcome") == len(LANGUAGES)
    assert not any(personal in page for personal in ("Mei", "mei@", "example.com"))


def service(files: FakeFiles, *rows: dict[str, Any]) -> ExplainContact:
    contacts = FakeContacts()
    contacts.put(Contact.from_dict(PROFILE))
    return ExplainContact(
        contacts=contacts,
        items=Items(PROFILE, *rows),
        files=files,
        default_zone=ZoneInfo("UTC"),
        clock=lambda: datetime(2031, 3, 4, tzinfo=UTC),
    )


def test_the_answer_has_the_explanation_and_a_link_to_its_page() -> None:
    files = FakeFiles()
    answer = service(files, message("Welcome", FIRST)).explain({"contact": {"contact_id": "c-1"}, "journey": "nurture"})
    [shown] = answer["messages"]
    assert (shown["message_key"], shown["decisions"][0]["outcome"]) == ("m-Welcome", "sent")
    assert answer["link"].endswith("pages/contacts/c-1-why.html?for=3600")
    assert b"m-Welcome" in (files.read(answer["page"]) or b"")


@pytest.mark.parametrize(
    ("request_", "error", "says"),
    [
        ({}, InvalidInput, "contact"),
        ({"contact": {"contact_id": "c-1"}, "language": "fr"}, InvalidInput, "language"),
        ({"contact": {"contact_id": "c-1"}, "message": 7}, InvalidInput, "message"),
        ({"contact": {"contact_id": "c-2"}}, ContactNotFound, "contact"),
    ],
)
def test_a_request_that_says_nothing_is_refused(request_: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=f"^{says}"):
        service(FakeFiles()).explain(request_)
