"""Sentences of marketers, the rules that docs/segments.md leads to, and contacts made by hand for whom they hold or do not.

It is Saturday 2026-11-21, 10:30, in Shanghai, where all of them live unless a sentence says otherwise.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.segments.naive import naive
from tests.segments.people import SHANGHAI, subject
from waypost.authoring.rules import dump_rule, parse_rule
from waypost.contacts.consent import Consent
from waypost.segments.compile import Subject, compile_rule, decide_from_profile
from waypost.segments.explain import explain

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=SHANGHAI)
Event = tuple[str, datetime, Mapping[str, Any]]
Contacts = dict[str, tuple[bool, dict[str, Any]]]


def at(when: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    """``11-20 22:05`` of this year, or with another one before it."""
    full = when if when[4] == "-" else f"2026-{when}"
    return datetime.fromisoformat(full.replace(" ", "T")).replace(tzinfo=zone).astimezone(UTC)


def did(kind: str, *times: str, **properties: Any) -> list[Event]:
    """The same event at several times."""
    return [(kind, at(time), properties) for time in times]


def who(
    *events: list[Event], zone: ZoneInfo = SHANGHAI, answers: Mapping[str, bool] | None = None, **facts: Any
) -> dict[str, Any]:
    """A contact with these attributes and events; ``answers`` are its consents, by channel."""
    known: dict[str, Any] = {
        key: facts.pop(key)
        for key in ("tags", "identities", "metrics", "points", "suppressions", "lifecycle", "contact_id")
        if key in facts
    }
    given = {
        f"{channel}/*": Consent(granted=granted, at=at("10-01 10:00"), source="page")
        for channel, granted in (answers or {}).items()
    }

    def consents(channel: str, _topic: str) -> str:
        answer = given.get(f"{channel}/*")
        return "none" if answer is None else "granted" if answer.granted else "withdrawn"

    return {
        "attributes": facts, "history": [each for some in events for each in some], "zone": zone, "now": NOW.astimezone(UTC),
        "consent_answers": given, "consents": consents, **known,
    }  # fmt: skip


HER: dict[str, Any] = {
    "gender": "female",
    "birthday": "1996-11-25",
    "city": "上海市",
    "interests": ["make-up"],
    "contact_id": "c-3",
}
CART = did("cart_updated", "11-10 20:00")
SENT = [
    each
    for n in range(1, 6)
    for each in did("message_delivered", f"11-{10 + n} 10:00", channel="email", message_key=f"m-{n}")
]

SENTENCES: dict[str, tuple[dict[str, Any], Contacts]] = {
    "women of 25 to 35 in Shanghai who like make-up, with a cart and no order in the last 30 days, outside the hold-out": (
        {"all": [
            {"attribute": "gender", "equals": "female"},
            {"attribute": "birthday", "age": {"between": [25, 35]}},
            {"region": "上海"},
            {"attribute": "interests", "contains": "make-up"},
            {"event": "cart_updated", "within": "30d"},
            {"not": {"event": "order_placed", "within": "30d"}},
            {"not": {"holdout": {"salt": "all-2026", "percent": 10}}},
        ]},
        {
            "all of it": (True, who(CART, **HER)),
            "spelled in Latin letters": (True, who(CART, **{**HER, "city": "Shanghai"})),
            "35 until tomorrow": (True, who(CART, **{**HER, "birthday": "1990-11-22"})),
            "36 today": (False, who(CART, **{**HER, "birthday": "1990-11-21"})),
            "25 today": (True, who(CART, **{**HER, "birthday": "2001-11-21"})),
            "a birthday nobody knows": (False, who(CART, **{k: v for k, v in HER.items() if k != "birthday"})),
            "ordered before the cart, in the 30 days": (False, who(CART, did("order_placed", "11-05 20:00"), **HER)),
            "ordered more than 30 days ago": (True, who(CART, did("order_placed", "10-22 10:29"), **HER)),
            "a cart of exactly 30 days": (True, who(did("cart_updated", "10-22 10:30"), **HER)),
            "likes nail-make-up only": (False, who(CART, **{**HER, "interests": ["nail-make-up"]})),
        },
    ),
    "bought at least twice in the last 90 days, but nothing for 30": (
        {"all": [{"event": "order_placed", "within": "90d", "at_least": 2}, {"not": {"event": "order_placed", "within": "30d"}}]},
        {
            "twice, long enough ago": (True, who(did("order_placed", "09-01 10:00", "10-01 10:00"))),
            "one of them lately": (False, who(did("order_placed", "09-01 10:00", "11-01 10:00"))),
            "once": (False, who(did("order_placed", "10-01 10:00"))),
            "one of them too long ago": (False, who(did("order_placed", "08-01 10:00", "10-01 10:00"))),
            "exactly 90 days and a second more than 30": (True, who(did("order_placed", "08-23 10:30", "10-22 10:29:59"))),
            "exactly 30 days is still within": (False, who(did("order_placed", "09-23 10:30", "10-22 10:30"))),
            "never": (False, who()),
        },
    ),
    "birthday in the next 7 days": (
        {"attribute": "birthday", "anniversary": {"next_days": 7}},
        {
            "today": (True, who(birthday="1990-11-21")),
            "on the seventh day, today counted": (True, who(birthday="1990-11-27")),
            "a day later": (False, who(birthday="1990-11-28")),
            "yesterday": (False, who(birthday="1990-11-20")),
            "unknown": (False, who()),
            "no date": (False, who(birthday="November")),
            "already tomorrow, far in the east": (True, who(birthday="1990-11-27", zone=ZoneInfo("Pacific/Auckland"))),
            "still yesterday, far in the west": (True, who(birthday="1990-11-20", zone=ZoneInfo("America/Los_Angeles"))),
        },
    ),
    "opened none of the last 5 mails": (
        {"engagement": "opened", "channel": "email", "of_last": 5, "exactly": 0},
        {
            "none of five": (True, who(SENT)),
            "only an older one": (True, who(did("message_delivered", "11-01 10:00", channel="email", message_key="m-0"), did("message_opened", "11-20 10:00", channel="email", message_key="m-0"), SENT)),
            "one of them": (False, who(SENT, did("message_opened", "11-20 10:00", channel="email", message_key="m-2"))),
            "only four arrived": (False, who(SENT[:4])),
            "the fifth was an SMS": (False, who(SENT[:4], did("message_delivered", "11-20 10:00", channel="sms", message_key="s"))),
            "nothing arrived": (False, who()),
        },
    ),
    "known in WeChat, but no phone number": (
        {"all": [{"any": [{"identity": "openid"}, {"identity": "unionid"}]}, {"not": {"address": "sms"}}]},
        {
            "by openid": (True, who(identities={"openid": ["wx-shop:o1"]})),
            "by unionid alone": (True, who(identities={"unionid": ["u1"]})),
            "with a phone": (False, who(identities={"openid": ["wx-shop:o1"]}, phone="+8613800138000")),
            "with an empty phone": (True, who(identities={"openid": ["wx-shop:o1"]}, phone="")),
            "not in WeChat": (False, who(identities={"email": ["a@example.com"]})),
            "unknown": (False, who()),
        },
    ),
    "ordered around last year's Double 11, but not around this year's": (
        {"all": [
            {"event": "order_placed", "between": ["2025-10-20", "2025-11-11"]},
            {"not": {"event": "order_placed", "between": ["2026-10-20", "2026-11-11"]}},
        ]},
        {
            "last year alone": (True, who(did("order_placed", "2025-11-11 23:59"))),
            "both": (False, who(did("order_placed", "2025-11-11 00:01", "11-11 00:01"))),
            "this year the day after": (True, who(did("order_placed", "2025-11-01 09:00", "11-12 00:00"))),
            "only this year": (False, who(did("order_placed", "11-11 00:01"))),
            "a minute too late last year": (False, who(did("order_placed", "2025-11-12 00:00"))),
            "in Berlin it was still the 11th": (True, who(did("order_placed", "2025-11-12 02:00"), zone=ZoneInfo("Europe/Berlin"))),
        },
    ),
    "average order above 500 in the last year": (
        {"event": "order_placed", "within": "365d", "average": "total", "more_than": 500},
        {
            "two that make 501": (True, who(did("order_placed", "10-01 10:00", total=2), did("order_placed", "10-02 10:00", total=1000))),
            "exactly 500": (False, who(did("order_placed", "10-01 10:00", total=500))),
            "a dear one long ago": (False, who(did("order_placed", "2025-11-01 10:00", total=9000), did("order_placed", "10-01 10:00", total=100))),
            "one without a total is left out": (True, who(did("order_placed", "10-01 10:00", total=600), did("order_placed", "10-02 10:00"))),
            "a total that is text is left out": (True, who(did("order_placed", "10-01 10:00", total=600), did("order_placed", "10-02 10:00", total="1"))),
            "never": (False, who()),
        },
    ),
    "first order within 7 days of signing up": (
        {"all": [
            {"event": "registered", "followed_by": {"event": "order_placed", "within": "7d"}},
            {"not": {"event": "order_placed", "followed_by": {"event": "registered"}}},
        ]},
        {
            "on the third day": (True, who(did("registered", "03-01 10:00"), did("order_placed", "03-03 10:00"))),
            "after exactly 7 days": (True, who(did("registered", "03-01 10:00"), did("order_placed", "03-08 10:00"))),
            "a second later": (False, who(did("registered", "03-01 10:00"), did("order_placed", "03-08 10:00:01"))),
            "ordered as a guest before": (False, who(did("order_placed", "02-01 10:00"), did("registered", "03-01 10:00"), did("order_placed", "03-03 10:00"))),
            "never ordered": (False, who(did("registered", "03-01 10:00"))),
            "the order arrived late": (True, who(did("order_placed", "03-03 10:00"), did("registered", "03-01 10:00"))),
        },
    ),
    "viewed the same product at least 3 times in a week": (
        {"event": "product_viewed", "repeated": "product_id", "at_least": 3, "within": "7d"},
        {
            "three times": (True, who(did("product_viewed", "11-18 10:00", "11-19 10:00", "11-20 10:00", product_id="p-1"))),
            "three different ones": (False, who(*(did("product_viewed", f"11-{20 - n} 10:00", product_id=f"p-{n}") for n in range(3)))),
            "twice, and one of them long ago": (False, who(did("product_viewed", "11-01 10:00", "11-19 10:00", "11-20 10:00", product_id="p-1"))),
            "three times among others": (True, who(did("product_viewed", "11-18 10:00", "11-19 10:00", "11-20 10:00", product_id="p-1"), did("product_viewed", "11-20 11:00", product_id="p-2"))),
            "no product named": (False, who(did("product_viewed", "11-18 10:00", "11-19 10:00", "11-20 10:00"))),
            "never": (False, who()),
        },
    ),
    "looked at a product this week and has not bought that one": (
        {"event": "product_viewed", "last_days": 7, "not_followed_by": {"event": "order_placed", "same": {"product_id": "product_ids"}}},
        {
            "nothing bought": (True, who(did("product_viewed", "11-20 10:00", product_id="p-1"))),
            "bought it": (False, who(did("product_viewed", "11-20 10:00", product_id="p-1"), did("order_placed", "11-20 11:00", product_ids=["p-2", "p-1"]))),
            "bought another one": (True, who(did("product_viewed", "11-20 10:00", product_id="p-1"), did("order_placed", "11-20 11:00", product_ids=["p-2"]))),
            "bought one of the two": (True, who(did("product_viewed", "11-20 10:00", product_id="p-1"), did("product_viewed", "11-20 10:01", product_id="p-2"), did("order_placed", "11-20 11:00", product_ids=["p-2"]))),
            "had bought it before": (True, who(did("order_placed", "11-19 11:00", product_ids=["p-1"]), did("product_viewed", "11-20 10:00", product_id="p-1"))),
            "bought it as a single thing": (False, who(did("product_viewed", "11-20 10:00", product_id="p-1"), did("order_placed", "11-20 11:00", product_ids="p-1"))),
            "looked long ago": (False, who(did("product_viewed", "11-14 23:59", product_id="p-1"))),
        },
    ),
    "bought make-up in the last 90 days (the order lists its products)": (
        {"event": "order_placed", "within": "90d", "where": {"products.category": {"contains": "make-up"}}},
        {
            "one of two": (True, who(did("order_placed", "10-01 10:00", products=[{"category": "home"}, {"category": "make-up"}]))),
            "another category": (False, who(did("order_placed", "10-01 10:00", products=[{"category": "make-up-bags"}]))),
            "without categories": (False, who(did("order_placed", "10-01 10:00", products=[{"product_id": "p-1"}]))),
            "a list of ids": (False, who(did("order_placed", "10-01 10:00", products=["make-up"]))),
            "one product, no list": (True, who(did("order_placed", "10-01 10:00", products={"category": "make-up"}))),
            "too long ago": (False, who(did("order_placed", "08-01 10:00", products=[{"category": "make-up"}]))),
        },
    ),
    "a cart of 1 to 24 hours ago, above 300, and no order since": (
        {"event": "cart_updated", "within": "24h", "older_than": "1h", "where": {"value": {"more_than": 300}}, "not_followed_by": {"event": "order_placed"}},
        {
            "three hours ago": (True, who(did("cart_updated", "11-21 07:30", value=301))),
            "half an hour ago": (False, who(did("cart_updated", "11-21 10:00", value=301))),
            "exactly an hour ago": (False, who(did("cart_updated", "11-21 09:30", value=301))),
            "exactly a day ago": (True, who(did("cart_updated", "11-20 10:30", value=301))),
            "the day before": (False, who(did("cart_updated", "11-20 10:29", value=301))),
            "a small one": (False, who(did("cart_updated", "11-21 07:30", value=300))),
            "ordered five hours after": (False, who(did("cart_updated", "11-21 02:30", value=301), did("order_placed", "11-21 07:30"))),
            "ordered before": (True, who(did("order_placed", "11-21 07:00"), did("cart_updated", "11-21 07:30", value=301))),
        },
    ),
    "visited on a weekend in the last 30 days": (
        {"event": "page_viewed", "weekday": ["sat", "sun"], "within": "30d"},
        {
            "this morning": (True, who(did("page_viewed", "11-21 00:00"))),
            "last Sunday": (True, who(did("page_viewed", "11-15 23:59"))),
            "on a Friday": (False, who(did("page_viewed", "11-20 23:59"))),
            "Saturday here, Friday there": (False, who(did("page_viewed", "11-14 03:00"), zone=ZoneInfo("America/New_York"))),
            "a weekend two months ago": (False, who(did("page_viewed", "09-19 10:00"))),
            "never": (False, who()),
        },
    ),
    "never agreed to SMS, but to e-mail": (
        {"all": [{"consent": "email"}, {"not": {"consent": "sms"}}]},
        {
            "asked for e-mail only": (True, who(answers={"email": True})),
            "refused SMS": (True, who(answers={"email": True, "sms": False})),
            "agreed to both": (False, who(answers={"email": True, "sms": True})),
            "refused both": (False, who(answers={"email": False, "sms": False})),
            "only SMS": (False, who(answers={"sms": True})),
            "no answer": (False, who()),
        },
    ),
    "points that expire within 30 days": (
        {"all": [{"attribute": "points_expire_on", "next_days": 30}, {"points": {"at_least": 1}}]},
        {
            "in a week": (True, who(points_expire_on="2026-11-28", points=200)),
            "today": (True, who(points_expire_on="2026-11-21", points=200)),
            "on the thirtieth day": (True, who(points_expire_on="2026-12-20", points=200)),
            "a day later": (False, who(points_expire_on="2026-12-21", points=200)),
            "yesterday": (False, who(points_expire_on="2026-11-20", points=200)),
            "none left": (False, who(points_expire_on="2026-11-28", points=0)),
            "no date known": (False, who(points=200)),
        },
    ),
    "a coupon that is still unused and ends within 3 days": (
        {"event": "coupon_received", "where": {"expires_on": {"next_days": 3}}, "not_followed_by": {"event": "order_placed", "same": {"code": "coupon"}}},
        {
            "unused": (True, who(did("coupon_received", "11-01 10:00", code="A", expires_on="2026-11-23"))),
            "used": (False, who(did("coupon_received", "11-01 10:00", code="A", expires_on="2026-11-23"), did("order_placed", "11-05 10:00", coupon="A"))),
            "another one used": (True, who(did("coupon_received", "11-01 10:00", code="A", expires_on="2026-11-23"), did("order_placed", "11-05 10:00", coupon="B"))),
            "ordered without one": (True, who(did("coupon_received", "11-01 10:00", code="A", expires_on="2026-11-23"), did("order_placed", "11-05 10:00"))),
            "ended already": (False, who(did("coupon_received", "11-01 10:00", code="A", expires_on="2026-11-20"))),
            "ends later": (False, who(did("coupon_received", "11-01 10:00", code="A", expires_on="2026-11-24"))),
            "none received": (False, who()),
        },
    ),
    "bought exactly once, 30 to 60 days ago": (
        {"all": [{"event": "order_placed", "exactly": 1}, {"event": "order_placed", "days_since": {"between": [30, 60]}}]},
        {
            "40 days ago": (True, who(did("order_placed", "10-12 10:00"))),
            "30 calendar days ago, though fewer hours": (True, who(did("order_placed", "10-22 23:00"))),
            "29 days ago": (False, who(did("order_placed", "10-23 00:00"))),
            "60 days ago": (True, who(did("order_placed", "09-22 00:00"))),
            "61 days ago": (False, who(did("order_placed", "09-21 23:59"))),
            "twice": (False, who(did("order_placed", "10-12 10:00", "10-13 10:00"))),
        },
    ),
    "clicked in the autumn sale's mail and did not order within 3 days": (
        {"engagement": "clicked", "of_journey": "autumn-sale", "within": "30d", "not_followed_by": {"event": "order_placed", "within": "3d"}},
        {
            "clicked only": (True, who(did("message_clicked", "11-10 10:00", channel="email", journey="autumn-sale"))),
            "ordered the next day": (False, who(did("message_clicked", "11-10 10:00", channel="email", journey="autumn-sale"), did("order_placed", "11-11 10:00"))),
            "ordered on the fifth day": (True, who(did("message_clicked", "11-10 10:00", channel="email", journey="autumn-sale"), did("order_placed", "11-15 10:00"))),
            "the three days are not over": (False, who(did("message_clicked", "11-20 10:00", channel="email", journey="autumn-sale"))),
            "another journey's mail": (False, who(did("message_clicked", "11-10 10:00", channel="email", journey="spring"))),
            "two clicks, ordered after the first": (True, who(did("message_clicked", "11-01 10:00", "11-10 10:00", channel="email", journey="autumn-sale"), did("order_placed", "11-02 10:00"))),
        },
    ),
    "the last sign of life exactly 14 days ago (for a daily run)": (
        {"event": ["logged_in", "order_placed"], "occurrence": "last", "days_since": 14},
        {
            "14 days ago": (True, who(did("logged_in", "11-07 23:59"))),
            "and earlier ones": (True, who(did("order_placed", "10-01 10:00"), did("logged_in", "11-07 00:00"))),
            "13 days ago": (False, who(did("logged_in", "11-08 00:00"))),
            "and something since": (False, who(did("logged_in", "11-07 10:00"), did("order_placed", "11-08 10:00"))),
            "only got mail since": (True, who(did("logged_in", "11-07 10:00"), did("message_delivered", "11-20 10:00", channel="email"))),
            "never": (False, who()),
        },
    ),
    "a baby of 6 to 12 months": (
        {"attribute": "child_birthday", "days_since": {"between": [183, 365]}},
        {
            "9 months": (True, who(child_birthday="2026-02-21")),
            "a year and a day": (False, who(child_birthday="2025-11-20")),
            "a year": (True, who(child_birthday="2025-11-21")),
            "5 months": (False, who(child_birthday="2026-06-21")),
            "not born yet": (False, who(child_birthday="2027-01-01")),
            "no child": (False, who()),
        },
    ),
    "the third order came in the last week": (
        {"event": "order_placed", "occurrence": 3, "within": "7d"},
        {
            "the third yesterday": (True, who(did("order_placed", "01-01 10:00", "02-01 10:00", "11-20 10:00"))),
            "the fourth yesterday": (False, who(did("order_placed", "01-01 10:00", "02-01 10:00", "03-01 10:00", "11-20 10:00"))),
            "the third and the fourth this week": (True, who(did("order_placed", "01-01 10:00", "02-01 10:00", "11-19 10:00", "11-20 10:00"))),
            "only two": (False, who(did("order_placed", "01-01 10:00", "11-20 10:00"))),
            "an older one that arrived late makes the fourth of the third": (False, who(did("order_placed", "01-01 10:00", "02-01 10:00", "11-20 10:00"), did("order_placed", "01-15 10:00"))),
            "exactly a week ago": (True, who(did("order_placed", "01-01 10:00", "02-01 10:00", "11-14 10:30"))),
        },
    ),
    "likely to leave, though they have spent 2,000 or more in a year, and may be written to": (
        {"all": [
            {"metric": "churn_risk", "equals": "high"},
            {"event": "order_placed", "within": "365d", "sum": "total", "at_least": 2000},
            {"reachable": "any"},
        ]},
        {
            "by e-mail": (True, who(did("order_placed", "01-01 10:00", "02-01 10:00", total=1000), metrics={"churn_risk": "high"}, email="a@example.com", answers={"email": True})),
            "has not agreed": (False, who(did("order_placed", "01-01 10:00", total=2000), metrics={"churn_risk": "high"}, email="a@example.com")),
            "agreed to SMS, but has no phone": (False, who(did("order_placed", "01-01 10:00", total=2000), metrics={"churn_risk": "high"}, email="a@example.com", answers={"sms": True})),
            "bounced": (False, who(did("order_placed", "01-01 10:00", total=2000), metrics={"churn_risk": "high"}, email="a@example.com", answers={"email": True}, suppressions={"email": "hard_bounce"})),
            "0.1 and 0.2 are 0.3": (True, who(did("order_placed", "01-01 10:00", total=1999.7), did("order_placed", "02-01 10:00", total=0.1), did("order_placed", "03-01 10:00", total=0.2), metrics={"churn_risk": "high"}, email="a@example.com", answers={"email": True})),
            "not computed yet": (False, who(did("order_placed", "01-01 10:00", total=2000), email="a@example.com", answers={"email": True})),
        },
    ),
}  # fmt: skip

CASES = [
    pytest.param(rule, facts, holds, id=f"{sentence}: {name}")
    for sentence, (rule, contacts) in SENTENCES.items()
    for name, (holds, facts) in contacts.items()
]


@pytest.mark.parametrize(("rule", "facts", "holds"), CASES)
def test_a_sentence_of_marketing_means_these_contacts(rule: dict[str, Any], facts: dict[str, Any], holds: bool) -> None:
    written = dump_rule(parse_rule(rule))
    someone: Subject = subject(**facts)
    assert compile_rule(written)(someone) is holds
    if "region" not in str(rule):  # the naive reading knows no map of China
        assert naive(rule, someone) is holds
    assert decide_from_profile(written)(someone) in {None, holds}
    assert explain(written, someone).holds is holds


def test_every_sentence_is_asked_of_contacts_of_both_kinds() -> None:
    for contacts in (contacts for _, contacts in SENTENCES.values()):
        assert len(contacts) >= 6
        assert {holds for holds, _ in contacts.values()} == {True, False}
