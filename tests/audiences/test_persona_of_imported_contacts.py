"""The card of contacts that came with a file: who never did anything is not active, and nothing is concluded from a few."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audiences.audience_world import NOW, SHANGHAI
from waypost.audiences.persona import Tally, age_of, asked_by
from waypost.audiences.persona_card import Card, card_of
from waypost.audiences.persona_page import page
from waypost.contacts.consent import Consent
from waypost.contacts.profile import Contact
from waypost.segments.calendar import age_at
from waypost.segments.compile import compile_rule
from waypost.segments.subject import Subject, subject_of

TODAY, IMPORTED = NOW.date(), {"contact_imported": (NOW.date(), NOW.date())}


def people(number: int, **more: Any) -> list[Subject]:
    contact = Contact(**{"contact_id": "c-1", "created_at": NOW - timedelta(days=3), "seen": IMPORTED, **more})
    return [subject_of(contact, now=NOW, default_zone=SHANGHAI)] * number


def active(days: int) -> dict[str, tuple[date, date]]:
    day = TODAY - timedelta(days=days)
    return {**IMPORTED, "logged_in": (day, day)}


def card(segment: list[Subject], others: list[Subject], **more: Any) -> Card:
    tallies = [Tally(), Tally()]
    for tally, subjects in zip(tallies, (segment, [*segment, *others]), strict=True):
        for each in subjects:
            tally.add(each)
    return card_of(*tallies, name="members", at=NOW, contacts=tallies[1].contacts, **more)


def figures(shown: Card) -> dict[str, str]:
    html = page(shown, language="en").split('<section class="language" id="en"')[1]
    found = [part.split("</b><span>", 1) for part in html.split('<div class="card"><b>')[1:]]
    return {rest.split("</span>")[0]: value for value, rest in found}


@pytest.mark.parametrize(("recent", "shown"), [(0, "0%"), (13, "2.0%"), (641, "100%")])
def test_who_never_did_anything_is_not_active(recent: int, shown: str) -> None:
    members = [*people(recent, seen=active(2)), *people(641 - recent)]
    assert figures(card(members, people(1000)))["active in 30 days"] == shown


def test_active_people_too_few_to_be_shown_are_not_called_none() -> None:
    few = [*people(4, seen=active(2)), *people(39)]
    assert "active in 30 days" not in figures(card(few, people(100)))
    part = [*people(20, seen=active(2)), *people(3, seen=active(20)), *people(10, seen=active(80)), *people(17)]
    assert figures(card(part, people(100)))["active in 30 days"] == "≥ 40%"


@pytest.mark.parametrize(("size", "shown"), [(6, "≥ 33%"), (43, "≥ 91%"), (2000, "100%")])
def test_unreachable_people_too_few_to_be_shown_are_counted_as_if_there_were_some(size: int, shown: str) -> None:
    mail = {"email": "name@example.com"}
    consent = {"email/*": Consent(granted=True, at=NOW, source="shop")}
    reachable = people(size, attributes=mail, consents=consent)
    assert figures(card(reachable, people(100)))["reachable on a channel"] == shown


def test_nobody_who_can_be_reached_is_zero_percent() -> None:
    assert figures(card(people(50), people(50)))["reachable on a channel"] == "0%"


def test_a_value_known_of_a_few_is_no_highlight() -> None:
    few = [*people(20, attributes={"gender": "female"}), *people(480)]
    assert card(few, people(500, attributes={"gender": "male"})).highlights == ()
    most = [*people(400, attributes={"gender": "female"}), *people(100)]
    assert [each.value for each in card(most, people(500, attributes={"gender": "male"})).highlights] == ["female"]
    few_others = [*people(20, attributes={"gender": "male"}), *people(4000)]
    assert card(most, few_others).highlights == ()


@pytest.mark.parametrize(
    ("rule", "silent"),
    [
        ({"attribute": "city", "equals": "上海市"}, {"city"}),
        ({"attribute": "province", "equals": "上海市"}, {"city"}),
        ({"all": [{"attribute": "city", "equals": "上海市"}, {"not": {"attribute": "gender", "equals": "male"}}]}, {"city", "gender"}),
        ({"attribute": "birthday", "age": {"at_least": 30}}, {"age"}),
        ({"lifecycle": "lead"}, {"lifecycle"}),
        ({"event": "order_placed"}, {"activity"}),
        ({"created": {"within": "30d"}}, {"tenure"}),
        ({"any": [{"metric": "rfm_segment", "equals": "champions"}]}, {"rfm_segment", "rfm_r", "rfm_f", "rfm_m"}),
        (None, set()),
    ],
)  # fmt: skip
def test_a_highlight_does_not_repeat_what_the_rule_asks_for(rule: Any, silent: set[str]) -> None:
    assert {name for name, values in asked_by(rule).items() if values is None} == silent
    about = {
        "attributes": {"city": "上海市", "gender": "female", "birthday": "1990-01-05"},
        "lifecycle": "lead",
        "seen": active(2),
    }
    others = {"attributes": {"city": "杭州市", "gender": "male", "birthday": "1960-01-05"}, "lifecycle": "churned", "seen": active(200),
              "created_at": NOW - timedelta(days=300)}  # fmt: skip
    every = {"age", "gender", "city", "lifecycle", "activity", "tenure"}
    shown = card(people(100, **about), people(900, **others), asked=asked_by(rule))
    assert {each.dimension for each in shown.highlights} == every - silent


def test_of_tags_only_those_of_the_rule_are_no_highlight() -> None:
    asked = asked_by({"tag": "vip"})
    assert asked == {"tag": frozenset({"vip"})}
    segment, others = people(100, tags=frozenset({"vip", "new"})), people(900)
    assert [each.value for each in card(segment, others).highlights] == ["new"]
    [only] = card(people(100, tags=frozenset({"vip"})), others, asked={}).highlights
    assert only.value == "vip"
    assert card(people(100, tags=frozenset({"vip"})), others, asked=asked).highlights == ()


def test_tags_and_stages_are_called_as_they_are_declared() -> None:
    names = {"tag": {"vip": {"zh-CN": "重要客户"}}, "lifecycle": {"lead": {"zh-CN": "潜客"}}}
    html = page(
        card(people(50, tags=frozenset({"vip", "own"}), lifecycle="lead"), people(50), names=names), language="zh-CN"
    )
    chinese, english = html.split('<section class="language" id="en"')
    assert "重要客户" in chinese
    assert "潜客" in chinese
    assert "潜在客户" not in chinese
    assert "own" in chinese
    assert ("vip" in english, "重要客户" in english) == (True, False)


@given(
    born=st.dates(date(1920, 1, 1), date(2026, 1, 1)) | st.just(date(2000, 2, 29)),
    hours=st.integers(0, 4 * 365 * 24) | st.just((date(2027, 2, 28) - date(2026, 1, 1)).days * 24 + 12),
)
def test_the_card_and_a_rule_know_one_age(born: date, hours: int) -> None:
    contact = Contact(contact_id="c-1", created_at=NOW, attributes={"birthday": str(born)})
    subject = subject_of(contact, now=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours), default_zone=SHANGHAI)
    age = age_of(subject)
    assert age == age_at(born, subject.now.astimezone(SHANGHAI).date())
    assert compile_rule({"attribute": "birthday", "age": age})(subject)
