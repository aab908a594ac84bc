"""A stored profile as a rule sees it, straight from DynamoDB's attribute values. Used by the scan of all profiles.

A bulk run asks one rule of everybody, and a rule looks at a few fields of a profile of hundreds: only those are projected
and only those are converted.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, assert_never
from zoneinfo import ZoneInfo

from waypost.aws.table import load, load_item
from waypost.clock import parse_instant
from waypost.contacts.address_record import ADDRESS_ATTRIBUTES, closed_channels
from waypost.contacts.consent import Consent
from waypost.contacts.fitting import knows_all_types
from waypost.contacts.profile import Contact
from waypost.contacts.zones import zone_named
from waypost.segments.reads import EVERY, ZONE_ATTRIBUTE, Reads
from waypost.segments.subject import NOTHING, Subject, no_consents

StoredProfile = Mapping[str, dict[str, Any]]
"""A profile item, its attributes by name in DynamoDB's format."""

MOST_PATHS: Final = 60
"""Paths of one kind in a projection; beyond that the whole map is asked for. An expression ends at 4 KB (DynamoDB
Developer Guide, "Quotas and limits"), and a path takes about ten bytes."""

"""In ``Reads``: all tags, all metrics, all segments, and not some by name."""

_EMPTY: Final[Mapping[str, Any]] = {}
_NO_TEXTS: Final[frozenset[str]] = frozenset()
_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


def projection(reads: Reads) -> dict[str, Any]:
    """The parameters of a Scan that returns only what rules with these ``reads`` look at, and always the contact id.

    What was projected costs the same read units, and a fraction of the time to transfer and to parse.
    """
    asked = _Paths()
    asked.add("contact_id")
    asked.add("created_at")
    addresses = ADDRESS_ATTRIBUTES if reads.suppressions else ()
    asked.add_inside("attributes", reads.attributes | {ZONE_ATTRIBUTE, *addresses})
    for source in reads.sources():
        match source:
            case "tags":
                asked.add("tags")
                asked.add("tag_expiries")
                asked.add_inside("attributes_at", [_stamp(name) for name in reads.tags if name != EVERY])
            case "segments" | "metrics":
                asked.add_inside(source, getattr(reads, source))
            case "suppressions":  # of the address in use
                asked.add(source)
                asked.add("identities")
            case "lifecycle" | "points" | "identities" | "groups" | "consents":
                asked.add(source)
            case "attributes" | "time" | "journeys" | "property" | "trigger":
                pass  # asked above; of the moment; in the enrolments; of an event, which no scan has at hand
            case "events" | "any_event" | "history" | "enrolments":
                pass  # asked below, once for all of them
            case _:
                assert_never(source)
    if _reads_seen(reads):
        asked.add("seen")
    if reads.looks_back():
        asked.add("absorbed")
    return asked.parameters()


