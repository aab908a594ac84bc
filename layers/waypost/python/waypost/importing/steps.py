"""What cleaning does with the cells of one column: its place in the contact, and the rule of its values. Used by the cleaner."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, assert_never

from waypost.contacts import cleaning, push_tokens
from waypost.contacts.attributes import AttributeDeclaration, AttributeSystem
from waypost.contacts.cleaning import Unusable
from waypost.contacts.cleaning.lists import split_values
from waypost.contacts.cleaning.numbers import boolean
from waypost.contacts.cleaning.text import half_width, is_empty, plain
from waypost.contacts.file_columns import is_undeclared, json_value, quoted_text
from waypost.contacts.identity.acceptance import PLACEHOLDER, group_objection, identity_objection
from waypost.contacts.tag_system import load_tag_system
from waypost.files.safe_cells import kept_text, original_cell
from waypost.importing.spec import Column, ImportSpec

LONGEST_ID: Final = 256
"""Characters of an id given by another system."""

MOST_NAMES: Final = 100
LONGEST_NAME: Final = 100

CLEARABLE_IDENTITIES: Final = frozenset({"email", "phone"})
"""Identities that are addresses, too: what is cleared is the address, and the identity still leads to the contact."""

_AS_GIVEN_IDS: Final = frozenset({"user_id", "anonymous_id"})
"""Ids that senders choose themselves; the spelling of others is given."""

_MOST_KNOWN: Final = 10_000
_LONGEST_KNOWN: Final = 50

_ROUNDED: Final = re.compile(r"[+-]?[0-9](?:\.[0-9]+)?e\+?[0-9]{1,2}", re.IGNORECASE)
_WHOLE_FLOAT: Final = re.compile(r"([0-9]+)\.0+")

_NOT_TEXT: Final = Unusable("should be text")
_ROUNDED_REASON: Final = Unusable(
    "was rounded by a spreadsheet (1.38E+10); format the column as text there and export the file again"
)
_SEVERAL_PHONES: Final = Unusable("holds more than one phone number; put each into a column of its own")
_SEVERAL_EMAILS: Final = Unusable("holds more than one e-mail address; put each into a column of its own")
_SEVERAL: Final = re.compile(r"[/,;|、，；]")


@dataclass(frozen=True, slots=True)
class Step:
    """How the cells of a column are cleaned. ``rule`` names the cleaning rule, for the report.

    ``takes_empty``: a marker of emptiness (``无``) may be a value of this column. ``is_cell``: the texts are cells of a CSV
    file, which a spreadsheet may have escaped. ``known`` caches the values of short cells: dates, cities and levels repeat
    in a file, identities do not. ``doubt`` says what the report notes of a clean value that is kept as it is. ``clears``: texts of a cell, folded, that take the value away. ``is_json``: a column of an
    undeclared attribute in an export, whose values stay as they are.
    """

    column: str
    place: Column
    rule: str
    clean: Callable[[Any], Any]
    leaves_out: bool = False
    doubt: Callable[[Any], str] | None = None
    takes_empty: bool = False
    is_cell: bool = False
    clears: frozenset[str] = frozenset()
    is_json: bool = False
    known: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def field(self) -> str:
        """What the cells become, as reports call it."""
        return self.place.name or self.place.goes_to

    @property
    def can_clear(self) -> bool:
        """Whether a value of this column can be taken away: an attribute's, and an address."""
        return self.place.goes_to == "attribute" or self.place.name in CLEARABLE_IDENTITIES

    def is_clearing(self, cell: str) -> bool:
        """Whether the text of a cell takes the value away."""
        return bool(self.clears) and plain(cell).casefold() in self.clears

    def value(self, cell: Any, further_empty: tuple[str, ...]) -> Any:
        """The clean value of a cell; None for an empty one, Unusable when it cannot be used. Do not change it."""
        if not isinstance(cell, str):
            return None if cell is None or (cell == [] and not self.is_json) else self.clean(cell)
        if self.place.goes_to == "identity" or len(cell) > _LONGEST_KNOWN:
            return self._of_text(cell, further_empty)
        if cell in self.known:
            return self.known[cell]
        found = self._of_text(cell, further_empty)
        if len(self.known) < _MOST_KNOWN:
            self.known[cell] = found
        return found

    def _of_text(self, cell: str, further_empty: tuple[str, ...]) -> Any:
        if self.is_cell and cell.startswith(("'", "=")):
            cell = original_cell(cell)
            if self.place.goes_to == "identity":
                cell = kept_text(cell)
        if self.is_json:
            return json_value(cell) if self.is_cell else cell
        if cell.startswith('"') and (exact := quoted_text(cell)) is not None:
            is_given = self.place.goes_to == "identity" and self.place.name in _AS_GIVEN_IDS
            return _given_id(self.place.name, exact) if is_given else self.clean(exact)
        text = plain(cell)
        if is_empty(text, further_empty):
            found = self.clean(text) if self.takes_empty and text else None
            return None if isinstance(found, Unusable) else found
        return self.clean(text)


