"""The calls of Segment's HTTP tracking API and the events they become. Called by the receiver and the API document.

Source: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/ and the Segment Spec beside it.
``integrations`` and other members we do not name are ignored, as Segment ignores what it does not know. The models are
built when first used (``defer_build``), because a request needs one or two of them.
"""

import base64
import binascii
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from waypost import ids
from waypost.contacts import cleaning, push_tokens
from waypost.contacts.cleaning import Unusable
from waypost.contacts.identity.acceptance import clean_identity, token_objection
from waypost.events.envelope import IDENTITY_KINDS, WRITE_KEY_SOURCE
from waypost.events.names import snake_case
from waypost.intake.event_collector import NO_NAMES, Reading, Stated, sender_id, usable_id
from waypost.intake.field_types import (
    EventName,
    GivenIdentifier,
    Object,
    OptionalIdentifier,
    OptionalInstant,
    OptionalText,
    empty_array_as_object,
    join,
    usable_part,
)
from waypost.intake.public_key import Caller
from waypost.intake.request_outcome import SERVER_KEY_NEEDED, Problem
from waypost.intake.traits import IDENTITY_TRAITS, Traits, read_traits

SOURCE: Final = WRITE_KEY_SOURCE
MAX_BATCH: Final = 2500
MOST_EXTERNAL_IDS: Final = 20

_SDK: Final = re.compile(r"(analytics|rudder|segment)", re.IGNORECASE)


_KNOWN_TRAITS: Final = {"email", "phone", *IDENTITY_TRAITS}
"""What ``context.traits`` of any call say about who the person is; the rest of them is for identify."""


_OWN_IDS: Final = {"id", "user_id", "anonymous_id"}
"""What mobile SDKs repeat of the call among ``context.traits``; no attributes."""


def accepted_status(user_agent: str) -> int:
    """The HTTP status that tells this client its events were accepted.

    202 is the truth. Segment itself answers 200, and SDKs take nothing else for success: analytics-php posts the batch
    again without end, RudderStack's for Python and Segment's before 2.4 post it ten times more. They announce
    themselves as ``analytics-<language>/<version>``.
    """
    return 200 if _SDK.match(user_agent) else 202


def write_key(authorization: str) -> str | None:
    """The write key of a Basic ``Authorization`` header; None when the header says nothing of this kind."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


class Device(BaseModel):
    """The device of an app; its token is where push messages go."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    token: OptionalText = None
    type: OptionalText = None


class ExternalId(BaseModel):
    """Another id of the person. Taken are those of users, unencoded, whose type is one of our kinds of identity.

    Source: https://www.twilio.com/docs/segment/unify/identity-resolution/externalids (custom externalIDs).
    """

    model_config = ConfigDict(extra="ignore", defer_build=True)

    id: GivenIdentifier
    type: str
    collection: str = "users"
    encoding: str = "none"

    @property
    def kind(self) -> str:
        """The kind of identity, "" for one that we do not keep."""
        name = snake_case(self.type)
        kind = IDENTITY_TRAITS.get(name, name)
        return kind if (self.collection, self.encoding) == ("users", "none") and kind in IDENTITY_KINDS else ""


class Context(BaseModel):
    """What the SDK knows around a call; we read the locale, the time zone, the device, the person's traits and other ids."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    locale: OptionalText = None
    timezone: OptionalText = None
    traits: Object = Field(default_factory=dict)
    user_hash: OptionalText = Field(
        default=None,
        validation_alias=AliasChoices("userHash", "user_hash"),
        description="HMAC-SHA256 of the userId under a server key, in hex: proves that the visitor is this user.",
    )
    device: Annotated[Device, BeforeValidator(empty_array_as_object)] = Field(default_factory=Device)
    external_ids: list[ExternalId] = Field(
        default_factory=list,
        alias="externalIds",
        max_length=MOST_EXTERNAL_IDS,
        description="Each with id, type (a kind of identity, such as unionid), collection users and encoding none.",
    )

    def over(self, shared: "Context") -> "Context":
        """This context, completed by the one of the whole batch."""
        return self.model_copy(
            update={
                "locale": self.locale or shared.locale,
                "timezone": self.timezone or shared.timezone,
                "traits": shared.traits | self.traits,
                "user_hash": self.user_hash or shared.user_hash,
                "device": self.device if self.device.token else shared.device,
                "external_ids": self.external_ids or shared.external_ids,
            }
        )

    def profile(self) -> dict[str, Any]:
        """Locale, time zone and push token, if they are usable; devices report odd ones, which no sender can correct."""
        reported = {"locale": cleaning.locale(self.locale or ""), "timezone": cleaning.time_zone(self.timezone or "")}
        found: dict[str, Any] = {name: value for name, value in reported.items() if not isinstance(value, Unusable)}
        token = [{"token": self.device.token or "", "platform": (self.device.type or "unknown").strip().lower()}]
        is_unusable = push_tokens.problem(token) or token_objection(self.device.token or "")
        return found if is_unusable else found | {push_tokens.ATTRIBUTE: token}

    def identities(self, where: str, region: str) -> Traits:
        """The identities among the external ids; two of one kind cannot both be the person's in one call."""
        found = Traits()
        for place, external in enumerate(self.external_ids):
            if not external.kind:
                continue
            path = f"{where}[{place}].id"
            match clean_identity(external.kind, external.id, region=region):
                case Unusable(reason):
                    found.problems.append(Problem(path, reason))
                case value if found.identities.setdefault(external.kind, value) != value:
                    found.problems.append(
                        Problem(path, f"should be the only {external.kind}; send another call for another one")
                    )
        return found


