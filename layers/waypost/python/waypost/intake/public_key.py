"""What a write key may not do: a browser shows it to everybody, so a stranger may send with it. Used by the Segment calls.

With a write key, a visitor may be identified and tracked. Points, rows of files, what is declared as the server's alone, a grant
of consent where none is permitted and a withdrawal in another's name need a server key; an address that is known is changed by
nothing unproven (``profile.apply_event``). A user id is proven by its HMAC-SHA256 under a server key, which only the company's
own server can have computed for the visitor who is signed in there.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Self

from waypost.contacts.profile import GROUP_EVENTS, IMPORTED, POINTS_EVENTS, group_name
from waypost.events.envelope import SERVER_KEY_SOURCE, UNPROVEN_SOURCE, WRITE_KEY_SOURCE
from waypost.events.listening import bus_pattern
from waypost.events.message_events import MESSAGE_EVENTS, SUPPRESSION_LIFTED, TEST_CONTACT_MARKED
from waypost.intake.request_outcome import SERVER_KEY_NEEDED, Problem
from waypost.products.changes import CHANGED
from waypost.published_sections import published_section
from waypost.staff.human_task import ANSWERED, ASSIGNED

SECTION: Final = "public_keys"
FILE: Final = "statemachines/contacts/public_keys.yaml"

SERVER_EVENTS: Final = frozenset({
    *POINTS_EVENTS, IMPORTED, *MESSAGE_EVENTS, SUPPRESSION_LIFTED, TEST_CONTACT_MARKED, "contacts_merged", "contacts_unmerged", "contact_erased", "contact_updated",
    "profile_rebuilt", "tag_added", "tag_removed", "segment_entered", "segment_left", "lifecycle_changed", "journey_requested", "journey_ended",
    "coupon_issued", "coupon_redeemed", ASSIGNED, ANSWERED, CHANGED,
})  # fmt: skip
"""Events that change a balance, weigh as a file's rows do, start a journey by name, or say what only Waypost and its providers know."""

WITHDRAWALS: Final = frozenset({"consent_withdrawn", "unsubscribed"})
GRANTED: Final = "consent_granted"

_NAMES: Final = {"tags": "tags", "remove_tags": "tags", "groups": "groups", "leave_groups": "groups"}
"""Lists of names in a profile, and where it is declared which are the server's alone."""


@dataclass(frozen=True, slots=True)
class PublicKeyRules:
    """What is declared: patterns of names by what they name (``events``, ``attributes``, ``tags``, ``groups``), and channels.

    ``consent`` are the channels to which a write key may grant consent.
    """

    server_only: Mapping[str, Sequence[re.Pattern[str]]] = field(default_factory=dict)
    consent: frozenset[str] = frozenset()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; an empty one declares nothing, and permits no grant."""
        patterns = value.get("server_only", {})
        return cls(
            {kind: [bus_pattern(each) for each in given] for kind, given in patterns.items()},
            frozenset(value.get("consent", ())),
        )

    def is_servers(self, kind: str, name: str) -> bool:
        """Whether an event, an attribute, a tag or a group is the server's alone."""
        return any(pattern.fullmatch(name) for pattern in self.server_only.get(kind, ()))


@cache
def load_public_key_rules() -> PublicKeyRules:
    """The rules of this deployment, from the journeys layer."""
    return PublicKeyRules.from_dict(published_section(SECTION))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a call: a holder of a server key, or of a write key. ``server_keys`` prove user ids."""

    is_server: bool
    server_keys: tuple[str, ...] = ()
    rules: PublicKeyRules = field(default_factory=load_public_key_rules)

    def source(self, user_id: str, user_hash: str) -> str:
        """The source of an event about this user id (as it was sent), which says what it may change."""
        if self.is_server:
            return SERVER_KEY_SOURCE
        return WRITE_KEY_SOURCE if self._proves(user_id, user_hash) else UNPROVEN_SOURCE

    def _proves(self, user_id: str, user_hash: str) -> bool:
        if not user_id or not user_hash:
            return False
        given = user_hash.strip().lower().encode("utf-8", "replace")
        proofs = [hmac.compare_digest(user_hash_of(user_id, key).encode(), given) for key in self.server_keys]
        return any(proofs)

    def objection(self, event_type: str, properties: Mapping[str, Any], source: str) -> str:
        """Why this caller may not send such an event, "" when it may."""
        if self.is_server:
            return ""
        if event_type in SERVER_EVENTS or self.rules.is_servers("events", event_type):
            return "needs a server key: a write key, which a browser shows to everybody, may not send this event"
        if event_type in GROUP_EVENTS and self.rules.is_servers("groups", group_name(properties)):
            return "needs a server key: the group is the server's alone"
        if event_type == GRANTED and properties.get("channel") not in self.rules.consent:
            return f"needs a server key: {FILE} lets a write key grant no consent to this channel"
        if event_type in WITHDRAWALS and source != WRITE_KEY_SOURCE:
            return "needs a server key or the user's hash: anybody could unsubscribe this person"
        return ""

    def permitted(self, profile: Mapping[str, Any], source: str, where: str) -> tuple[dict[str, Any], list[Problem]]:
        """The part of a profile that this caller may set, and what was left out. ``where`` is the path of the traits."""
        if self.is_server:
            return dict(profile), []
        kept: dict[str, Any] = {}
        left_out: list[Problem] = []

        def leave_out(path: str, reason: str) -> None:
            left_out.append(Problem(f"{where}.{path}", f"needs a server key: {reason}", SERVER_KEY_NEEDED))

        for name, value in profile.items():
            if name == "consent":
                kept[name] = self._consent(value, source, leave_out)
            elif name in _NAMES:
                refused = [each for each in value if self.rules.is_servers(_NAMES[name], each)]
                kept[name] = [each for each in value if each not in refused]
                if refused:
                    leave_out(name, f"{', '.join(refused[:5])} are the server's alone")
            elif self.rules.is_servers("attributes", name):
                leave_out(name, "the attribute is the server's alone")
            else:
                kept[name] = value
        return kept, left_out

    def _consent(
        self, given: Mapping[str, bool], source: str, leave_out: Callable[[str, str], None]
    ) -> dict[str, bool]:
        kept: dict[str, bool] = {}
        for channel, granted in given.items():
            if granted and channel not in self.rules.consent:
                leave_out(f"consent.{channel}", f"{FILE} lets a write key grant no consent to this channel")
            elif not granted and source != WRITE_KEY_SOURCE:
                leave_out(f"consent.{channel}", "without the user's hash anybody could withdraw this person's consent")
            else:
                kept[channel] = granted
        return kept


def user_hash_of(user_id: str, server_key: str) -> str:
    """The hash that proves a user id: HMAC-SHA256 of its UTF-8 bytes under the server key, in hexadecimal digits."""
    return hmac.new(server_key.encode(), user_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
