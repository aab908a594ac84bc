"""Which channels there are, where each finds its address in a contact, and what its providers report.

A channel is a folder of ``waypost/channels``; its ``channel.json`` is read here, because rules, imports and consent need to
know the channels without loading what sends on them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Literal, NewType, Protocol, Self, assert_never, get_args

from waypost import ids
from waypost.contacts.cleaning.addresses import takes_texts
from waypost.errors import InvalidInput

Channel = NewType("Channel", str)
"""The name of a channel, which is the name of its folder. What comes from outside becomes one by ``channel_named``."""

Report = Literal["accepted", "delivered", "bounced", "complained", "failed", "opened", "clicked", "dismissed"]

_REPORTS: Final[Mapping[str, Report]] = {report: report for report in get_args(Report)}
_FOLDER: Final = Path(__file__).parent.parent / "channels"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: a normalised text that means something on its channel only.

    ``kind`` is what it is to the contact (``email``, ``phone``, ``openid``, ``push_tokens``). ``qualifier`` narrows it
    where there are several at a time: the platform of a device.
    """

    channel: Channel
    kind: str
    text: str
    qualifier: str = ""

    @property
    def digest(self) -> str:
        """What stands for the address where the address itself must not: the same for the same channel and text."""
        return _digest(self.channel, self.text)


@lru_cache(maxsize=1024)
def _digest(channel: str, text: str) -> str:
    """A send asks for it often."""
    return ids.digest("address", channel, text)


class Known(Protocol):
    """What is known of a contact: its profile, or the view of it that rules have."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Attributes by name."""
        ...

    @property
    def identities(self) -> Mapping[str, Any]:
        """Identities by kind."""
        ...


