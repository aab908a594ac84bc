"""Published journeys for the tests of the engine, in the form that the journeys layer carries."""

from collections.abc import Mapping
from typing import Any

from waypost.journeys.published import Published

JOURNEY = "new_user_nurture"

SENDING: dict[str, Any] = {
    "default_time_zone": "Asia/Shanghai",
    "default_locale": "zh-CN",
    "windows": {"email": ["08:00", "22:00"], "sms": ["09:00", "21:00"]},
    "frequency_cap": {"count": 2, "hours": 24},
    "send_within_hours": 72,
}


def email(name: str, *, topic: str = "nurture", kind: str = "marketing") -> dict[str, Any]:
    """A message on mail."""
    variants = {
        "email": {
            "zh-CN": {
                "subject": "欢迎 {{ contact.name }}",
                "html": "<p>{{ contact.name }}</p>",
                "text": "{{ contact.name }}",
            },
            "en": {
                "subject": "Welcome {{ contact.name }}",
                "html": '<p>{{ contact.name }} <a href="{{ links.unsubscribe }}">unsubscribe</a></p>',
                "text": "{{ contact.name }} {{ links.unsubscribe }}",
            },
        }
    }
    return {"name": name, "kind": kind, "topic": topic, "channels": ["email"], "variants": variants}


def sms(name: str, *, topic: str = "nurture", kind: str = "marketing") -> dict[str, Any]:
    """A message on SMS."""
    variants = {"sms": {"zh-CN": {"text": "{{ journey.name }}"}, "en": {"text": "{{ journey.name }}"}}}
    return {"name": name, "kind": kind, "topic": topic, "channels": ["sms"], "variants": variants}


def either(name: str, *channels: str) -> dict[str, Any]:
    """A message on several channels, tried in this order."""
    variants = {**email(name)["variants"], **sms(name)["variants"]}
    return email(name) | {"channels": list(channels), "variants": variants}


def journey(name: str = JOURNEY, **changes: Any) -> dict[str, Any]:
    """A journey that ``registered`` starts, ``order_placed`` with the trigger's coupon completes and ``left_us`` exits."""
    messages = [
        email("welcome"),
        sms("survey"),
        either("reminder", "sms", "email"),
        sms("order_confirmation", topic="orders", kind="transactional"),
    ]
    return {
        "name": name,
        "scenario": "New-user 7-day nurture",
        "description": "Welcomes new users",
        "owner": "growth",
        "version": 1,
        "priority": 10,
        "exclusive_group": None,
        "trigger": {"kind": "event", "event": "registered", "where": None},
        "entry": None,
        "re_entry": {"kind": "never", "seconds": None, "property": None},
        "exit_on": [{"event": "left_us", "where": None}],
        "goal": {
            "event": "order_placed",
            "where": {"property": "coupon", "equals_trigger": "coupon"},
            "within_seconds": 7 * 86_400,
        },
        "target": None,
        "audience_limit": None,
        "messages": {message["name"]: message for message in messages},
    } | changes


def published(*journeys: Mapping[str, Any], sending: Mapping[str, Any] | None = None) -> Published:
    """These journeys, or the usual one."""
    given = journeys or (journey(),)
    return Published.from_dict(
        {"sending": SENDING | dict(sending or {}), "journeys": {each["name"]: dict(each) for each in given}}
    )