GivenContext = Annotated[Context, BeforeValidator(empty_array_as_object)]


class Call(BaseModel, ABC):
    """What all calls share. At least one of userId, anonymousId, or an e-mail or phone in the traits is required."""

    model_config = ConfigDict(extra="ignore", defer_build=True)
    named: ClassVar[Mapping[str, str]] = NO_NAMES
    """The properties of the event that are fields of the call, by the names of the properties."""

    user_id: OptionalIdentifier = Field(default=None, alias="userId")
    anonymous_id: OptionalIdentifier = Field(default=None, alias="anonymousId")
    message_id: OptionalIdentifier = Field(
        default=None,
        alias="messageId",
        description="Makes repeating the call harmless; without it the content is the id.",
    )
    timestamp: OptionalInstant = Field(default=None, description="When it happened, on the sender's clock.")
    original_timestamp: OptionalInstant = Field(default=None, alias="originalTimestamp")
    sent_at: OptionalInstant = Field(
        default=None, alias="sentAt", description="The sender's clock at sending; corrects a clock that is wrong."
    )
    context: GivenContext = Field(default_factory=Context)

    @property
    @abstractmethod
    def event_type(self) -> str:
        """The type of the event this call becomes."""

    def event_properties(self) -> dict[str, Any]:
        """The properties of the event."""
        return {}

    def person(self, where: str, locale: str) -> Traits:
        """What the call says about the person: for most calls identities only, out of ``context``."""
        known = {name: value for name, value in self.context.traits.items() if snake_case(name) in _KNOWN_TRAITS}
        traits = read_traits(known, join(where, "context.traits"), locale=locale)
        others = self.context.identities(join(where, "context.externalIds"), cleaning.region_of(locale))
        return Traits(
            identities=others.identities | traits.identities,
            problems=traits.problems + others.problems,
            warnings=traits.warnings,
        )


class Identify(Call):
    """Ties a person to their traits."""

    traits: Object = Field(
        default_factory=dict,
        description=(
            "email, phone, unionid, openid (`<account>:<openid>`), external_userid, locale, timezone, consent, tags, "
            "remove_tags, groups, leave_groups, push_tokens, or your own."
        ),
    )

    @property
    def event_type(self) -> str:
        return "identified"

    def person(self, where: str, locale: str) -> Traits:
        """The traits are the profile. RudderStack's SDKs leave them in the context alone; where both say something, the call's own count.

        Source: https://www.rudderstack.com/docs/event-spec/standard-events/identify/, sample payload.
        """
        own = read_traits(self.traits, join(where, "traits"), locale=locale)
        around = {name: value for name, value in self.context.traits.items() if snake_case(name) not in _OWN_IDS}
        left = read_traits(around, join(where, "context.traits"), locale=own.profile.get("locale") or locale)
        others = self.context.identities(join(where, "context.externalIds"), cleaning.region_of(locale))
        return Traits(
            identities=others.identities | left.identities | own.identities,
            profile=left.profile | own.profile,
            problems=own.problems + left.problems + others.problems,
            warnings=own.warnings + left.warnings,
        )


class Track(Call):
    """Records what a person did: the event's name becomes the type (``Order Placed`` is ``order_placed``)."""

    event: EventName = Field(description="The name of what happened.", examples=["Order Placed"])
    properties: Object = Field(default_factory=dict)

    @property
    def event_type(self) -> str:
        return self.event

    def event_properties(self) -> dict[str, Any]:
        return self.properties


class Page(Call):
    """Records a visit to a page."""

    name: OptionalText = None
    category: OptionalText = None
    properties: Object = Field(default_factory=dict)

    @property
    def event_type(self) -> str:
        return "page_viewed"

    def event_properties(self) -> dict[str, Any]:
        named = {"name": self.name, "category": self.category}
        return self.properties | {key: value for key, value in named.items() if value is not None}


class Screen(Page):
    """Records a visit to a screen of an app."""

    @property
    def event_type(self) -> str:
        return "screen_viewed"


