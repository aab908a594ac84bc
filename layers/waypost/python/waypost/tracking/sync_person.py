"""Ask providers what they know of a person, and keep the tags that both have alike. Called by sync_person.

A tag is put on or taken off in two places, and neither says when: what both had when they were last alike, which the profile keeps,
shows what has changed since, and where. So a change of one's own that comes back changes nothing, and nothing goes in a circle.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from waypost import ids
from waypost.channels.people_contract import NotAnswered, NotKnown, People, Person, ServingMember, TaggedPeople
from waypost.clock import Clock, format_instant
from waypost.contacts.channels import Address, Channel, channel_named, declared_channels
from waypost.contacts.cleaning import Unusable
from waypost.contacts.identity.acceptance import clean_identity
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import OutsideTag, TagSystem, tags_at
from waypost.errors import InvalidInput, TemporarilyUnavailable, WaypostError
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.ports import EventQueue

SYNCED: Final = "contact_synced"
MOST_MEMBERS: Final = 20
"""Members whose tags are kept alike, those who came first: a profile has room for so many names."""


@dataclass(slots=True)
class Synced:
    """What became of a batch: how many ``changed``, were alike already or are ``unknown``; ``failed`` comes back, by message id."""

    counts: Counter[str] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)
    failed: dict[str, WaypostError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """The tags that the contact and all members should have, and what that means for each side; ours by name."""

    tags: frozenset[str]
    add: frozenset[str]
    remove: frozenset[str]
    put: Mapping[str, frozenset[str]]
    take: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPerson:
    """``people`` asks the provider of a channel. What is learnt becomes one event of the contact."""

    people: Callable[[Channel], People]
    contacts: ContactStore
    queue: EventQueue
    tags: TagSystem
    clock: Clock

    def sync(self, requests: Mapping[str, str]) -> Synced:
        """Ask about each of these people, ``{channel, address}`` as JSON by an id of the request; once about each."""
        done, seen = Synced(), dict[Address, str]()
        for message_id, text in requests.items():
            try:
                address = person_of(text)
                word = seen.get(address) or self._synced(address, message_id)
            except WaypostError as error:
                done.failed[message_id] = error
                continue
            seen[address] = word
            done.counts[word] += 1
            if word not in ("changed", "alike"):
                done.unknown.append(word)
        return done

    def _synced(self, address: Address, request_id: str) -> str:
        """``changed``, ``alike``, or why there is nothing to do. Raises TemporarilyUnavailable while the provider gives no answer."""
        contact = self._contact(address)
        if contact is None:
            return "no contact"
        people = self.people(address.channel)
        match people.read(address.text):
            case NotAnswered(reason=reason):
                raise TemporarilyUnavailable(f"{address.channel}: {reason}")
            case NotKnown(reason=reason):
                return reason
            case Person() as person:
                event = self._learnt(people, person, contact, address, request_id)
            case never:
                assert_never(never)
        if event is None:
            return "alike"
        self.queue.send([event])
        return "changed"

    def _contact(self, address: Address) -> Contact | None:
        known = self.contacts.resolve({address.kind: address.text}).get(address.kind)
        return self.contacts.load(known) if known else None

    def _learnt(
        self, people: People, person: Person, contact: Contact, address: Address, request_id: str
    ) -> Event | None:
        """The event of what is new; None for nothing. The provider's side is changed first."""
        now, profile = self.clock(), dict[str, Any]()
        if isinstance(people, TaggedPeople):
            profile = self._with_members(people, person.served_by[:MOST_MEMBERS], contact, address)
        identities = {
            kind: text
            for kind, text in person.identities.items()
            if text not in contact.identities.get(kind, ()) and not isinstance(clean_identity(kind, text), Unusable)
        }
        if not (identities or profile):
            return None
        source = f"{OWN_SOURCE}.{address.channel}"
        return Event(
            id=f"{source}:{ids.digest('sync', request_id)}",
            type=SYNCED,
            contact={address.kind: address.text, **identities},
            occurred_at=now,
            received_at=now,
            source=source,
            properties={"channel": address.channel, "learnt": sorted({*identities, *profile})},
            profile=profile,
        )

    def _with_members(
        self, people: TaggedPeople, served_by: Sequence[ServingMember], contact: Contact, address: Address
    ) -> dict[str, Any]:
        """The changes of the profile: who serves the contact, since when anybody has, and the tags."""
        channel, known = address.channel, contact.attributes
        outside = self.tags.outside(channel)
        former = frozenset(known.get(f"{channel}_staff") or ()), frozenset(known.get(f"{channel}_tags") or ())
        plan = planned(
            here=tags_at(contact, self.clock()) & outside.keys(),
            there={each.member: _ours(each.tags, outside) for each in served_by},
            former_members=former[0],
            former_tags=former[1],
            by_rule=frozenset(self.tags.by_rule),
        )
        for member in sorted(plan.put.keys() | plan.take.keys()):
            put, take = ([outside[name] for name in sorted(side.get(member, ()))] for side in (plan.put, plan.take))
            match people.change_tags(address.text, member, put=put, take=take):
                case NotAnswered(reason=reason):
                    raise TemporarilyUnavailable(f"{channel}: {reason}")
                case NotKnown() | None:  # who left in between has nothing to be kept alike
                    pass
                case never:
                    assert_never(never)
        since = next((each.since for each in served_by if each.since), None)
        wanted = {
            f"{channel}_staff": [each.member for each in served_by],
            f"{channel}_since": format_instant(since) if since else known.get(f"{channel}_since"),
            f"{channel}_tags": sorted(plan.tags) if served_by else [],
        }
        changed = {
            name: value for name, value in wanted.items() if (value or known.get(name)) and value != known.get(name)
        }
        return changed | {
            name: sorted(each) for name, each in (("tags", plan.add), ("remove_tags", plan.remove)) if each
        }


def planned(
    *,
    here: frozenset[str],
    there: Mapping[str, frozenset[str]],
    former_members: frozenset[str],
    former_tags: frozenset[str],
    by_rule: frozenset[str],
) -> Plan:
    """How the tags become alike: ``here`` on the contact, ``there`` by member; former ones are those of when they were last alike.

    What a member put on since then is added, what one took off is removed, and what changed here is done there for every member.
    A tag with a rule is what the rule says. While nobody serves the contact, nothing follows.
    """
    if not there:
        return Plan(here, frozenset(), frozenset(), {}, {})
    put_on, taken_off = set[str](), set[str]()
    for member, tags in there.items():
        before = former_tags if member in former_members else frozenset()
        put_on |= tags - before
        taken_off |= before - tags
    tags = (here | (put_on - by_rule)) - (taken_off - put_on - by_rule)
    put = {member: tags - each for member, each in there.items() if tags - each}
    take = {member: each - tags for member, each in there.items() if each - tags}
    return Plan(tags, tags - here, here - tags, put, take)


def _ours(tags: frozenset[OutsideTag], outside: Mapping[str, OutsideTag]) -> frozenset[str]:
    return frozenset(name for name, meant in outside.items() if meant in tags)


def request_about(address: Address) -> str:
    """What the queue keeps of who is to be asked about; escaped to ASCII, because SQS refuses some characters of JSON."""
    return json.dumps({"channel": address.channel, "address": address.text}, separators=(",", ":"))


def person_of(text: str) -> Address:
    """Raises InvalidInput for what ``request_about`` did not write."""
    try:
        given = json.loads(text)
        channel = channel_named(given["channel"])
        return Address(channel, declared_channels()[channel].address.name, str(given["address"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput("request", f"names nobody to ask about: {error!r}") from error
