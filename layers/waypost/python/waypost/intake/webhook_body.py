"""The body of ``POST /v1/webhooks/{source}`` and the events it becomes. Called by the receiver and the API document."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints

from waypost.contacts import cleaning
from waypost.events.envelope import IDENTITY_KINDS
from waypost.intake.event_collector import Reading, Stated, sender_id, usable_id
from waypost.intake.field_types import EventName, Object, OptionalIdentifier, OptionalInstant, join, usable_part
from waypost.intake.request_outcome import Problem
from waypost.intake.traits import read_traits

MAX_EVENTS: Final = 500


class WebhookContact(BaseModel):
    """Who the event is about: at least one identity. The profile may add an e-mail address or phone number."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    contact_id: Annotated[str, StringConstraints(pattern=r"^c-[0-9a-f]{24}$")] | None = Field(
        default=None, description="Waypost's own id of the contact."
    )
    user_id: OptionalIdentifier = Field(default=None, validation_alias=AliasChoices("user_id", "userId"))
    anonymous_id: OptionalIdentifier = Field(default=None, validation_alias=AliasChoices("anonymous_id", "anonymousId"))
    unionid: OptionalIdentifier = Field(
        default=None, validation_alias=AliasChoices("unionid", "unionId"), description="WeChat's, one in all accounts."
    )
    external_userid: OptionalIdentifier = Field(
        default=None, validation_alias=AliasChoices("external_userid", "externalUserId"), description="WeCom's."
    )
    openid: OptionalIdentifier = Field(
        default=None,
        validation_alias=AliasChoices("openid", "openId"),
        description="WeChat's, with the official account or mini program it is valid in: `<account>:<openid>`.",
    )
    email: OptionalIdentifier = None
    phone: OptionalIdentifier = Field(default=None, description="In E.164, for example +8613800138000.")


class WebhookEvent(BaseModel):
    """One thing that happened to one contact."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    type: EventName = Field(
        validation_alias=AliasChoices("type", "event"), description="In the past tense.", examples=["order_placed"]
    )
    contact: WebhookContact
    occurred_at: OptionalInstant = Field(default=None, validation_alias=AliasChoices("occurred_at", "timestamp"))
    properties: Object = Field(default_factory=dict, validation_alias=AliasChoices("properties", "data"))
    profile: Object = Field(
        default_factory=dict,
        validation_alias=AliasChoices("profile", "traits"),
        description=(
            "What else to know of the contact: email, phone, locale, timezone, consent, tags, remove_tags, groups, "
            "leave_groups, push_tokens, or your own."
        ),
    )
    id: OptionalIdentifier = Field(
        default=None, description="The sender's id of the event; without it the webhook-id stands in."
    )


class WebhookEvents(BaseModel):
    """Several events at once; those that can be used are accepted."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    events: list[WebhookEvent] = Field(min_length=1, max_length=MAX_EVENTS)


class _Items(BaseModel):
    """The outer form of several events; each is checked on its own, so that its size is checked first."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    events: list[Any] = Field(min_length=1, max_length=MAX_EVENTS)


def read(
    document: dict[str, Any], *, source: str, webhook_id: str, received_at: datetime, correlation_id: str
) -> Reading:
    """The events of a body: one event, or several under ``events``."""
    reading = Reading(source=source, received_at=received_at, correlation_id=correlation_id)
    if "events" not in document:
        _read_event(document, "", sender_id(source, webhook_id), reading)
        return reading
    items, problems = usable_part(_Items, document, "")
    match items:
        case None:
            reading.unreadable(problems)
        case _Items(events=events):
            reading.problems += problems
            for index, given in enumerate(events):
                where = f"events[{index}]"
                if isinstance(given, dict):
                    _read_event(given, where, f"{sender_id(source, webhook_id)}/{index}", reading)
                else:
                    reading.reject(where, given, [Problem(where, "should be an object")])

    return reading


def _read_event(given: dict[str, Any], where: str, fallback_id: str, reading: Reading) -> None:
    event = reading.checked(WebhookEvent, given, where)
    if event is None:
        return
    traits = read_traits(event.profile, join(where, "profile"))
    stated = event.contact
    region = cleaning.region_of(traits.profile.get("locale") or "")
    identities = {"contact_id": stated.contact_id} if stated.contact_id else {}
    for kind in IDENTITY_KINDS:
        if value := reading.identity(kind, getattr(stated, kind), join(where, f"contact.{kind}"), region=region):
            identities[kind] = value
    own_id = usable_id(event.id)
    reading.add(
        where,
        given,
        type=event.type,
        identities=identities,
        traits=traits,
        properties=event.properties,
        occurred=Stated(event.occurred_at),
        event_id=sender_id(reading.source, own_id) if own_id else fallback_id,
        required="contact",
    )
