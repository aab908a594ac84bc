"""A contact and the pure rules by which an event changes it. Called by the router and by update_contact."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, Self

from waypost.codec import JsonForm, load_fields
from waypost.contacts import push_tokens
from waypost.contacts.address_record import closed_channels, suppression_key
from waypost.contacts.channels import CHANNELS, Address, Channel, channel_named, declared_channels
from waypost.contacts.cleaning.yearless import is_yearless, same_day
from waypost.contacts.consent import ALL_TOPICS, Answer, Consent, ConsentState, Given, consent_state
from waypost.contacts.fitting import Fitted, fitted
from waypost.errors import InvalidInput
from waypost.events.envelope import IDENTITY_KINDS, UNPROVEN_SOURCE, WRITE_KEY_SOURCE, Event
from waypost.events.message_events import SUPPRESSION_LIFTED, suppression_in

IDENTITY_ATTRIBUTES: Final = ("email", "phone")
"""The identities that are attributes too."""

LIFECYCLE_STAMP: Final = "lifecycle:stage"
"""The key in ``attributes_at`` of the last change of stage; no attribute has this name."""

MOST_POINTS: Final = 1_000_000_000
"""Points per event; more is an error of the sender."""

POINTS_EVENTS: Final[Mapping[str, int]] = {"points_earned": 1, "points_spent": -1}
"""The events that change the balance, and in which direction."""

IMPORTED: Final = "contact_imported"
"""A row of a file. Its property ``filled`` holds defaults, applied only to attributes the contact lacks, and without a
timestamp, so that any other value is newer."""

IMPUTED: Final = "imputed"
"""The attribute that lists the attributes whose value is a statistic of a file, and not the contact's own. One that is set leaves it."""

GROUP_JOINED: Final = "group_joined"
GROUP_EVENTS: Final = frozenset({GROUP_JOINED, "group_left"})
ALIASED: Final = "contact_aliased"
"""The event made of Segment's ``alias``; its ``previous_id`` is a user id or an anonymous id."""
"""The events that change the groups, by their property ``group``."""


@dataclass(frozen=True, slots=True)
class Contact(JsonForm):
    """A contact, as stored in its profile item.

    ``attributes_at`` holds the time of the event that set each attribute (and each tag, as ``tag:<name>``), so that a
    late event never overwrites a newer value. ``consents`` is keyed ``<channel>/<topic>``; topic ``*`` is the whole
    channel. ``suppressions`` maps an address that was reported for this contact (``<channel>/<digest>``) to the reason
    no message may go there; the sender reads the record of the address. ``version`` counts writes.

    ``lifecycle`` is the stage ("" before the first one), ``metrics`` what the last bulk run computed (numbers and short
    texts), ``segments`` the saved segments the contact is in and since when, ``tag_expiries`` when tags
    expire, ``seen`` the first and the last day (UTC) of each event type (an event type that is absent has never happened).
    ``absorbed`` are the ids of contacts merged into this one, oldest merge first; items stored under them stay there.
    A contact that was merged away has only ``merged_into``. ``kept_apart`` are sorted pairs of contact ids whose merge was
    undone: those that include this contact or a part of it. A pair is permanent and has no effect while both are part of one
    contact. ``test``: one of our own people who tries journeys; no bulk run, figure or segment has it. ``unannounced`` are the ids of merges and undone merges whose events are not queued yet. ``kept`` is a digest of
    the saved rules that were last evaluated for it.
    """

    contact_id: str
    created_at: datetime
    attributes: dict[str, Any] = field(default_factory=dict)
    attributes_at: dict[str, datetime] = field(default_factory=dict)
    identities: dict[str, list[str]] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    consents: dict[str, Consent] = field(default_factory=dict)
    suppressions: dict[str, str] = field(default_factory=dict)
    erased: bool = False
    groups: frozenset[str] = frozenset()
    lifecycle: str = ""
    points: int = 0
    metrics: dict[str, Any] = field(default_factory=dict)
    segments: dict[str, datetime] = field(default_factory=dict)
    tag_expiries: dict[str, datetime] = field(default_factory=dict)
    seen: dict[str, tuple[date, date]] = field(default_factory=dict)
    absorbed: tuple[str, ...] = ()
    kept_apart: frozenset[tuple[str, str]] = frozenset()
    merged_into: str = ""
    unannounced: tuple[str, ...] = ()
    kept: str = ""
    test: bool = False
    version: int = 0

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Also from the stored form, in which ``seen`` names a day once that is both the first and the last."""
        seen = {kind: [*days, *days] if len(days) == 1 else days for kind, days in value.get("seen", {}).items()}
        return load_fields(cls, {**value, "seen": seen})

    @property
    def partitions(self) -> tuple[str, ...]:
        """The contact ids under which something of this contact is stored: its own, and those merged into it."""
        return (self.contact_id, *self.absorbed)

    def addresses(self, channel: Channel) -> tuple[Address, ...]:
        """The contact's addresses on this channel, the newest last."""
        return declared_channels()[channel].address.addresses(channel, self)

    @property
    def closed(self) -> dict[str, str]:
        """The channels on which the address in use is suppressed, and why."""
        return closed_channels(self.suppressions, self)

    def consent(self, channel: str, topic: str) -> ConsentState:
        """The contact's consent to this channel and topic, of all answers about the topic and the whole channel."""
        return consent_state(self.consents, channel, topic)


