"""Fill rules as authors write them, ``statemachines/contacts/filling.yaml``, checked. Called by declaring."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, model_validator

from waypost.authoring.attributes import PLACE as ATTRIBUTES
from waypost.authoring.attributes import AttributeFile, AttributeName, attributes
from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored
from waypost.contacts.attributes import AttributeSystem
from waypost.contacts.cleaning import Unusable, locale, time_zone
from waypost.importing.filling import Derivation, WhenKnown
from waypost.importing.statistics import STATISTICS

PLACE: Final = "contacts/filling.yaml"

NEVER_GUESSED: Final = {
    "email": "an address belongs to one contact",
    "phone": "an address belongs to one contact",
    "consent": "only the person can give it",
    "tags": "tags have rules of their own, in tags.yaml",
    "groups": "groups are joined, not guessed",
    "gender": "a wrong guess offends, and personal data may not be invented",
    "birthday": "a wrong guess sends greetings on the wrong day, and personal data may not be invented",
}
"""What no rule may fill, and why."""

_SOURCES: Final = {
    "province_of_city": "a city", "zone_of_province": "a province", "zone_of_phone": "a phone number",
    "country_of_phone": "a phone number", "carrier_of_phone": "a phone number", "locale_of_country": "a country",
    "country_of_locale": "a locale",
}  # fmt: skip


def _not_guessed(name: str) -> str:
    if name in NEVER_GUESSED:
        raise ValueError(f"{name} is never filled: {NEVER_GUESSED[name]}")
    return name


Scalar = str | bool | int | float
Target = Annotated[AttributeName, AfterValidator(_not_guessed)]


class Fill(Authored):
    """One rule: ``fill`` an attribute that a row does not have, with a ``value`` or ``from`` another attribute.

    ``from`` alone copies; ``by`` derives; ``table`` looks up. ``only_if`` maps attributes to the value, or the list of
    values, they must have. ``when_known`` decides about a contact that already has a value.
    """

    fill: Target
    description: str = ""
    value: Scalar | None = None
    source: AttributeName | None = Field(default=None, alias="from")
    by: Derivation | None = None
    table: dict[str, Scalar] | None = None
    only_if: dict[AttributeName, Scalar | list[Scalar]] = Field(default_factory=dict)
    when_known: WhenKnown = "keep"

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if self.by in STATISTICS:
            if self.value is not None or self.source is not None or self.table is not None:
                raise ValueError(f"{self.by} is of the file's own values; leave out 'value', 'from' and 'table'")
            if self.when_known == "replace":
                raise ValueError("an imputed value never replaces what is known; leave when_known out")
            return self
        if (self.value is None) == (self.source is None):
            raise ValueError("expected either a 'value', a 'from', or a statistic ('by: mean'), and not several")
        if self.source is None and (self.by is not None or self.table is not None):
            raise ValueError("'by' and 'table' need a 'from'")
        if self.by is not None and self.table is not None:
            raise ValueError("expected 'by' or 'table', not both")
        if self.source == self.fill:
            raise ValueError("an attribute cannot be filled from itself")
        if self.value is not None and self.when_known == "replace":
            raise ValueError("a default never replaces what is known; leave when_known out")
        return self

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        form: dict[str, Any] = {"attribute": self.fill, "when_known": self.when_known}
        if self.value is not None:
            form["value"] = self.value
        if self.by in STATISTICS:
            form["by"] = self.by
        if self.source is not None:
            form |= {"source": self.source, "by": self.by or "same"}
        if self.table is not None:
            form["table"] = dict(self.table)
        if self.only_if:
            form["only_if"] = {
                name: list(values) if isinstance(values, list) else [values] for name, values in self.only_if.items()
            }
        return form


class FillingFile(Authored):
    """``filling.yaml``; rules apply in order, a later one may use what an earlier one filled."""

    rules: list[Fill]


def filling(reader: FileReader) -> dict[str, Any]:
    """The section ``filling``; empty when there is no file."""
    path = reader.root / PLACE
    file = reader.declared(path, FillingFile)
    if file is None:
        return {}
    system = AttributeSystem.from_dict(_attributes(reader))
    for index, rule in enumerate(file.rules):
        reader.extend(path, ((f"rules[{index}].{where}", reason) for where, reason in _problems(rule, system)))
    return {"rules": [rule.published() for rule in file.rules]}


def _attributes(reader: FileReader) -> dict[str, Any]:
    """What is declared; its own section tells what is wrong with it."""
    quiet = FileReader(reader.root)
    found = quiet.declared(quiet.root / ATTRIBUTES, AttributeFile)
    return attributes(quiet) if found is not None else {}


def _problems(rule: Fill, system: AttributeSystem) -> Iterator[tuple[str, str]]:
    """Values that cleaning would refuse, and derivations from the wrong attribute."""
    values = [("value", rule.value)] if rule.value is not None else []
    values += [(f"table.{key}", value) for key, value in (rule.table or {}).items()]
    for where, value in values:
        cleaned = _cleaned(rule.fill, value, system)
        if isinstance(cleaned, Unusable):
            yield where, f"{rule.fill} {cleaned.reason}"
        elif cleaned != value:
            yield where, f"expected {cleaned!r}, as {rule.fill} is stored, got {value!r}"
    if rule.by in STATISTICS:
        yield from _statistic_problems(rule, system)
    if rule.by in _SOURCES and rule.source is not None:
        kind = "phone" if rule.by.endswith("_of_phone") else ""
        if kind and rule.source != kind:
            yield "from", f"{rule.by} reads {_SOURCES[rule.by]}; expected 'phone', got {rule.source!r}"


def _statistic_problems(rule: Fill, system: AttributeSystem) -> Iterator[tuple[str, str]]:
    """A mean of what is no number, and a statistic of a list."""
    declared = system.attributes.get(rule.fill)
    if rule.by in {"mean", "median"} and (declared is None or declared.type != "number"):
        yield "by", f"{rule.by} is of numbers; declare {rule.fill} as a number, or fill by most_frequent"
    if declared is not None and declared.type in {"list", "datetime"}:
        yield "by", f"a {declared.type} has no {rule.by}"


def _cleaned(name: str, value: Any, system: AttributeSystem) -> Any:
    if name in {"locale", "timezone"}:
        clean = locale if name == "locale" else time_zone
        return clean(value) if isinstance(value, str) else Unusable("should be text")
    declared = system.attributes.get(name)
    return value if declared is None else declared.clean(value)