class Group(Call):
    """Makes a person a member of a group; the traits describe the group, not the person."""

    named = {"group": "groupId"}

    group_id: GivenIdentifier = Field(alias="groupId")
    traits: Object = Field(default_factory=dict)

    @property
    def event_type(self) -> str:
        return "group_joined"

    def event_properties(self) -> dict[str, Any]:
        return {"group": self.group_id, "group_id": self.group_id, "traits": self.traits}


class Alias(Call):
    """Says that two ids are one person."""

    named = {"previous_id": "previousId"}

    previous_id: GivenIdentifier = Field(alias="previousId")

    @property
    def event_type(self) -> str:
        return "contact_aliased"

    def event_properties(self) -> dict[str, Any]:
        return {"previous_id": self.previous_id}


class Batch(BaseModel):
    """Several calls at once, each with its ``type``; those that can be used are accepted."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    batch: list[Any] = Field(max_length=MAX_BATCH)
    sent_at: OptionalInstant = Field(default=None, alias="sentAt")
    context: GivenContext = Field(default_factory=Context)


CALLS: Final[dict[str, type[Call]]] = {
    "identify": Identify,
    "track": Track,
    "page": Page,
    "screen": Screen,
    "group": Group,
    "alias": Alias,
}
BATCH: Final = "batch"
MODELS: Final[dict[str, type[BaseModel]]] = {**CALLS, BATCH: Batch}

OTHER_PATHS: Final = {
    "i": "identify",
    "t": "track",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
    "b": BATCH,
    "import": BATCH,
}
"""What SDKs post to besides the documented paths: analytics.js uses initials, the Java SDK ``import``."""

_NOT_CONTENT: Final = {"sentAt", "receivedAt", "writeKey"}
"""What differs between two attempts to send the same call."""


def read(call: str, document: dict[str, Any], *, caller: Caller, received_at: datetime, correlation_id: str) -> Reading:
    """The events of a call (a key of ``CALLS``, or ``BATCH``), as far as the caller may send them."""
    reading = Reading(source=SOURCE, received_at=received_at, correlation_id=correlation_id)
    if call != BATCH:
        _read_call(call, document, "", reading, caller)
        return reading
    batch, problems = usable_part(Batch, document, "")
    match batch:
        case None:
            reading.unreadable(problems)
        case Batch():
            reading.problems += problems
            for index, item in enumerate(batch.batch):
                where = f"batch[{index}]"
                match item:
                    case {"type": str(kind)} if (name := kind.strip().lower()) in CALLS:
                        _read_call(name, item, where, reading, caller, batch)
                    case dict():
                        wrong = Problem(f"{where}.type", f"should be one of {', '.join(CALLS)}")
                        reading.reject(where, item, [wrong])
                    case _:
                        reading.reject(where, item, [Problem(where, "should be an object")])

    return reading


def _read_call(
    kind: str, given: dict[str, Any], where: str, reading: Reading, caller: Caller, batch: Batch | None = None
) -> None:
    call = reading.checked(CALLS[kind], given, where)
    if call is None:
        return
    context = call.context.over(batch.context) if batch else call.context
    sent_at = call.sent_at or (batch.sent_at if batch else None)
    about = call.model_copy(update={"context": context})
    profile = context.profile()
    traits = about.person(where, profile.get("locale", ""))
    lost = len(reading.problems)
    given_ids = {"userId": ("user_id", call.user_id), "anonymousId": ("anonymous_id", call.anonymous_id)}
    stated = {kind: reading.identity(kind, text, join(where, name)) for name, (kind, text) in given_ids.items()}
    if isinstance(call, Alias) and (unusable := reading.problems[lost:]):
        reading.reject(where, given, unusable)  # of the two ids, the wrong one would be joined to a third
        return
    traits.problems += [
        Problem(join(where, "context.externalIds"), f"should not differ from the call's own {kind}")
        for kind, value in stated.items()
        if value and traits.identities.get(kind, value) != value
    ]
    user_id = call.user_id if call.user_id and stated["user_id"] else ""  # a placeholder's hash proves nobody
    source, properties = caller.source(user_id, context.user_hash or ""), call.event_properties()
    if objection := caller.objection(call.event_type, properties, source):
        reading.reject(where, given, [Problem(join(where, "event"), objection, SERVER_KEY_NEEDED)])
        return
    permitted, left_out = caller.permitted(traits.profile, source, join(where, "traits"))
    traits.problems += left_out
    content = {name: value for name, value in given.items() if name not in _NOT_CONTENT}
    message_id = usable_id(call.message_id)
    reading.add(
        where,
        given,
        type=call.event_type,
        identities={kind: value for kind, value in stated.items() if value},
        traits=replace(traits, profile=profile | permitted),
        properties=properties,
        source=source,
        occurred=Stated(call.timestamp or call.original_timestamp, sent_at, "timestamp"),
        event_id=sender_id(SOURCE, message_id) if message_id else ids.event_id(SOURCE, [kind, content]),
        required="userId",
        named=call.named,
    )
