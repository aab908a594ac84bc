"""The identity rules as authors write them, ``statemachines/contacts/identity.yaml``, checked. Called by declaring."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, StringConstraints

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, unknown
from waypost.contacts.identity.placeholders import Placeholders, folded
from waypost.contacts.identity.rules import BUILT_IN, Winner
from waypost.contacts.push_tokens import ATTRIBUTE as PUSH_TOKENS
from waypost.events.envelope import IDENTITY_KINDS
from waypost.events.names import attribute_name

PLACE: Final = "contacts/identity.yaml"


def _kind(name: str) -> str:
    if name not in IDENTITY_KINDS:
        raise ValueError(unknown(name, IDENTITY_KINDS, "unknown kind of identity"))
    return name


def _attribute(name: str) -> str:
    if attribute_name(name) != name:
        raise ValueError(f"expected the name of an attribute in snake_case, such as {attribute_name(name)!r}")
    if name == PUSH_TOKENS:
        raise ValueError("the devices of both contacts are kept; there is nothing to choose")
    return name


def _once_each(kinds: list[str]) -> list[str]:
    if repeated := sorted({kind for kind in kinds if kinds.count(kind) > 1}):
        raise ValueError(f"names {repeated[0]} twice")
    return kinds


def _with_user_id(kinds: list[str]) -> list[str]:
    if "user_id" not in kinds:
        raise ValueError(
            "expected user_id among them: two signed-in people are never one because they share an address"
        )
    return _once_each(kinds)


Kind = Annotated[str, AfterValidator(_kind)]
Kinds = Annotated[list[Kind], AfterValidator(_once_each)]
AttributeName = Annotated[str, AfterValidator(_attribute)]
Value = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class MergeRules(Authored):
    """When two contacts are one person.

    ``proofs``: kinds of identity that prove it when one event names both contacts by them. ``distinct``: kinds of which a
    person has one value (of openid: one in each account). ``alias_across``: distinct kinds that Segment's alias may
    overrule.
    """

    proofs: Kinds = Field(default_factory=lambda: [kind for kind in IDENTITY_KINDS if kind in BUILT_IN.proofs])
    distinct: Annotated[list[Kind], AfterValidator(_with_user_id)] = Field(
        default_factory=lambda: list(BUILT_IN.distinct)
    )
    alias_across: Kinds = Field(default_factory=lambda: sorted(BUILT_IN.alias_across))


class ValueRules(Authored):
    """Whose value of an attribute stays: that of the ``newest`` or ``oldest`` event, or the ``survivor``'s."""

    default: Winner = BUILT_IN.values
    attributes: dict[AttributeName, Winner] = Field(default_factory=dict)


class PlaceholderRules(Authored):
    """Values that identify nobody beside the built-in ones (``also``), and built-in ones that are genuine here."""

    also: list[Value] = Field(default_factory=list)
    genuine: list[Value] = Field(default_factory=list)


class IdentityFile(Authored):
    """``identity.yaml``."""

    merge: MergeRules = Field(default_factory=MergeRules)
    values: ValueRules = Field(default_factory=ValueRules)
    placeholders: PlaceholderRules = Field(default_factory=PlaceholderRules)

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        return {
            "proofs": list(self.merge.proofs),
            "distinct": list(self.merge.distinct),
            "alias_across": list(self.merge.alias_across),
            "values": self.values.default,
            "values_of": dict(self.values.attributes),
            "placeholders": {
                "also": sorted(folded(self.placeholders.also)),
                "genuine": sorted(folded(self.placeholders.genuine)),
            },
        }


def identity(reader: FileReader) -> dict[str, Any]:
    """The section ``identity``; empty when there is no file: the built-in rules hold."""
    path = reader.root / PLACE
    file = reader.declared(path, IdentityFile)
    if file is None:
        return {}
    strangers = sorted(set(file.merge.alias_across) - set(file.merge.distinct))
    if strangers:
        reader.add(path, "merge.alias_across", f"{strangers[0]} is not distinct, so an alias needs no leave for it")
    known = Placeholders(also=folded(file.placeholders.also))
    for index, value in enumerate(file.placeholders.genuine):
        if value not in known:
            reader.add(path, f"placeholders.genuine[{index}]", f"{value!r} is no placeholder, so it needs no exception")
    return file.published()