def with_event(contact: Contact, event: Event, *, counting: bool = True) -> Contact:
    """The contact after ``event``, without what does not fit a full profile; see ``apply_event``."""
    return apply_event(contact, event, counting=counting).contact


def apply_event(contact: Contact, event: Event, *, counting: bool = True) -> Fitted:
    """The contact after ``event``: attributes, tags, groups, identities, consent, points and suppression it carries.

    Applying an event twice changes nothing, but for its points: ``counting`` is false when they are counted already. What a
    full profile cannot take is left out and named; a withdrawal and a suppression it always takes.
    """
    left_out = _unproven_addresses(contact, event) if event.is_unproven else frozenset()
    named = {kind: value for kind, value in event.contact.items() if kind not in left_out}
    changed, at = with_identities(contact, named, at=event.occurred_at), event.occurred_at
    profile = {name: value for name, value in event.profile.items() if name not in left_out}
    consent = profile.pop("consent", {})
    tags, remove_tags = profile.pop("tags", []), profile.pop("remove_tags", [])
    groups, leave_groups = profile.pop("groups", []), profile.pop("leave_groups", [])
    tokens = profile.pop(push_tokens.ATTRIBUTE, [])
    changed = with_attributes(changed, profile, at=at)
    changed = with_push_tokens(changed, tokens, at=at)
    changed = with_tags(changed, add=tags, remove=remove_tags, at=at)
    changed = with_groups(changed, join=groups, leave=leave_groups, at=at)
    for channel, granted in consent.items():
        # a file's withdrawal is a list that a person made; a field in any other profile is sent again by programs
        given: Given = "word" if event.type == IMPORTED and not granted else "trait"
        changed = with_consent(changed, channel=channel, granted=granted, at=at, source=event.source, given=given)
    if event.type in GROUP_EVENTS and (group := group_name(event.properties)):
        names = {"join" if event.type == "group_joined" else "leave": [group]}
        changed = with_groups(changed, **names, at=at)
    if counting and event.type in POINTS_EVENTS:
        changed = with_points(changed, event)
    if event.is_our_own and event.properties.get(CAME_FROM):
        changed = _with_origin(changed, event)
    if event.type == IMPORTED and isinstance(filled := event.properties.get("filled"), Mapping):
        changed = _with_filled(changed, filled, event.properties.get("imputed") or ())
    fits = fitted(contact, _with_product_event(with_seen(changed, event), event))
    return fits._replace(left_out=(*(f"{UNPROVEN}{name}" for name in sorted(left_out)), *fits.left_out))