@dataclass(frozen=True, slots=True)
class AddressSource:
    """Where a contact keeps its addresses on a channel: in an attribute, or among its identities of a kind.

    ``only`` narrows what counts there: ``texts`` are phone numbers that take text messages.
    """

    kept_as: Literal["attribute", "identity"]
    name: str
    only: Literal["", "texts"] = ""

    def addresses(self, channel: Channel, known: Known) -> tuple[Address, ...]:
        """The addresses of a contact, the newest last; none where what is kept there is no address."""
        kept = self.kept(known)
        found = (self._address(channel, each) for each in (kept if isinstance(kept, list | tuple) else [kept]))
        return tuple(each for each in found if each.text)

    def kept(self, known: Known) -> Any:
        """What a contact has there: a text or a list, or None."""
        match self.kept_as:
            case "attribute":
                value = known.attributes.get(self.name)
                return None if self.only == "texts" and isinstance(value, str) and not takes_texts(value) else value
            case "identity":
                return known.identities.get(self.name)
            case _:
                assert_never(self.kept_as)

    def _address(self, channel: Channel, kept: Any) -> Address:
        if isinstance(kept, Mapping):  # a device, as ``push_tokens`` lists them
            return Address(channel, self.name, str(kept.get("token") or ""), str(kept.get("platform") or ""))
        return Address(channel, self.name, kept if isinstance(kept, str) else "")

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From ``{"attribute": "phone", "only": "texts"}`` or ``{"identity": "openid"}``. Raises ValueError."""
        match dict(value):
            case {"attribute": str(name), "only": "texts", **more} if not more:
                return cls("attribute", name, "texts")
            case {"attribute": str(name), **more} if not more:
                return cls("attribute", name)
            case {"identity": str(name), **more} if not more:
                return cls("identity", name)
            case _:
                raise ValueError("address: expected an attribute or a kind of identity")


@dataclass(frozen=True, slots=True)
class DeclaredChannel:
    """One ``channel.json``.

    ``reports`` are the message events its providers can report, ``suppressions`` the reasons for which they close an address,
    ``window`` the local hours for marketing where ``sending.yaml`` names none. ``names`` is what people call the channel and
    ``messages`` what they call its messages, by the tags of the pages' languages. ``providers`` are its providers, the
    usual one first, each with the AWS services it calls, whose definitions the dependency layer keeps; ``absent`` says by
    partition what of a service that is there it lacks. ``routed``: several providers at a time, of which the channel's
    ``routes.py`` chooses one for each message. ``per_second`` is how many messages they take from an account where a deployment says nothing else; None
    for as many as come. ``per_second_each`` is how many they take for one address. ``gives_rights`` are events by which a person lets messages be sent (``ChannelPlugin.rights_in``);
    ``answered_at_once`` are those that a message may answer past the queue (``callback_contract.AtOnce``), ``keyword_events``
    those of them whose ``text`` a person wrote. ``reopened_by`` are events that show that an address takes messages again, with
    the suppressions that they end. ``synced_after`` are events after which the provider is asked what it knows of the person
    (``people_contract``). ``to_staff``: members of staff alone have an address on it, contacts never do.
    """

    channel: Channel
    address: AddressSource
    reports: frozenset[Report]
    suppressions: frozenset[str]
    window: tuple[str, str]
    names: Mapping[str, str]
    messages: Mapping[str, str]
    providers: Mapping[str, frozenset[str]]
    absent: Mapping[str, str]
    routed: bool = False
    per_second: float | None = None
    per_second_each: float | None = None
    to_staff: bool = False
    gives_rights: frozenset[str] = frozenset()
    answered_at_once: frozenset[str] = frozenset()
    synced_after: frozenset[str] = frozenset()
    keyword_events: frozenset[str] = frozenset()
    reopened_by: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def services(self) -> frozenset[str]:
        """The AWS services that any of its providers calls."""
        return frozenset().union(*self.providers.values())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises InvalidInput with the path for a declaration that does not hold what it must."""
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                channel=Channel(path.parent.name),
                address=AddressSource.from_dict(value["address"]),
                reports=frozenset(_REPORTS[report] for report in value["reports"]),
                suppressions=frozenset(value["suppressions"]),
                window=_window(*value["window"]),
                names=dict(value["names"]),
                messages=dict(value["messages"]),
                providers={name: frozenset(services) for name, services in value["providers"].items()},
                absent=dict(value.get("absent", {})),
                routed=bool(value.get("routed", False)),
                per_second=value.get("per_second"),
                per_second_each=value.get("per_second_each"),
                to_staff=bool(value.get("to_staff", False)),
                gives_rights=frozenset(value.get("gives_rights", ())),
                answered_at_once=frozenset(value.get("answered_at_once", ())),
                synced_after=frozenset(value.get("synced_after", ())),
                keyword_events=frozenset(value.get("keyword_events", ())),
                reopened_by={event: frozenset(ended) for event, ended in value.get("reopened_by", {}).items()},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(str(path), f"not the declaration of a channel: {error!r}") from None


def _window(first: str, last: str) -> tuple[str, str]:
    """Raises ValueError for what are no local times."""
    return time.fromisoformat(first).isoformat("minutes"), time.fromisoformat(last).isoformat("minutes")


@cache
def declared_channels() -> Mapping[Channel, DeclaredChannel]:
    """Every channel folder's declaration, by name."""
    found = (DeclaredChannel.read(path) for path in sorted(_FOLDER.glob("*/channel.json")))
    return {each.channel: each for each in found}


def channel_named(name: Any, field: str = "channel") -> Channel:
    """The channel of this name. Raises InvalidInput when there is none."""
    if isinstance(name, str) and name in declared_channels():
        return Channel(name)
    raise InvalidInput(field, f"there is no channel {name!r}; there are {', '.join(declared_channels())}")


def rates_of(text: str) -> Mapping[Channel, float]:
    """``email=14,sms=0.5`` by channel. Raises InvalidInput for what is neither."""
    found: dict[Channel, float] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, number = part.partition("=")
        try:
            found[channel_named(name)] = float(number)
        except ValueError:
            raise InvalidInput("rates", f"{part!r} is not a channel with a number") from None
    return found


CHANNELS: Final[tuple[Channel, ...]] = tuple(declared_channels())
CONTACT_CHANNELS: Final[tuple[Channel, ...]] = tuple(
    name for name, declared in declared_channels().items() if not declared.to_staff
)
"""Those on which contacts may be reached."""
