"""The declared rules by which two contacts are known to be one person. Used by the router, imports and merges by hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final, Literal, get_args

from waypost.codec import JsonForm
from waypost.contacts.identity.placeholders import Placeholders
from waypost.events.envelope import IDENTITY_KINDS
from waypost.published_sections import published_section

SECTION: Final = "identity"
FILE: Final = "statemachines/contacts/identity.yaml"

Winner = Literal["newest", "oldest", "survivor"]
WINNERS: Final[tuple[Winner, ...]] = get_args(Winner)

Identities = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class IdentityRules(JsonForm):
    """What proves that two contacts are one person, what rules it out, and whose values the merged contact keeps.

    ``proofs``: an event that names two contacts by kinds that are all listed here proves that they are one. ``distinct``: a
    person has one value of such a kind, so contacts with different ones are two people; of ``openid`` one in each account.
    ``alias_across``: distinct kinds that Segment's ``alias`` may overrule. ``values``: which of two values of an
    attribute is kept; ``values_of``: the same for single attributes. ``placeholders``: values that identify nobody.
    """

    proofs: frozenset[str] = frozenset(IDENTITY_KINDS)
    distinct: tuple[str, ...] = ("user_id", "unionid", "external_userid", "openid")
    alias_across: frozenset[str] = frozenset()
    values: Winner = "newest"
    values_of: Mapping[str, Winner] = field(default_factory=dict)
    placeholders: Placeholders = field(default_factory=Placeholders)

    def for_unproven(self) -> "IdentityRules":
        """The rules for an event that a stranger may have made in somebody's name.

        It joins no contacts that have different e-mail addresses or phones, so that no message to one goes to the other, and
        no two users.
        """
        distinct = (*self.distinct, *(kind for kind in ("email", "phone") if kind not in self.distinct))
        return replace(self, distinct=distinct, alias_across=frozenset())

    def winner(self, attribute: str) -> Winner:
        """Which value of this attribute is kept."""
        return self.values_of.get(attribute, self.values)

    def clash(self, one: Identities, other: Identities, *, despite: Iterable[str] = ()) -> str:
        """The distinct kind in which the two differ, "" if there is none; kinds in ``despite`` are ignored."""
        overlooked = set(despite)
        kinds = (kind for kind in self.distinct if kind not in overlooked)
        return next((kind for kind in kinds if _differ(kind, one.get(kind, ()), other.get(kind, ()))), "")

    def is_another_contact(self, owner: Identities, kind: str, named: Mapping[str, str]) -> bool:
        """Whether an event that names ``owner`` by ``kind`` names another person by a stronger kind.

        A shared device, mailbox or phone does not make two signed-in people one.
        """
        stronger = IDENTITY_KINDS[: IDENTITY_KINDS.index(kind)]
        return bool(self.clash(owner, {each: [named[each]] for each in stronger if each in named}))


BUILT_IN: Final = IdentityRules()
"""The defaults of ``identity.yaml``."""


@cache
def load_identity_rules() -> IdentityRules:
    """The rules of this deployment, from the journeys layer."""
    return IdentityRules.from_dict(published_section(SECTION))


def _differ(kind: str, one: Iterable[str], other: Iterable[str]) -> bool:
    left, right = _by_account(kind, one), _by_account(kind, other)
    return any(left[account].isdisjoint(right[account]) for account in left.keys() & right.keys())


def _by_account(kind: str, values: Iterable[str]) -> dict[str, set[str]]:
    """The values under what they are unique in: an openid in its account, everything else everywhere."""
    found: dict[str, set[str]] = {}
    for value in values:
        found.setdefault(value.partition(":")[0] if kind == "openid" else "", set()).add(value)
    return found