CAME_FROM: Final = "came_from"
"""The property of an event that says where the contact came from: the source of a QR code that was scanned."""
LINKED: Final = "staff"
"""The property of an event that names the member of staff whom it links the contact with."""
_ORIGIN: Final = {CAME_FROM: "first_source", LINKED: "owner"}
"""What such an event tells of who has no such attribute yet."""


def _with_origin(contact: "Contact", event: Event) -> "Contact":
    """Where the contact came from last, and where first and to whom, unless that is known: what was true first stays so."""
    found = {"latest_source": event.properties[CAME_FROM]}
    for property_name, attribute in _ORIGIN.items():
        value = event.properties.get(property_name)
        if value and contact.attributes.get(attribute) is None:
            found[attribute] = value
    return with_attributes(contact, found, at=event.occurred_at)


UNPROVEN: Final = "unproven."
"""The prefix of the names of what was left out because nothing shows that the person it is about made the event."""


def is_unproven(left_out: str) -> bool:
    """Whether something was left out of an event because nothing shows that its person made it, and not for want of room."""
    return left_out.startswith(UNPROVEN)


PROOF_WANTED: Final = "a write key changes no address that is known; send it with a server key, or with the user's hash"
"""The way out of it."""


def _unproven_addresses(contact: Contact, event: Event) -> frozenset[str]:
    """The addresses that the event would change or remove, of those the contact has."""
    changed = {
        name
        for name in IDENTITY_ATTRIBUTES
        if (value := contact.attributes.get(name)) is not None
        and (
            event.profile.get(name, value) != value
            or event.contact.get(name, value) not in {*contact.identities.get(name, ()), value}
        )
    }
    if (devices := contact.attributes.get(push_tokens.ATTRIBUTE)) and push_tokens.ATTRIBUTE in event.profile:
        given = event.profile[push_tokens.ATTRIBUTE]
        if given is None or push_tokens.joined(devices, given) != devices:
            changed.add(push_tokens.ATTRIBUTE)
    return frozenset(changed)


def _with_filled(contact: Contact, filled: Mapping[str, Any], imputed: Iterable[str]) -> Contact:
    """The contact with defaults for what it lacks; those that are a statistic are marked."""
    marked = sorted(
        {*contact.attributes.get(IMPUTED, ()), *(name for name in imputed if name not in contact.attributes)}
    )
    attributes = {**filled, **contact.attributes, **({IMPUTED: marked} if marked else {})}
    return replace(contact, attributes=attributes)


def with_seen(contact: Contact, event: Event) -> Contact:
    """The contact that has seen this event type on this day; only the first event of a type and day changes it."""
    day = event.occurred_at.astimezone(UTC).date()
    first, last = contact.seen.get(event.type, (day, day))
    span = (min(first, day), max(last, day))
    if contact.seen.get(event.type) == span:
        return contact
    return replace(contact, seen={**contact.seen, event.type: span})


def with_identities(contact: Contact, identities: Mapping[str, str], *, at: datetime) -> Contact:
    """The contact with identities it did not have yet; e-mail and phone also become its address if it has none.

    A removed address is restored only by an event that names it after the removal, and without a timestamp: the event
    did not set the attribute, and the timestamp of the removal belongs to the removal.
    """
    known = {kind: list(values) for kind, values in contact.identities.items()}
    attributes, attributes_at = dict(contact.attributes), dict(contact.attributes_at)
    for kind in IDENTITY_KINDS:
        value = identities.get(kind)
        if value is None:
            continue
        if value not in known.setdefault(kind, []):
            known[kind].append(value)
        was_removed_since = kind in attributes_at and attributes_at[kind] >= at
        if kind in IDENTITY_ATTRIBUTES and kind not in attributes and not was_removed_since:
            attributes[kind] = value
            attributes_at.pop(kind, None)
    return replace(contact, identities=known, attributes=attributes, attributes_at=attributes_at)


