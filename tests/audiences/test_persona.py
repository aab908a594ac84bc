"""A persona card: what it says is true, nobody can be recognised in it, and no value of a sender does anything."""

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audiences.audience_world import NOW, SHANGHAI, base
from tests.fakes.history import FakeHistory
from waypost.audiences.persona import CLASSES, DIMENSIONS, UNKNOWN, Tally, age_class, age_of, reachable_on, traits
from waypost.audiences.persona_card import FEWEST, OTHERS, Card, card_of, clean
from waypost.audiences.persona_page import page, percent
from waypost.audiences.persona_words import TITLES, VALUES, label
from waypost.contacts.channels import CHANNELS
from waypost.contacts.consent import Consent
from waypost.contacts.profile import Contact
from waypost.pages.texts import texts
from waypost.segments.subject import Subject, subject_of

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></svg><iframe src=//example.com>",
    "a\x00b\x1b[31m\u202egnp.exe",
    "{{ 7 * 7 }} {% raw %} %s {0}",
    "上" * 500,
)


def subject(**more: Any) -> Subject:
    return subject_of(
        Contact(contact_id="c-1", created_at=NOW - timedelta(days=9), **more), now=NOW, default_zone=SHANGHAI
    )


def tally(subjects: list[Subject]) -> Tally:
    counted = Tally()
    for each in subjects:
        counted.add(each)
    return counted


def card(segment: Tally, base_: Tally, **more: Any) -> Card:
    return card_of(segment, base_, at=NOW, contacts=base_.contacts, **{"name": "vip", **more})


PEOPLE = [subject_of(each, now=NOW, default_zone=SHANGHAI) for each in base(400, FakeHistory())]


@settings(max_examples=25)
@given(st.lists(st.integers(0, 2), min_size=60, max_size=60))
def test_tallies_of_parts_add_up_to_the_tally_of_all(where: list[int]) -> None:
    parts = [tally([each for each, part in zip(PEOPLE, where, strict=False) if part == number]) for number in range(3)]
    whole = Tally()
    for part in reversed(parts):
        whole.merge(Tally.from_dict(json.loads(json.dumps(part.to_dict()))))
    assert whole.to_dict()["dimensions"].keys() == set(DIMENSIONS)
    all_of_them = tally(PEOPLE[:60])
    assert whole.contacts == all_of_them.contacts == 60
    for name in DIMENSIONS:
        assert whole.dimensions[name].counts == all_of_them.dimensions[name].counts


def test_a_tally_counts_everybody_in_every_dimension() -> None:
    counted = tally(PEOPLE)
    for name in set(DIMENSIONS) - {"tag", "channel"}:
        assert sum(counted.dimensions[name].counts.values()) == len(PEOPLE)
    assert counted.dimensions["tag"].counts == Counter(tag for each in PEOPLE for tag in each.tags)


@pytest.mark.parametrize(
    ("attributes", "age"),
    [
        ({"birthday": "1997-03-01"}, 30),
        ({"birthday": "1997-03-02"}, 29),
        ({"birthday": "2004-02-29"}, 23),
        ({"birthday": "--02-28", "age": 41}, 41),
        ({"birthday": "1997-03-01T00:00:00Z", "age": 5}, 30),
        ({"birthday": "soon", "age": 41}, 41),
        ({"age": 41.9}, 41),
        ({"age": True}, None),
        ({"age": "41"}, None),
        ({}, None),
    ],
)
def test_an_age_is_in_full_years_today_in_the_contacts_zone(attributes: dict[str, Any], age: int | None) -> None:
    assert age_of(subject(attributes=attributes)) == age


def test_an_age_class_is_the_one_it_lies_in() -> None:
    assert [age_class(age) for age in (0, 17, 18, 24, 25, 64, 65, 130, 131, -1, None)] == [
        "<18", "<18", "18-24", "18-24", "25-34", "55-64", "65+", "65+", "", "", "",
    ]  # fmt: skip