def step_for(name: str, column: Column, spec: ImportSpec, attributes: AttributeSystem) -> Step | None:
    """The step of a column, None for one that is ignored."""
    step = _step(name, column, spec, attributes)
    if step is None:
        return None
    step = replace(step, is_cell=bool(spec.header))
    clears = frozenset(plain(text).casefold() for text in (*spec.clear, *column.clear))
    return replace(step, clears=clears) if clears and step.can_clear else step


def _step(name: str, column: Column, spec: ImportSpec, attributes: AttributeSystem) -> Step | None:
    match column.goes_to:
        case "ignore":
            return None
        case "identity":
            clean = _identity(column, spec)
            rule = column.name if column.name in {"email", "phone"} else "text"
            return Step(name, column, rule, clean, leaves_out=column.wrong == "leave_out")
        case "attribute":
            return _attribute(name, column, spec, attributes)
        case "tags":
            leaves_out = column.wrong == "leave_out"
            return Step(name, column, "list", lambda value: _tags(value, column.separator), leaves_out=leaves_out)
        case "groups":
            return Step(name, column, "list", lambda value: _groups(value, column.separator))
        case "consent":
            leaves_out = column.wrong == "leave_out"
            return Step(name, column, "boolean", _answer, leaves_out=leaves_out)
        case never:
            assert_never(never)


def _identity(column: Column, spec: ImportSpec) -> Callable[[Any], Any]:
    """The cleaning of a column of identities; a placeholder counts as an empty cell."""
    spelled = _spelled(column, spec)

    def clean(value: Any) -> Any:
        found = spelled(value)
        for text in (value, found) if found != value else (value,):
            if isinstance(text, str) and (objection := identity_objection(column.name, text)):
                return None if objection is PLACEHOLDER else objection
        return found

    return clean


def _spelled(column: Column, spec: ImportSpec) -> Callable[[Any], Any]:
    match column.name:
        case "email":
            return _email
        case "phone":
            return lambda value: _phone(value, spec.phone_region)
        case "openid":
            return lambda value: _id(value, prefix=f"{column.account}:")
        case "user_id":
            return _user_id
        case _:
            return _id


def _user_id(value: Any) -> Any:
    found = _id(value)
    return cleaning.user_id(found) if isinstance(found, str) else found


def _given_id(kind: str, text: str) -> str | Unusable:
    """An id that is written as a JSON string: it keeps its spelling."""
    if not text or len(text) > LONGEST_ID:
        return Unusable(f"should be an id of at most {LONGEST_ID} characters")
    return identity_objection(kind, text) or text


def _text_of(value: Any) -> str | Unusable:
    """What a JSON value would be in a file of text."""
    if isinstance(value, str):
        return value
    return _NOT_TEXT if isinstance(value, (bool, list, dict)) else str(value)


_NAMED_EMAIL: Final = re.compile(r"[^<>@]*<([^<>]+)>")
"""``Mei Lin <mei@example.com>``, as mail programs export an address book (RFC 5322, section 3.4)."""


def _email(value: Any) -> Any:
    text = _text_of(value)
    if isinstance(text, Unusable):
        return text
    text = half_width(text).replace("。", ".").removeprefix("mailto:")
    if named := _NAMED_EMAIL.fullmatch(text):
        text = named[1]
    found = cleaning.email(text)
    return _SEVERAL_EMAILS if isinstance(found, Unusable) and text.count("@") > 1 and _SEVERAL.search(text) else found


def _phone(value: Any, region: str) -> Any:
    text = _text_of(value)
    if isinstance(text, Unusable):
        return text
    if whole := _WHOLE_FLOAT.fullmatch(text):
        text = whole[1]
    found = cleaning.phone(text, region=region)
    if isinstance(found, Unusable):
        if _ROUNDED.fullmatch(text):
            return _ROUNDED_REASON
        parts = [part for part in _SEVERAL.split(half_width(text)) if part.strip()]
        if len(parts) > 1 and all(isinstance(cleaning.phone(part, region=region), str) for part in parts):
            return _SEVERAL_PHONES
    return found


def _id(value: Any, *, prefix: str = "") -> Any:
    text = _text_of(value)
    if isinstance(text, Unusable):
        return text
    text = half_width(text)
    if _ROUNDED.fullmatch(text) and "e+" in text.lower():
        return _ROUNDED_REASON
    if not text or len(text) > LONGEST_ID:
        return Unusable(f"should be an id of at most {LONGEST_ID} characters")
    return text if text.startswith(prefix) else prefix + text