def with_attributes(contact: Contact, changes: Mapping[str, Any], *, at: datetime) -> Contact:
    """The contact with ``changes``, each unless a newer event has set it; None removes the attribute."""
    attributes, attributes_at = dict(contact.attributes), dict(contact.attributes_at)
    imputed = attributes.get(IMPUTED, [])
    for name, value in changes.items():
        if name in attributes_at and attributes_at[name] > at:
            continue
        if is_yearless(value) and same_day(attributes.get(name), value):
            continue  # the year is known
        attributes_at[name] = at
        if value is None:
            attributes.pop(name, None)
        else:
            attributes[name] = value
        if name in imputed and IMPUTED not in changes:
            imputed = [each for each in imputed if each != name]
            attributes |= {IMPUTED: imputed}
    if not attributes.get(IMPUTED, True):
        del attributes[IMPUTED]
    return replace(contact, attributes=attributes, attributes_at=attributes_at)


def with_tags(contact: Contact, *, add: Iterable[str] = (), remove: Iterable[str] = (), at: datetime) -> Contact:
    """The contact with tags added and removed, each unless a newer event has touched it."""
    tags, attributes_at = _with_names("tag", contact.tags, contact, add=add, remove=remove, at=at)
    return replace(contact, tags=tags, attributes_at=attributes_at)


def with_groups(contact: Contact, *, join: Iterable[str] = (), leave: Iterable[str] = (), at: datetime) -> Contact:
    """The contact as a member of more or fewer groups, each unless a newer event has touched it."""
    groups, attributes_at = _with_names("group", contact.groups, contact, add=join, remove=leave, at=at)
    return replace(contact, groups=groups, attributes_at=attributes_at)


def _with_names(
    kind: str, known: frozenset[str], contact: Contact, *, add: Iterable[str], remove: Iterable[str], at: datetime
) -> tuple[frozenset[str], dict[str, datetime]]:
    """The tags (groups) after the change and when each name was last touched; a newer touch stays."""
    names, attributes_at = set(known), dict(contact.attributes_at)
    for change, changed in ((names.add, add), (names.discard, remove)):
        for name in changed:
            stamp = f"{kind}:{name}"
            if stamp in attributes_at and attributes_at[stamp] > at:
                continue
            attributes_at[stamp] = at
            change(name)
    return frozenset(names), attributes_at


def with_push_tokens(contact: Contact, tokens: Sequence[push_tokens.PushToken] | None, *, at: datetime) -> Contact:
    """The contact with these devices too; None removes them all, unless a device was reported later."""
    known = contact.attributes.get(push_tokens.ATTRIBUTE, [])
    if tokens is None:
        return with_attributes(contact, {push_tokens.ATTRIBUTE: None}, at=at)
    joined = push_tokens.joined(known, tokens)
    return contact if joined == known else with_attributes(contact, {push_tokens.ATTRIBUTE: joined}, at=at)


def with_points(contact: Contact, event: Event) -> Contact:
    """The contact with the points of the event counted; a balance may be below zero while an earlier event is missing.

    Raises InvalidInput when the event names no whole number of points.
    """
    if reason := points_problem(event.properties.get("points")):
        raise InvalidInput("properties.points", reason)
    return replace(contact, points=contact.points + POINTS_EVENTS[event.type] * int(event.properties["points"]))


def points_problem(points: Any) -> str:
    """What is wrong with the ``points`` of an event; "" when nothing is."""
    if isinstance(points, bool) or not isinstance(points, int) or not 0 <= points <= MOST_POINTS:
        return f"should be a whole number from 0 to {MOST_POINTS:,}"
    return ""


def with_segment(contact: Contact, name: str, *, member: bool, at: datetime) -> Contact:
    """The contact that entered or left a saved segment ``at`` this instant, unless it did either later."""
    stamp = f"segment:{name}"
    if stamp in contact.attributes_at and contact.attributes_at[stamp] > at:
        return contact
    segments = {known: since for known, since in contact.segments.items() if known != name}
    if member:
        segments[name] = at
    return replace(contact, segments=segments, attributes_at={**contact.attributes_at, stamp: at})


