"""The declared tags: their names, who may add them, how long they last. Used wherever a tag is added, removed or read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any, Final, Literal, NamedTuple, Self, get_args

from waypost import ids
from waypost.codec import JsonForm
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.published_sections import published_section

SECTION: Final = "tags"
FILE: Final = "statemachines/contacts/tags.yaml"

Dimension = Literal["basic", "behaviour", "preference"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)

Giver = Literal["rule", "journey", "hand", "import", "expiry"]
"""What adds or removes a tag: its rule, a step of a journey, an external system or person, an import, or its expiry."""


class OutsideTag(NamedTuple):
    """A tag as a provider has it: its name, within a group."""

    group: str
    name: str


@dataclass(frozen=True, slots=True)
class TagDeclaration(JsonForm):
    """A tag of the file: ``names`` by locale; ``rule`` (published form) adds and removes it automatically; it may expire.

    ``outside`` has for each channel whose provider has the tag too its ``group`` and ``name`` there.
    """

    name: str
    dimension: Dimension
    description: str
    owner: str
    names: Mapping[str, str] = field(default_factory=dict)
    rule: dict[str, Any] | None = None
    expires_after: timedelta | None = None
    outside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class TagSystem:
    """The tags by name. Not ``is_declared``: there is no file, and every tag is allowed."""

    tags: Mapping[str, TagDeclaration] = field(default_factory=dict)
    is_declared: bool = False

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; empty when nothing is declared."""
        if not value:
            return cls()
        return cls(
            {name: TagDeclaration.from_dict({**tag, "name": name}) for name, tag in value["tags"].items()},
            is_declared=True,
        )

    @cached_property
    def by_rule(self) -> Mapping[str, TagDeclaration]:
        """The tags that are added and removed by a rule."""
        return {name: tag for name, tag in self.tags.items() if tag.rule is not None}

    @cached_property
    def lasting(self) -> Mapping[str, timedelta]:
        """How long the tags last that do not last for ever."""
        return {name: tag.expires_after for name, tag in self.tags.items() if tag.expires_after is not None}

    @cached_property
    def _outside(self) -> Mapping[str, Mapping[str, OutsideTag]]:
        found: dict[str, dict[str, OutsideTag]] = {}
        for name, tag in self.tags.items():
            for channel, each in tag.outside.items():
                found.setdefault(channel, {})[name] = OutsideTag(each["group"], each["name"])
        return found

    def outside(self, channel: str) -> Mapping[str, OutsideTag]:
        """The tags that the channel's provider has too, by our names."""
        return self._outside.get(channel, {})

    @cached_property
    def _by_name(self) -> Mapping[str, str]:
        return {name: tag.name for tag in self.tags.values() for name in tag.names.values()}

    def meant_by(self, name: str) -> str:
        """The tag for a name in an import: the tag itself, or the one with this display name in some language."""
        return name if name in self.tags else self._by_name.get(name, name)

    def check(self, names: Iterable[str], *, where: str = "tags") -> None:
        """Raise InvalidInput for a name that is not declared, with the nearest that is; ``where`` is the field."""
        for name in names:
            if reason := self.objection(name, given=False):
                raise InvalidInput(where, reason)

    def check_given(self, names: Iterable[str], *, where: str = "tags") -> None:
        """Like ``check``, for tags added or removed from outside: those with a rule are refused too."""
        for name in names:
            if reason := self.objection(name):
                raise InvalidInput(where, reason)

    def objection(self, name: str, *, given: bool = True) -> str:
        """Why this tag cannot be used (with ``given``: cannot be added or removed from outside); "" if it can."""
        if not self.is_declared:
            return ""
        declaration = self.tags.get(name)
        if declaration is None:
            return f"unknown tag {name!r}; {self._hint(name)}"
        if given and declaration.rule is not None:
            return f"the tag {name!r} is given and taken by its rule alone ({FILE})"
        return ""

    def _hint(self, name: str) -> str:
        import difflib  # noqa: PLC0415 - only a refusal needs it, and a cold start should not pay for it

        spelled = {known.casefold(): known for known in self.tags}
        near = difflib.get_close_matches(name.casefold(), spelled, n=1, cutoff=0.6)
        return f"did you mean {spelled[near[0]]!r}?" if near else f"declare it in {FILE}"


@cache
def load_tag_system() -> TagSystem:
    """The tag system of this deployment, from the journeys layer."""
    return TagSystem.from_dict(published_section(SECTION))


def tags_at(contact: Contact, now: datetime) -> frozenset[str]:
    """The contact's tags without the expired ones."""
    if not contact.tag_expiries:
        return contact.tags
    return contact.tags - ended_tags(contact, now)


def ended_tags(contact: Contact, now: datetime) -> frozenset[str]:
    """The expired tags that the contact still has."""
    return frozenset(name for name, end in contact.tag_expiries.items() if end <= now and name in contact.tags)


def with_expiries(contact: Contact, system: TagSystem) -> Contact:
    """The contact with the expiry of each tag that expires, counted from when it was last added.

    It depends on profile and declaration only, so it can be repeated at any time, and a changed declaration takes effect at
    the next change of the contact or the next refresh.
    """
    ends = {
        name: contact.attributes_at.get(f"tag:{name}", contact.created_at) + span
        for name, span in system.lasting.items()
        if name in contact.tags
    }
    return contact if ends == contact.tag_expiries else replace(contact, tag_expiries=ends)


def tag_events(
    before: Iterable[str],
    after: Iterable[str],
    *,
    contact_id: str,
    by: Giver,
    at: datetime,
    change_id: str,
    because: Mapping[str, Any] | None = None,
    correlation_id: str = "",
    cause: str = "",
) -> list[Event]:
    """``tag_added`` and ``tag_removed`` for what changed, in order of name.

    ``change_id`` identifies the change: a repeated one has the same event ids.
    ``because`` goes into the properties beside ``tag`` and ``by`` (the journey and the step, the rule's event).
    """
    was, has = frozenset(before), frozenset(after)
    changes = [("tag_added", "tags", name) for name in has - was]
    changes += [("tag_removed", "remove_tags", name) for name in was - has]
    return [
        Event(
            id="e-" + ids.digest(kind, contact_id, name, change_id),
            type=kind,
            contact={"contact_id": contact_id},
            occurred_at=at,
            received_at=at,
            source=OWN_SOURCE,
            properties={"tag": name, "by": by, **(because or {})},
            profile={change: [name]},
            correlation_id=correlation_id,
            cause=cause,
        )
        for kind, change, name in sorted(changes)
    ]