class _Paths:
    """The paths of a projection, their parts behind placeholders: an attribute may be called like a reserved word."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._paths: list[str] = []

    def add(self, *path: str) -> None:
        joined = ".".join([self._names.setdefault(part, f"#n{len(self._names)}") for part in path])
        if joined not in self._paths:  # of two that are the same, DynamoDB refuses both
            self._paths.append(joined)

    def add_inside(self, field: str, keys: Collection[str]) -> None:
        if len(keys) > MOST_PATHS or EVERY in keys:
            self.add(field)
        else:
            for key in sorted(keys):
                self.add(field, key)

    def parameters(self) -> dict[str, Any]:
        return {
            "ProjectionExpression": ", ".join(self._paths),
            "ExpressionAttributeNames": {placeholder: name for name, placeholder in self._names.items()},
        }


def viewer(reads: Reads, *, now: datetime, default_zone: ZoneInfo) -> Callable[[StoredProfile], Subject]:
    """A function that makes of a stored profile the subject that a rule with these ``reads`` needs.

    The rule decides the same on it as on ``subject_of`` the whole contact; fields it does not read are empty. ``seen``
    is None, not known, where the profile could not note every type of event.
    """
    zones = _Zones(default_zone)
    attributes = tuple(sorted(reads.attributes))
    reads_seen, types = _reads_seen(reads), None if reads.any_event else reads.events

    def view(item: StoredProfile) -> Subject:
        stored = item["attributes"]["M"] if "attributes" in item else _EMPTY
        tags = _tags(item, now) if reads.tags else _NO_TEXTS
        consents = _LazyConsents(item) if reads.consents and "consents" in item else None
        return Subject(
            attributes={name: _value(stored[name]) for name in attributes if name in stored},
            tags=tags,
            now=now,
            properties=NOTHING,
            trigger=NOTHING,
            consents=no_consents if consents is None else consents.state,
            contact_id=item["contact_id"]["S"],
            zone=zones.of(stored.get(ZONE_ATTRIBUTE)),
            created_at=datetime.fromisoformat(item["created_at"]["S"]),  # stored in UTC
            identities=_json(item, "identities") if reads.identities else NOTHING,
            groups=_texts(item, "groups") if reads.groups else _NO_TEXTS,
            segments=_instants(item, reads.segments) if reads.segments else NOTHING,
            lifecycle=item["lifecycle"]["S"] if reads.lifecycle and "lifecycle" in item else "",
            points=load(item["points"]) if reads.points and "points" in item else 0,
            metrics=_json(item, "metrics") if reads.metrics else NOTHING,
            suppressions=_closed(item, stored) if reads.suppressions else NOTHING,
            consent_answers=NOTHING if consents is None else consents,
            tagged_at=_TaggedAt(item, tags) if tags else NOTHING,
            seen=_seen(item, types) if reads_seen else None,
        )

    return view


def _reads_seen(reads: Reads) -> bool:
    return bool(reads.history or reads.events or reads.any_event)


def _stamp(tag: str) -> str:
    return f"tag:{tag}"


def partitions_of(item: StoredProfile) -> tuple[str, ...]:
    """The contact ids under which something of this contact is stored; see ``Contact.partitions``."""
    absorbed = tuple(each["S"] for each in item["absorbed"]["L"]) if "absorbed" in item else ()
    return (item["contact_id"]["S"], *absorbed)


class _Zones:
    """The zones of contacts; every name is looked up once."""

    def __init__(self, default: ZoneInfo) -> None:
        self._default = default
        self._known: dict[str, ZoneInfo] = {}

    def of(self, value: Mapping[str, Any] | None) -> ZoneInfo:
        """As ``zone_of`` a contact whose zone is stored so."""
        name = value.get("S") if value else None
        if not name:
            return self._default
        zone = self._known.get(name)
        if zone is None:
            zone = zone_named(name, self._default)
            if len(self._known) < 1000:  # names are the senders' to choose
                self._known[name] = zone
        return zone


def _value(stored: dict[str, Any]) -> Any:
    """As ``load``; most values are texts."""
    text = stored.get("S")
    return load(stored) if text is None else text


def _json(item: StoredProfile, name: str) -> dict[str, Any]:
    return load_item(item[name]["M"]) if name in item else {}


def _closed(item: StoredProfile, attributes: Mapping[str, Any]) -> Mapping[str, str]:
    """As ``Contact.closed``; few profiles have anything there."""
    suppressions = _json(item, "suppressions")
    if not suppressions:
        return NOTHING
    known = {name: load(attributes[name]) for name in ADDRESS_ATTRIBUTES if name in attributes}
    return closed_channels(suppressions, Contact("", _ANY_TIME, attributes=known, identities=_json(item, "identities")))


def _texts(item: StoredProfile, name: str) -> frozenset[str]:
    return frozenset([each["S"] for each in item[name]["L"]]) if name in item else frozenset()


def _instants(item: StoredProfile, keys: Collection[str]) -> dict[str, datetime]:
    stored = item["segments"]["M"] if "segments" in item else _EMPTY
    chosen = stored if EVERY in keys else [key for key in keys if key in stored]
    return {key: parse_instant(stored[key]["S"]) for key in chosen}


def _tags(item: StoredProfile, now: datetime) -> frozenset[str]:
    """As ``tags_at``: without those that have ended."""
    tags = _texts(item, "tags")
    if "tag_expiries" in item and (ends := item["tag_expiries"]["M"]):
        return tags - {name for name, end in ends.items() if parse_instant(end["S"]) <= now}
    return tags


class _TaggedAt(Mapping[str, datetime]):
    """Since when the contact has each of its tags; few rules ask, so nothing is read before one does."""

    __slots__ = ("_item", "_tags")

    def __init__(self, item: StoredProfile, tags: frozenset[str]) -> None:
        self._item = item
        self._tags = tags

    def __getitem__(self, tag: str) -> datetime:
        if tag not in self._tags:
            raise KeyError(tag)
        return parse_instant(self._stamps[_stamp(tag)]["S"])

    def __iter__(self) -> Iterator[str]:
        return (tag for tag in self._tags if _stamp(tag) in self._stamps)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def _stamps(self) -> Mapping[str, Any]:
        return self._item["attributes_at"]["M"] if "attributes_at" in self._item else _EMPTY


class _LazyConsents(Mapping[str, Consent]):
    """The contact's consents, deserialized only when a rule reads one."""

    __slots__ = ("_item", "_read")

    def __init__(self, item: StoredProfile) -> None:
        self._item = item
        self._read: Contact | None = None

    def state(self, channel: str, topic: str) -> str:
        """As ``Contact.consent``, which is the one reading of consents that there is."""
        return self._contact.consent(channel, topic)

    def __getitem__(self, key: str) -> Consent:
        return self._contact.consents[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._contact.consents)

    def __len__(self) -> int:
        return len(self._contact.consents)

    @property
    def _contact(self) -> Contact:
        if self._read is None:
            stored = self._item["consents"]["M"]
            consents = {key: Consent.from_dict(load_item(each["M"])) for key, each in stored.items()}
            self._read = Contact(contact_id="", created_at=_ANY_TIME, consents=consents)
        return self._read


def _seen(item: StoredProfile, types: Collection[str] | None) -> dict[str, tuple[date, date]] | None:
    if "seen" not in item:
        return {}
    stored = item["seen"]["M"]
    if not knows_all_types(stored):
        return None
    chosen = stored if types is None else [kind for kind in types if kind in stored]
    return {kind: _span(stored[kind]["L"]) for kind in chosen}


def _span(value: Sequence[Mapping[str, str]]) -> tuple[date, date]:
    return date.fromisoformat(value[0]["S"]), date.fromisoformat(value[-1]["S"])