def with_lifecycle(contact: Contact, stage: str, *, at: datetime) -> Contact:
    """The contact in this lifecycle stage, unless it entered another one later."""
    if LIFECYCLE_STAMP in contact.attributes_at and contact.attributes_at[LIFECYCLE_STAMP] > at:
        return contact
    return replace(contact, lifecycle=stage, attributes_at={**contact.attributes_at, LIFECYCLE_STAMP: at})


def with_consent(
    contact: Contact,
    *,
    channel: str,
    granted: bool,
    at: datetime,
    source: str,
    given: Given,
    topic: str | None = None,
) -> Contact:
    """The contact with its answer about a channel and topic, weighed with those it has given before."""
    key = f"{channel}/{topic or ALL_TOPICS}"
    known = contact.consents.get(key)
    consent = Consent.of((*(known.answers if known else ()), Answer(granted, at, source, given)))
    return contact if consent == known else replace(contact, consents={**contact.consents, key: consent})


ConsentEvent = Literal["consent_confirmed", "consent_granted", "consent_withdrawn", "unsubscribed"]


def _with_product_event(contact: Contact, event: Event) -> Contact:  # noqa: PLR0911 - one return per kind
    """What the product's own events change: consent answers and suppressions."""
    match event.type:
        case "consent_confirmed" | "consent_granted" | "consent_withdrawn" | "unsubscribed" as kind:
            # one is confirmed by the link in a message, and by nothing else
            is_said = kind != "consent_confirmed" or event.is_our_own
            return _with_consent_event(contact, kind, event) if is_said else contact
        case "message_bounced" | "message_complained" | "message_failed" | "suppression_lifted" if event.is_our_own:
            return replace(contact, suppressions=_suppressions(contact, event))
        case "test_contact_marked" if event.is_our_own:
            return replace(contact, test=bool(event.properties["test"]))
        case "segment_entered" | "segment_left" as kind if event.is_our_own:
            name = str(event.properties["segment"])
            return with_segment(contact, name, member=kind == "segment_entered", at=event.occurred_at)
        case "contacts_merged" | "contacts_unmerged" as kind if event.is_our_own:
            announced = announcement(str(event.properties["merge_id"]), undone=kind == "contacts_unmerged")
            return replace(contact, unannounced=tuple(each for each in contact.unannounced if each != announced))
        case "lifecycle_changed" if event.is_our_own:
            return with_lifecycle(contact, str(event.properties["to"]), at=event.occurred_at)
        case _:
            return contact


def _suppressions(contact: Contact, event: Event) -> dict[str, str]:
    """What was reported for this contact, after the event; one that names no address is about the newest."""
    channel, digest = event.properties.get("channel"), event.properties.get("address")
    if not isinstance(channel, str):
        return contact.suppressions
    newest = contact.addresses(channel_named(channel))[-1:]
    digest = digest or (newest[0].digest if newest else "")
    key = suppression_key(channel, digest) if digest else channel
    if event.type == SUPPRESSION_LIFTED:
        return {known: reason for known, reason in contact.suppressions.items() if known not in {channel, key}}
    closed = suppression_in(event)
    return contact.suppressions if closed is None else {**contact.suppressions, key: closed[1]}


def announcement(merge_id: str, *, undone: bool) -> str:
    """The entry in ``unannounced`` for a merge, or an undone one, whose event is not queued yet."""
    return f"{merge_id}/undone" if undone else merge_id


def group_name(properties: Mapping[str, Any]) -> str:
    """The group that ``group_joined`` or ``group_left`` is about; "" when it names none."""
    name = properties.get("group", properties.get("group_id"))
    return name if isinstance(name, str) else ""


def _with_consent_event(contact: Contact, kind: ConsentEvent, event: Event) -> Contact:
    channel, topic = event.properties.get("channel"), event.properties.get("topic")
    for name in (channel,) if channel else CHANNELS:
        contact = with_consent(
            contact,
            channel=str(name),
            topic=topic,
            granted=kind in {"consent_confirmed", "consent_granted"},
            at=event.occurred_at,
            source=event.source,
            given="call" if event.source in {WRITE_KEY_SOURCE, UNPROVEN_SOURCE} else "word",
        )
    return contact
