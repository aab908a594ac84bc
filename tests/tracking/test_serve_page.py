"""What people say on our pages: consent that is confirmed, preferences, answers; and what changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.project import ROOT
from tests.fakes.addresses import FakeAddressRecords
from tests.fakes.queue import FakeQueue
from tests.fakes.secrets import FakeSecret
from waypost.authoring.authored_files import FileReader
from waypost.authoring.pages import pages as pages_section
from waypost.contacts.channels import Address, Channel
from waypost.contacts.consent import Consent
from waypost.contacts.profile import Contact, with_event
from waypost.events.envelope import WRITE_KEY_SOURCE, Event
from waypost.sending.guards.fatigue import CHOICE, CHOICES
from waypost.tracking.declared_pages import DeclaredPages, Survey
from waypost.tracking.links import message_page_urls
from waypost.tracking.page_links import (
    LIVES,
    ConsentRequest,
    PageLink,
    confirm_token,
    read_confirm,
    read_short,
    short_token,
)
from waypost.tracking.serve_page import FREQUENCY, Choices, Refused, ServePage

KEY, OTHER_KEY = "k" * 32, "o" * 32
SENT = datetime(2027, 3, 1, 2, 5, tzinfo=UTC)
NOW = SENT + timedelta(hours=1)
LINK = PageLink("c-" + "0a" * 12, "m-" + "0b" * 12, SENT)
EMAIL, SMS, WHATSAPP = Channel("email"), Channel("sms"), Channel("whatsapp")
DIGEST = Address(EMAIL, "email", "lin@example.com").digest
ASKED = ConsentRequest(
    link=LINK, channel="email", address=DIGEST, topic="nurture", requested_by="e-1", text_version="form-3"
)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PAGES = DeclaredPages.from_dict(pages_section(FileReader(ROOT / "statemachines")))


def contact(**changes: Any) -> Contact:
    agreed = Consent(True, SENT, "test")
    given: dict[str, Any] = {
        "contact_id": LINK.contact_id,
        "created_at": SENT,
        "attributes": {"email": "lin@example.com", "phone": "+12025550143"},
        "consents": {"email/nurture": agreed},
    }
    return Contact(**given | changes)


@dataclass
class Profiles:
    """ContactStore that only loads."""

    known: Contact | None = field(default_factory=contact)

    def load(self, contact_id: str) -> Contact | None:
        """See ContactStore."""
        return self.known if contact_id == LINK.contact_id else None


def serving(queue: FakeQueue, *, now: datetime = NOW, known: Contact | None = None, **changes: Any) -> ServePage:
    given: dict[str, Any] = {
        "secret": FakeSecret({"link_keys": [KEY]}),
        "queue": queue,
        "contacts": Profiles(known or contact()),
        "addresses": FakeAddressRecords(),
        "pages": PAGES,
        "clock": lambda: now,
        "real_clock": lambda: now,
    }
    return ServePage(**given | changes)


def posted(form: Mapping[str, Any] | None = None, agent: str = BROWSER, **headers: str) -> dict[str, Any]:
    return {
        "headers": {"user-agent": agent, **{name.replace("_", "-"): value for name, value in headers.items()}},
        "requestContext": {"requestId": "r-1", "http": {"method": "POST", "sourceIp": "203.0.113.9"}},
        "body": urlencode(form or {}, doseq=True),
    }


CONFIRM, PREFERENCES, SURVEY = (
    confirm_token(ASKED, KEY),
    short_token("preferences", LINK, KEY),
    short_token("survey", LINK, KEY),
)


# Confirmed consent


def test_consent_is_confirmed_by_the_button_with_its_evidence() -> None:
    queue = FakeQueue()
    service = serving(queue)
    assert service.consent_request(CONFIRM) == ASKED
    assert queue.sent == []
    assert service.confirm_consent(CONFIRM, posted(), language="zh-CN") == ASKED
    (event,) = queue.sent
    assert (event.type, event.contact, event.occurred_at) == ("consent_confirmed", {"contact_id": LINK.contact_id}, NOW)
    assert event.properties == {
        "channel": "email",
        "topic": "nurture",
        "address": DIGEST,
        "requested_by": "e-1",
        "text_version": "form-3",
        "message_key": LINK.message_key,
        "evidence": {"page": "confirm", "language": "zh-CN", "version": PAGES.version, "message_key": LINK.message_key},
    }
    assert with_event(contact(consents={}), event).consent("email", "nurture") == "granted"
    assert with_event(contact(consents={}), event).consent("sms", "nurture") == "none"


def test_nobody_but_the_link_confirms() -> None:
    forged = Event(
        id="e-2",
        type="consent_confirmed",
        contact={"contact_id": LINK.contact_id},
        occurred_at=NOW,
        received_at=NOW,
        source=WRITE_KEY_SOURCE,
        properties={"channel": "email", "topic": "nurture"},
    )
    assert with_event(contact(consents={}), forged).consent("email", "nurture") == "none"


def test_the_same_link_again_undoes_no_later_withdrawal() -> None:
    queue = FakeQueue()
    serving(queue).confirm_consent(CONFIRM, posted(), language="en")
    serving(queue, now=NOW + timedelta(days=2)).confirm_consent(CONFIRM, posted(), language="zh-CN")
    assert len({event.id for event in queue.sent}) == 1  # the history takes an event once


@pytest.mark.parametrize(
    "request_",
    [
        posted({"website": "http://spam.example"}),
        posted(agent=""),
        posted(agent="python-requests/2.31"),
        posted(agent="Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/119.0.0.0 Safari/537.36"),
        posted(sec_purpose="prefetch;prerender"),
    ],
    ids=["hidden field", "no name", "script", "headless", "prefetch"],
)
def test_a_program_that_posts_confirms_and_changes_nothing(request_: dict[str, Any]) -> None:
    queue = FakeQueue()
    service = serving(queue)
    assert service.confirm_consent(CONFIRM, request_, language="en") == Refused("program")
    assert service.choose(PREFERENCES, request_, language="en") == Refused("program")
    assert service.answer(SURVEY, "interest", request_, language="en") == Refused("program")
    assert queue.sent == []


# Tokens


def every_act(service: ServePage, token: str) -> list[object]:
    answers = {"interest": "beauty", "q2": "monthly", "q3": "new"}
    return [
        service.consent_request(token),
        service.confirm_consent(token, posted(), language="en"),
        service.choices(token),
        service.choose(token, posted({"stop": "everything"}), language="en"),
        service.survey(token, "interest"),
        service.answer(token, "interest", posted(answers), language="en"),
    ]


@pytest.mark.parametrize("token", [CONFIRM, PREFERENCES, SURVEY], ids=["confirm", "preferences", "survey"])
def test_what_is_forged_truncated_or_of_another_key_changes_nothing(token: str) -> None:
    changed = ("B" if token[5] == "A" else "A").join([token[:5], token[6:]])
    other = [
        confirm_token(ASKED, OTHER_KEY),
        short_token("preferences", LINK, OTHER_KEY),
        short_token("survey", LINK, OTHER_KEY),
    ]
    for bad in (token[:-1], token[:-9], token[1:], changed, "", "x.y", "\u00e9", *other):
        queue = FakeQueue()
        assert every_act(serving(queue), bad) == [Refused("not_ours")] * 6, bad
        assert queue.sent == []


@pytest.mark.parametrize(
    ("token", "kind", "acts"),
    [(CONFIRM, "confirm", (0, 1)), (PREFERENCES, "preferences", (2, 3)), (SURVEY, "survey", (4, 5))],
)
def test_a_link_is_good_for_its_time_and_its_page_alone(token: str, kind: Any, acts: tuple[int, ...]) -> None:
    for late in (False, True):
        queue = FakeQueue()
        now = SENT + LIVES[kind] + timedelta(seconds=1 if late else 0)
        answers = every_act(serving(queue, now=now), token)
        for number, answer in enumerate(answers):
            if number not in acts:
                assert answer == Refused("not_ours")
            else:
                assert (answer == Refused("expired")) is late
        assert bool(queue.sent) is not late


def test_a_page_of_somebody_who_is_erased_is_over() -> None:
    assert serving(FakeQueue(), known=contact(erased=True)).choices(PREFERENCES) == Refused("expired")


# Preferences


def test_the_page_shows_what_holds_on_each_channel_with_an_address() -> None:
    chosen = serving(FakeQueue()).choices(PREFERENCES)
    assert chosen == Choices(
        ("nurture",), {(EMAIL, "nurture"): True, (SMS, "nurture"): False, (WHATSAPP, "nurture"): False}, None
    )


def test_what_changes_is_an_event_each_and_what_stays_is_none() -> None:
    queue = FakeQueue()
    form = {"want": ["sms/nurture"], "frequency": "weekly"}
    service = serving(queue)
    chosen = service.choose(PREFERENCES, posted(form), language="en")
    assert chosen == Choices(
        ("nurture",), {(EMAIL, "nurture"): False, (SMS, "nurture"): True, (WHATSAPP, "nurture"): False}, "weekly"
    )
    assert [(event.type, event.properties.get("channel")) for event in queue.sent] == [
        ("consent_withdrawn", "email"),
        ("consent_granted", "sms"),
        ("preferences_changed", None),
    ]
    after = contact()
    for event in queue.sent:
        after = with_event(after, event)
    assert (after.consent("email", "nurture"), after.consent("sms", "nurture")) == ("withdrawn", "granted")
    assert after.attributes["frequency"] == "weekly"
    assert serving(queue, known=after).choices(PREFERENCES) == chosen
    assert all(event.properties["evidence"]["page"] == "preferences" for event in queue.sent)


def test_a_withdrawal_holds_at_the_address_before_its_event_is_queued() -> None:
    addresses = FakeAddressRecords()
    serving(FakeQueue(), addresses=addresses).choose(PREFERENCES, posted({"want": []}), language="en")
    assert addresses.records[DIGEST].withdrawn == {"nurture": NOW}


def test_one_button_ends_everything_as_the_unsubscribe_link_does() -> None:
    queue, addresses = FakeQueue(), FakeAddressRecords()
    form = {"want": ["email/nurture"], "stop": "everything"}
    serving(queue, addresses=addresses).choose(PREFERENCES, posted(form), language="en")
    assert [(event.type, event.properties["channel"], event.properties["topic"]) for event in queue.sent] == [
        ("unsubscribed", "email", None),
        ("unsubscribed", "sms", None),
        ("unsubscribed", "whatsapp", None),
    ]
    assert addresses.records[DIGEST].withdrawn == {"*": NOW}


def test_no_form_can_ask_for_what_the_page_does_not_offer() -> None:
    queue = FakeQueue()
    form = {"want": ["email/nurture", "push/nurture", "email/secret", "email/*"], "frequency": "hourly"}
    serving(queue).choose(PREFERENCES, posted(form), language="en")
    assert queue.sent == []
    huge = replace(serving(queue)).choose(PREFERENCES, {**posted(), "body": "want=" + "x" * 30_000}, language="en")
    assert isinstance(huge, Choices)


def test_each_choice_of_how_often_is_one_that_the_guard_knows() -> None:
    assert PAGES.frequency.keys() <= CHOICES.default.keys()
    assert FREQUENCY == CHOICE


# A survey


def test_answers_are_one_event_and_what_is_declared_of_the_contact() -> None:
    queue = FakeQueue()
    answers = {"interest": "beauty", "q2": "monthly", "q3": "new"}
    service = serving(queue)
    service.answer(SURVEY, "interest", posted(answers), language="en")
    serving(queue, now=NOW + timedelta(days=1)).answer(
        SURVEY, "interest", posted({**answers, "q3": "sale"}), language="en"
    )
    event, again = queue.sent
    assert event.id == again.id  # the first answers count
    assert event.type == "survey_answered"
    assert {name: event.properties[name] for name in ("survey", "interest", "q2", "q3")} == {
        "survey": "interest",
        **answers,
    }
    assert with_event(contact(), event).attributes["interest"] == "beauty"


@pytest.mark.parametrize(
    "answers", [{}, {"interest": "beauty"}, {"interest": "beauty", "q2": "monthly", "q3": "<script>"}]
)
def test_an_answer_that_is_missing_or_none_of_the_choices_is_asked_for_again(answers: dict[str, str]) -> None:
    queue = FakeQueue()
    assert serving(queue).answer(SURVEY, "interest", posted(answers), language="en") == Refused("incomplete")
    assert queue.sent == []


TITLES = {name: {"en": name, "zh-CN": name} for name in ("short", "gift")}
COMPARED = replace(PAGES, surveys={"interest": replace(PAGES.surveys["interest"], titles=TITLES)})


def opened(agent: str = BROWSER, method: str = "GET") -> dict[str, Any]:
    request = posted(agent=agent)
    return {**request, "requestContext": {"requestId": "r-1", "http": {"method": method, "sourceIp": "203.0.113.9"}}}


def test_each_contact_sees_one_title_and_about_as_many_see_each() -> None:
    survey = COMPARED.surveys["interest"]
    drawn = [survey.shown_to(f"c-{number}").title_shown for number in range(1000)]
    assert drawn == [survey.shown_to(f"c-{number}").title_shown for number in range(1000)]
    assert 430 < drawn.count("gift") < 570
    assert survey.shown_to("c-1").title == TITLES[drawn[1]]


def test_what_is_opened_and_answered_names_the_title() -> None:
    queue = FakeQueue()
    service = serving(queue, pages=COMPARED)
    shown = service.open_survey(SURVEY, "interest", opened(), language="en")
    assert isinstance(shown, Survey)
    service.open_survey(SURVEY, "interest", opened(), language="zh-CN")
    service.answer(SURVEY, "interest", posted({"interest": "beauty", "q2": "monthly", "q3": "new"}), language="en")
    first, again, answered = queue.sent
    assert (first.type, first.id) == ("survey_opened", again.id)
    assert {each.properties["title_shown"] for each in queue.sent} == {shown.title_shown}
    assert answered.type == "survey_answered"


@pytest.mark.parametrize(
    "request_", [opened(method="HEAD"), opened(agent="curl/8.0"), opened(agent="")], ids=["head", "program", "no-agent"]
)
def test_what_no_reader_opens_is_not_counted(request_: dict[str, Any]) -> None:
    queue = FakeQueue()
    assert isinstance(serving(queue, pages=COMPARED).open_survey(SURVEY, "interest", request_, language="en"), Survey)
    assert queue.sent == []


def test_a_survey_with_one_title_or_a_contact_who_is_not_tracked_makes_no_event() -> None:
    queue = FakeQueue()
    serving(queue).open_survey(SURVEY, "interest", opened(), language="en")
    untracked = serving(queue, pages=COMPARED, known=contact(attributes={"tracking": False}))
    untracked.open_survey(SURVEY, "interest", opened(), language="en")
    assert untracked.open_survey("forged", "interest", opened(), language="en") == Refused("not_ours")
    assert queue.sent == []


def test_there_are_no_surveys_but_the_declared_ones() -> None:
    assert serving(FakeQueue()).survey(SURVEY, "other") == Refused("not_ours")


# Their links


def test_a_message_that_was_asked_for_confirms_what_was_asked() -> None:
    asked = {
        "id": "e-9",
        "type": "consent_requested",
        "properties": {"topic": "offers", "text_version": "form-3", "channel": "sms"},
    }
    to = Address(EMAIL, "email", "lin@example.com")
    urls = message_page_urls("https://l.example.com/", KEY, LINK, address=to, topic="confirmations", event=asked)
    token = urls["confirm_consent"].removeprefix("https://l.example.com/c/")
    assert read_confirm(token, [KEY]) == replace(ASKED, topic="offers", requested_by="e-9")  # at the address it reached
    assert read_short("survey", urls["survey"].rpartition("/")[2], [KEY]) == LINK
    assert len(urls["preferences"].rpartition("/")[2]) == 51


def test_a_test_for_a_colleague_changes_no_contact() -> None:
    to = Address(EMAIL, "email", "ann@example.com")
    urls = message_page_urls(
        "https://l.example.com", KEY, replace(LINK, contact_id="staff-1"), address=to, topic="t", event={}
    )
    assert set(urls.values()) == {f"https://l.example.com/{path}/test" for path in "psc"}