def _attribute(name: str, column: Column, spec: ImportSpec, attributes: AttributeSystem) -> Step:
    leaves_out = column.wrong == "leave_out"
    match column.name:
        case "email":
            return Step(name, column, "email", _email, leaves_out=leaves_out)
        case "phone":
            return Step(name, column, "phone", lambda value: _phone(value, spec.phone_region), leaves_out=leaves_out)
        case "locale":
            return Step(name, column, "locale", _of_text(cleaning.locale), leaves_out=column.wrong != "reject")
        case "timezone":
            return Step(name, column, "time_zone", _of_text(cleaning.time_zone), leaves_out=column.wrong != "reject")
        case _:
            declared = attributes.attributes.get(column.name)
    if declared is None:
        is_json = is_undeclared(name)
        clean = partial(_as_stored, column.name) if is_json else _undeclared
        return Step(name, column, "text", clean, leaves_out=leaves_out, is_json=is_json)
    return Step(
        name,
        column,
        declared.type if declared.type != "string" else "values" if declared.values else "text",
        _declared(declared, column, spec),
        leaves_out=(column.wrong or declared.wrong) == "leave_out",
        doubt=declared.doubt if declared.level == "country" else None,
        takes_empty=declared.type == "boolean" or bool(declared.values),
    )


def _declared(declared: AttributeDeclaration, column: Column, spec: ImportSpec) -> Callable[[Any], Any]:
    dates = column.dates or spec.dates
    excel = spec.excel_dates if column.excel_dates is None else column.excel_dates

    def clean(value: Any) -> Any:
        return declared.clean(
            value, zone=spec.time_zone, dates=dates, excel_dates=excel, separator=column.separator
        )  # fmt: skip

    return clean


def _of_text(clean: Callable[[str], Any]) -> Callable[[Any], Any]:
    def of(value: Any) -> Any:
        return clean(value) if isinstance(value, str) else _NOT_TEXT

    return of


_AS_GIVEN: Final = AttributeDeclaration(name="", type="string")
_AS_LIST: Final = AttributeDeclaration(name="", type="list")
_AS_NUMBER: Final = AttributeDeclaration(name="", type="number")


def _undeclared(value: Any) -> Any:
    """A value of an undeclared attribute: text is tidied, other JSON values stay."""
    if isinstance(value, str):
        return _AS_GIVEN.clean(value)
    if isinstance(value, list):
        return _AS_LIST.clean(value)
    return value if isinstance(value, bool) else _AS_NUMBER.clean(value)


def _as_stored(name: str, value: Any) -> Any:
    """A value of an undeclared attribute of an export; push tokens are the only ones with a form."""
    reason = push_tokens.problem(value) if name == push_tokens.ATTRIBUTE else ""
    return Unusable(reason) if reason else value


def _names(value: Any, separator: str) -> Any:
    """Names of tags or groups."""
    if isinstance(value, str):
        value = split_values(value, separator)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return Unusable("should be a list of names")
    names = list(dict.fromkeys(filter(None, map(plain, value))))
    if len(names) > MOST_NAMES or any(len(name) > LONGEST_NAME for name in names):
        return Unusable(f"should be at most {MOST_NAMES} names of at most {LONGEST_NAME} characters")
    return names


def _groups(value: Any, separator: str) -> Any:
    """Names of groups; a placeholder among them counts as empty."""
    names = _names(value, separator)
    return names if isinstance(names, Unusable) else [name for name in names if not group_objection(name)]


def _tags(value: Any, separator: str) -> Any:
    """Names of tags, each as it is declared: a tag's display name stands for the tag."""
    names, system = _names(value, separator), load_tag_system()
    if isinstance(names, Unusable) or not system.is_declared:
        return names
    return list(dict.fromkeys(map(system.meant_by, names)))


def tags_to_give(tags: Sequence[str], *, leaves_out: bool) -> tuple[list[str], dict[str, str]] | Unusable:
    """The tags a row gives, and those it may not give with the reason; Unusable when one of them is not declared.

    A tag that a rule alone gives is left out: a file that names it is right about the contact, and the rule decides again.
    With ``leaves_out`` so is a tag that is not declared.
    """
    system = load_tag_system()
    refused: dict[str, str] = {}
    for tag in tags:
        if reason := system.objection(tag, given=False):
            if not leaves_out:
                return Unusable(reason)
            refused[tag] = reason
        elif reason := system.objection(tag):
            refused[tag] = reason
    return [tag for tag in tags if tag not in refused], refused


def _answer(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    text = _text_of(value)
    return text if isinstance(text, Unusable) else boolean(text)