def test_reachable_is_who_has_an_address_a_consent_and_no_suppression() -> None:
    yes = {"email/news": Consent(granted=True, at=NOW, source="shop")}
    no = {"email/*": Consent(granted=False, at=NOW, source="shop")}
    address = {"email": "x@example.com"}
    assert reachable_on(subject(attributes=address, consents=yes)) == ["email"]
    assert reachable_on(subject(attributes=address, consents=no)) == []
    assert reachable_on(subject(attributes=address)) == []
    assert reachable_on(subject(consents=yes)) == []
    assert reachable_on(subject(attributes=address, consents=yes, suppressions={"email": "complaint"})) == []
    follower = {"openid": ["shop:1"]}
    assert reachable_on(subject(identities=follower, consents={"wechat/news": yes["email/news"]})) == ["wechat"]
    assert reachable_on(subject(identities=follower)) == []
    customer = {"external_userid": ["wmAJ2GCAAAme1XQRC-NI-q0_ZM9ukoAw"]}
    assert reachable_on(subject(identities=customer, consents={"wecom/news": yes["email/news"]})) == ["wecom"]
    assert reachable_on(subject(identities=customer)) == []


def test_what_is_done_to_a_contact_is_no_sign_of_its_life() -> None:
    today, long_ago = NOW.date(), date(2026, 11, 1)
    seen = {
        "page_viewed": (long_ago, long_ago),
        "message_delivered": (long_ago, today),
        "segment_entered": (today, today),
    }
    assert dict(traits(subject(seen=seen)))["activity"] == "180d"
    assert dict(traits(subject(seen={"message_delivered": (today, today)})))["activity"] == "never"


def with_city(counts: dict[str, int]) -> Tally:
    return tally([subject(attributes={"city": city}) for city, times in counts.items() for _ in range(times)])


def test_no_number_stands_for_fewer_than_five() -> None:
    counts = {"A": 40, "B": 20, "C": 4, "D": 3, "E": 1}
    shown = card(with_city(counts), with_city(counts)).charts["city"]
    assert {bar.value for bar in shown.bars} == {"A", "B", OTHERS}
    assert round(sum(bar.share for bar in shown.bars), 9) == 1


def test_others_that_would_be_too_few_take_in_the_next_larger() -> None:
    counts = {"A": 40, "B": 20, "C": 2}
    shown = card(with_city(counts), with_city(counts)).charts["city"]
    assert {bar.value: round(bar.share * 62) for bar in shown.bars} == {"A": 40, OTHERS: 22}


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from("ABCDEFGHIJKLMNOP"), st.integers(1, 12), min_size=1))
def test_whatever_the_counts_nothing_shown_is_of_fewer_than_five(counts: dict[str, int]) -> None:
    segment = with_city(counts)
    chart = card(segment, segment).charts.get("city")
    total = sum(counts.values())
    for bar in chart.bars if chart else ():
        assert round(bar.share * total) >= FEWEST
    hidden = total - sum(round(bar.share * total) for bar in chart.bars) if chart else total
    assert hidden == 0 or chart is None


def test_of_a_segment_of_four_nothing_is_shown_but_that() -> None:
    small = card(with_city({"A": 4}), with_city({"A": 400}))
    assert (small.size, small.share, small.charts, small.highlights) == (None, None, {}, ())
    html = page(small, language="en")
    assert "Fewer than 5" in html
    assert "<svg" not in html


def test_lift_compares_with_the_base_and_highlights_say_the_clearest() -> None:
    segment, everybody = with_city({"A": 80, "B": 20}), with_city({"A": 200, "B": 700, "C": 100})
    shown = card(segment, everybody)
    bars = {bar.value: bar for bar in shown.charts["city"].bars}
    assert bars["A"].lift == pytest.approx(4)
    assert [(each.dimension, each.value, round(each.lift, 2)) for each in shown.highlights] == [("city", "A", 4.0)]
    assert not card(everybody, everybody).highlights


