"""Published journeys for the tests of the engine, in the form that the journeys layer carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from waypost.content.message import PublishedMessage
from waypost.defaults import Defaults
from waypost.errors import UnknownMessage
from waypost.journeys.published import PublishedJourneys
from waypost.sending.policy import SendingPolicy

JOURNEY = "new_user_nurture"

DEFAULTS: Final = {"time_zone": "Asia/Shanghai", "locale": "zh-CN"}

SENDING: dict[str, Any] = {
    "windows": {"email": {"start": "08:00", "end": "22:00"}, "sms": {"start": "09:00", "end": "21:00"}},
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


def push(name: str, *, topic: str = "nurture", kind: str = "transactional") -> dict[str, Any]:
    """A push message."""
    variants = {"push": {"en": {"title": "{{ contact.name }}", "text": "{{ journey.name }}", "link": ""}}}
    return {"name": name, "kind": kind, "topic": topic, "channels": ["push"], "variants": variants}


WECHAT_ACCOUNT: Final = "wx8f0a1b2c3d4e5f6a"
WECHAT_TEMPLATE: Final = "4m3vrpiSA-BDcL0YbQxVZm8KfYbC1aQqGJ3yq0b6n5E"


def wechat(name: str, *, form: str = "template", topic: str = "orders", kind: str = "transactional") -> dict[str, Any]:
    """A WeChat message of one of its forms."""
    field = "text" if form == "customer_service" else "thing1"
    template = "" if form == "customer_service" else WECHAT_TEMPLATE
    variant = {"kind": form, "account": WECHAT_ACCOUNT, "template": template, "url": "", "app_id": "", "page": ""}
    variants = {"wechat": {"zh-CN": variant | {f"field.{field}": "{{ contact.name }}"}}}
    return {"name": name, "kind": kind, "topic": topic, "channels": ["wechat"], "variants": variants}


def wecom(name: str, *, form: str = "welcome", kind: str = "transactional") -> dict[str, Any]:
    """A WeCom message of one of its forms."""
    given = {
        "code": "{{ event.properties.welcome_code | default('') }}",
        "until": "{{ event.properties.welcome_until }}",
    }
    variant = {
        "kind": form,
        "url": "",
        **(given if form == "welcome" else {}),
        "field.text": "您好",
    }
    return {
        "name": name,
        "kind": kind,
        "topic": "service",
        "channels": ["wecom"],
        "variants": {"wecom": {"zh-CN": variant}},
    }


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


@dataclass(frozen=True, slots=True)
class Published:
    """All that the synth publishes for the engine, in one value; as a catalogue it has the messages of its journeys."""

    defaults: Defaults
    policy: SendingPolicy
    journeys: PublishedJourneys
    messages: Mapping[str, PublishedMessage]

    def message(self, message_id: str, began_at: datetime | None = None) -> PublishedMessage:
        """See MessageCatalogue."""
        del began_at
        if message_id not in self.messages:
            raise UnknownMessage(message_id)
        return self.messages[message_id]


def published(*journeys: Mapping[str, Any], sending: Mapping[str, Any] | None = None) -> Published:
    """These journeys, or the usual one."""
    given = journeys or (journey(),)
    return Published(
        defaults=Defaults.from_dict(DEFAULTS),
        policy=SendingPolicy.from_dict(SENDING | dict(sending or {})),
        journeys=PublishedJourneys.from_dict({each["name"]: each for each in given}),
        messages={
            f"{each['name']}/{name}": PublishedMessage.from_dict(message)
            for each in given
            for name, message in each["messages"].items()
        },
    )
