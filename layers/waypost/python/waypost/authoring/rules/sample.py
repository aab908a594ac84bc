"""The contact of the reference page, for whom every example is evaluated. Used by the page and its test."""

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost.contacts.consent import Consent, ConsentState
from waypost.segments.inlining import inline
from waypost.segments.subject import Enrolled, History, Subject
from waypost.segments.vocabulary import Rule

ZONE: Final = ZoneInfo("Asia/Shanghai")
NOW: Final = datetime(2026, 11, 21, 10, 30, tzinfo=ZONE)

SEGMENTS: Final[dict[str, Rule | None]] = {
    "high-value": {"metric": "rfm_m", "at_least": 4},
    "at-risk": {"metric": "churn_risk", "equals": "high"},
}
"""The saved segments that examples name."""


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def _order(at: str, total: float, *products: str, **more: Any) -> tuple[str, datetime, dict[str, Any]]:
    return "order_placed", _at(at), {"total": total, "product_ids": list(products), **more}


def _cart(at: str) -> tuple[str, datetime, dict[str, Any]]:
    return "cart_updated", _at(at), {"cart_id": "c-9", "value": 128}


def _message(what: str, channel: str, at: str, key: str, journey: str) -> tuple[str, datetime, dict[str, Any]]:
    return f"message_{what}", _at(at), {"channel": channel, "message_key": key, "journey": journey}


def _mail(key: str, at: str, journey: str) -> tuple[str, datetime, dict[str, Any]]:
    return _message("delivered", "email", at, key, journey)


HISTORY: Final[History] = (
    ("registered", _at("2026-03-08T20:05"), {}),
    _mail("m-1", "2026-03-08T20:06", "new-user-nurture"),
    _message("opened", "email", "2026-03-08T21:00", "m-1", "new-user-nurture"),
    ("checkout_started", _at("2026-04-02T19:58"), {"cart_id": "c-1"}),
    (
        "coupon_issued",
        _at("2026-03-08T20:06"),
        {"pool": "welcome-10", "code": "WELCOME10", "expires_at": "2026-04-08T15:59:59Z"},
    ),
    _order("2026-04-02T20:10", 199, "p-1", "p-2", coupon="WELCOME10", cart_id="c-1"),
    ("coupon_redeemed", _at("2026-04-02T20:10"), {"pool": "welcome-10", "code": "WELCOME10"}),
    _order("2026-09-15T12:40", 350, "p-3"),
    _message("opened", "email", "2026-09-20T09:00", "m-0", "new-user-nurture"),
    _message("delivered", "sms", "2026-10-01T10:00", "s-1", "autumn-sale"),
    ("unsubscribed", _at("2026-10-01T10:05"), {"channel": "sms"}),
    _message("clicked", "email", "2026-10-12T21:00", "m-0", "autumn-sale"),
    _order("2026-11-05T18:20", 89, "p-1", cart_id="c-5"),
    _mail("m-2", "2026-11-08T10:00", "autumn-sale"),
    ("lifecycle_changed", _at("2026-11-10T03:30"), {"from": "new", "to": "active"}),
    (
        "coupon_issued",
        _at("2026-11-12T09:00"),
        {"pool": "birthday-month", "code": "B-7Q2", "expires_at": "2026-11-30T15:59:59Z"},
    ),
    _mail("m-3", "2026-11-12T10:00", "autumn-sale"),
    ("product_viewed", _at("2026-11-16T21:10"), {"product_id": "p-4", "category": "make-up"}),
    ("product_viewed", _at("2026-11-17T21:15"), {"product_id": "p-5", "category": "make-up"}),
    ("product_viewed", _at("2026-11-18T21:20"), {"product_id": "p-4", "category": "skin-care"}),
    _mail("m-4", "2026-11-18T10:00", "autumn-sale"),
    _cart("2026-11-18T21:30"),
    _cart("2026-11-19T12:15"),
    _cart("2026-11-20T22:05"),
    ("checkout_started", _at("2026-11-20T22:10"), {"cart_id": "c-9"}),
)

_ANSWERS: Final = {
    "email/*": Consent(granted=True, at=_at("2026-03-08T20:05"), source="sign-up form"),
    "sms/*": Consent(granted=False, at=_at("2026-10-01T10:05"), source="waypost"),
}


def _consents(channel: str, topic: str) -> ConsentState:
    answer = _ANSWERS.get(f"{channel}/{topic}", _ANSWERS.get(f"{channel}/*"))
    return "none" if answer is None else "granted" if answer.granted else "withdrawn"


def sample() -> Subject:
    """The contact at ``NOW``."""
    return Subject(
        contact_id="c-sample",
        now=NOW.astimezone(UTC),
        zone=ZONE,
        created_at=_at("2026-03-08T20:05"),
        attributes={
            "first_name": "林",
            "gender": "female",
            "birthday": "1996-11-25",
            "city": "上海市",
            "province": "上海市",
            "phone_carrier": "china_mobile",
            "address": {"district": "静安区"},
            "level": 3,
            "interests": ["make-up", "skin-care"],
            "nickname": "",
            "email": "lin@example.com",
            "phone": "+8613800138000",
            "locale": "zh-CN",
            "timezone": "Asia/Shanghai",
            "referral_code": "VIP-2026-0042",
            "last_login_at": "2026-11-20T22:00:00+08:00",
            "trial_ends_at": "2026-11-22T18:00:00+08:00",
            "renewal_date": "2026-12-05",
        },
        properties={"code": "VIP-2026-0042", "style": "skin-care"},
        trigger={"code": "VIP-2026-0042"},
        identities={"user_id": ["u-1001"], "email": ["lin@example.com"], "openid": ["wx-shop:oA1b2C3"]},
        tags=frozenset({"vip", "interest-beauty"}),
        tagged_at={"vip": _at("2026-10-01T09:00"), "interest-beauty": _at("2026-11-12T09:00")},
        groups=frozenset({"beta-testers", "shanghai-club"}),
        segments={"high-value": _at("2026-11-18T03:30")},
        lifecycle="active",
        points=1200,
        metrics={"rfm_r": 5, "rfm_f": 3, "rfm_m": 4, "churn_risk": "low", "churn_score": 10, "activity": 42.5},
        consents=_consents,
        consent_answers=_ANSWERS,
        suppressions={"sms": "invalid_number"},
        history=HISTORY,
        enrolments=(
            Enrolled("new-user-nurture", "ended", "goal", _at("2026-03-08T20:06")),
            Enrolled("cart-reminder", "active", None, _at("2026-11-20T23:05")),
        ),
        seen=_seen(),
    )


def _seen() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind, at, _ in HISTORY:
        first, last = found.get(kind, (at.date(), at.date()))
        found[kind] = (min(first, at.date()), max(last, at.date()))
    return found


def written_out(rule: Rule) -> Rule:
    """The rule with the page's saved segments in place of their names."""
    return inline(rule, SEGMENTS) or {}