def test_a_value_that_hardly_anybody_has_has_no_lift() -> None:
    shown = card(with_city({"A": 10, "B": 10}), with_city({"A": 1000, "B": 3}))
    assert {bar.value: bar.lift is None for bar in shown.charts["city"].bars} == {"A": False, "B": True}


def test_estimates_are_called_estimates() -> None:
    segment = with_city({"A": 50})
    segment.dimensions["city"].lost = 3
    assert card(segment, segment).charts["city"].about
    assert "estimates" in page(card(segment, segment), language="en")


class Reader(HTMLParser):
    """What a browser would make of the page: elements, attributes, texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_what_a_sender_wrote_is_text_and_nothing_else(language: str) -> None:
    people = [
        replace(
            subject(attributes={"city": text, "level": text, "gender": text, "birthday": text}, lifecycle=text),
            tags=frozenset({text}),
            metrics={"rfm_segment": text, "rfm_r": text},
        )
        for text in HOSTILE
        for _ in range(10)
    ]
    counted = tally(people)
    html = page(card(counted, counted, name=HOSTILE[0], description=HOSTILE[1], owner=HOSTILE[2]), language=language)
    seen = Reader()
    seen.feed(html)
    plain = Reader()
    plain.feed(page(card(tally(PEOPLE), tally(PEOPLE)), language=language))
    assert set(seen.tags) <= set(plain.tags)
    assert not {name for name, _ in seen.attributes if name.startswith("on")}
    assert not {"script", "img", "iframe", "link", "object", "a"} & set(seen.tags)
    assert "\x00" not in html
    assert "\u202e" not in html
    assert any("<script>alert(1)" in text for text in seen.text)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_page_loads_nothing_runs_nothing_and_its_charts_are_well_formed(language: str) -> None:
    html = page(card(tally(PEOPLE[:100]), tally(PEOPLE), description="Who they are"), language=language)
    assert not re.search(r"(?:src|href)=|url\(|@import|https?://|<script", html)
    assert "default-src 'none'" in unescape(html)
    assert "unsafe-inline" not in html
    charts = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(charts) >= 16
    for chart in charts:
        ET.fromstring(chart)  # noqa: S314 - our own
    assert html == page(card(tally(PEOPLE[:100]), tally(PEOPLE), description="Who they are"), language=language)


def test_both_languages_are_on_one_page_and_the_chosen_one_comes_first() -> None:
    html = page(card(tally(PEOPLE), tally(PEOPLE)), language="en")
    assert '<html lang="en">' in html
    assert 'id="pick-en" checked' in html
    for words in ("人群画像", "Persona", "生命周期", "Lifecycle"):
        assert words in html


def test_every_dimension_and_every_class_of_it_has_a_name() -> None:
    assert set(TITLES) == set(DIMENSIONS)
    for dimension in ("age", "activity", "tenure", "channel"):
        assert set(CLASSES[dimension]) - {UNKNOWN} <= set(VALUES[dimension]) | set(CHANNELS)
    assert label("channel", "sms", texts("zh-CN"), {}) == "短信"


def test_bars_are_as_long_as_their_shares() -> None:
    html = page(card(with_city({"A": 80, "B": 20}), with_city({"A": 200, "B": 200})), language="en")
    chart = html[html.index('<table class="bars" aria-label="City">') :]
    widths = re.findall(r'<svg class="(\w+)" width="([\d.]+%)"', chart[: chart.index("</table>")])
    assert widths == [("this", "100.0%"), ("base", "62.5%"), ("this", "25.0%"), ("base", "62.5%")]


def test_labels_lose_what_does_not_belong_into_a_label() -> None:
    assert clean("a\x00b \n\t c") == "ab c"
    assert clean("上" * 30) == "上" * 23 + "…"
    assert percent(None) == "–"
    assert [percent(share) for share in (0, 0.0012, 0.0123, 0.099, 0.1, 0.126, 1)] == [
        "0%", "0.1%", "1.2%", "9.9%", "10%", "13%", "100%",
    ]  # fmt: skip
