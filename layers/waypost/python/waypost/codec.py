"""The JSON form of dataclasses: what is stored, queued and passed through state machines. Reading it checks it and names the field.

A field is a key of the same name. Text, numbers, Any and Literal stay as they are; an instant is ISO 8601 in UTC, a date or a
time of day ISO 8601, a zone its name, a timedelta the number of seconds under ``<field>_seconds``; a set is a sorted list. Keys
that no field has are ignored and absent ones take the field's default, so that code of one version reads what another wrote.
"""

import types
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any, Final, Literal, NamedTuple, NewType, Self, TypeVar, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from waypost.clock import format_instant, parse_instant
from waypost.errors import InvalidInput

T = TypeVar("T")


class JsonForm:
    """A dataclass with a JSON form; one whose form is not that of its fields overrides ``to_dict``, ``from_dict`` or both."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return dump_fields(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``. Raises InvalidInput with the path of the field, such as ``trigger.occurred_at``."""
        return load_fields(cls, value)


def dump_fields(value: Any) -> dict[str, Any]:
    """The JSON form of the fields of a dataclass, for one that overrides ``to_dict``."""
    kind: Any = type(value)
    form: dict[str, Any] = _fields(kind).dump(value)
    return form


def load_fields(cls: type[T], value: Mapping[str, Any]) -> T:
    """The inverse of ``dump_fields``, for a dataclass that overrides ``from_dict``."""
    kind: Any = cls
    loaded: T = _fields(kind).load(value)
    return loaded


class Form(NamedTuple):
    """Two functions, one the inverse of the other; ``load`` raises InvalidInput with the path inside of the value."""

    dump: Callable[[Any], Any]
    load: Callable[[Any], Any]


@cache
def form_of(hint: Any) -> Form:
    """The JSON form of a type. Raises TypeError for one that has none."""
    kind, args = get_origin(hint) or hint, get_args(hint)
    if kind in _SCALARS:
        return _SCALARS[kind]
    form = _dataclass(kind) if is_dataclass(kind) else _special(kind, args) or _container(kind, args)
    if form is None:
        raise TypeError(f"{hint} has no JSON form")
    return form


def _special(kind: Any, args: tuple[Any, ...]) -> Form | None:
    if isinstance(kind, NewType):
        return form_of(kind.__supertype__)
    if isinstance(kind, TypeVar):  # what it stands for is known to the caller of from_dict
        return Form(lambda value: value.to_dict(), _unchanged)
    if kind is Literal:
        return _literal(args)
    if kind in {Union, types.UnionType}:
        return _union([form_of(each) for each in args if each is not types.NoneType], is_optional=type(None) in args)
    return None


def _container(kind: Any, args: tuple[Any, ...]) -> Form | None:
    if not (isinstance(kind, type) and args):
        return None
    if issubclass(kind, Mapping):
        return _mapping(kind if kind is Counter else dict, form_of(int if kind is Counter else args[1]))
    if issubclass(kind, tuple) and args[-1] is not Ellipsis:
        return _pair([form_of(each) for each in args])
    if issubclass(kind, AbstractSet):
        return _items(set if kind is set else frozenset, sorted, form_of(args[0]))
    if issubclass(kind, Sequence):
        return _items(tuple if kind is tuple else list, list, form_of(args[0]))
    return None


def _dataclass(kind: Any) -> Form:
    own = vars(kind)
    dump = own.get("to_dict") or _fields(kind).dump
    return Form(dump, kind.from_dict if "from_dict" in own else _fields(kind).load)


def _unchanged(value: Any) -> Any:
    return value


def _plain(kind: type, *more: type) -> Form:
    accepted = frozenset({kind, *more})

    def load(value: Any) -> Any:
        if type(value) not in accepted:
            raise _expected(kind.__name__, value)
        return value

    return Form(_unchanged, load)


def _literal(allowed: tuple[Any, ...]) -> Form:
    def load(value: Any) -> Any:
        if value not in allowed:
            raise _expected(f"one of {', '.join(map(repr, allowed))}", value)
        return value

    return Form(_unchanged, load)


def _text(dump: Callable[[Any], str], parse: Callable[[str], Any], expected: str) -> Form:
    def load(value: Any) -> Any:
        try:
            return parse(value)
        except (ValueError, TypeError, KeyError, OSError):  # of a zone that is not known, or the name of a folder
            raise _expected(expected, value) from None

    return Form(dump, load)


_NUMBER: Final = _plain(float, int)

_SCALARS: Final[Mapping[Any, Form]] = {
    Any: Form(_unchanged, _unchanged),
    str: _plain(str),
    bool: _plain(bool),
    int: _plain(int),
    float: _NUMBER,
    datetime: _text(format_instant, parse_instant, "an instant with its offset (ISO 8601)"),
    date: _text(date.isoformat, date.fromisoformat, "a date (ISO 8601)"),
    time: _text(time.isoformat, time.fromisoformat, "a time of day (ISO 8601)"),
    ZoneInfo: _text(str, ZoneInfo, "an IANA time zone"),
    timedelta: Form(timedelta.total_seconds, lambda value: timedelta(seconds=_NUMBER.load(value))),
}


def _union(forms: Sequence[Form], *, is_optional: bool) -> Form:
    """Of one type and None; or of several whose values stay as they are, and which are then not checked."""
    if len(forms) > 1:
        if any(form.dump is not _unchanged for form in forms):
            raise TypeError("a union has a JSON form when the values of its members are their own")
        return Form(_unchanged, _unchanged)
    [(dump, load)] = forms
    if not is_optional:
        return forms[0]
    return Form(
        _unchanged if dump is _unchanged else lambda value: None if value is None else dump(value),
        lambda value: None if value is None else load(value),
    )


def _mapping(kind: Callable[[Any], Any], form: Form) -> Form:
    dump, load_one = form

    def load(value: Any) -> Any:
        _check(value, Mapping, "an object")
        if load_one is _unchanged:
            return kind(value)
        try:
            return kind({name: load_one(each) for name, each in value.items()})
        except InvalidInput:
            raise _located([(name, load_one, each) for name, each in value.items()]) from None

    return Form(dict if dump is _unchanged else lambda value: {name: dump(each) for name, each in value.items()}, load)


def _items(kind: Callable[[Any], Any], order: Callable[[Any], list[Any]], form: Form) -> Form:
    dump, load_one = form

    def load(value: Any) -> Any:
        _check(value, (list, tuple), "a list")
        try:
            return kind(map(load_one, value))
        except InvalidInput:
            raise _located([(f"[{place}]", load_one, each) for place, each in enumerate(value)]) from None

    return Form(order if dump is _unchanged else lambda value: order(map(dump, value)), load)


def _pair(forms: Sequence[Form]) -> Form:
    def load(value: Any) -> Any:
        _check(value, (list, tuple), "a list")
        if len(value) != len(forms):
            raise InvalidInput("", f"expected a list of {len(forms)}, got one of {len(value)}")
        try:
            return tuple([form.load(each) for form, each in zip(forms, value, strict=True)])
        except InvalidInput:
            parts = zip(forms, enumerate(value), strict=True)
            raise _located([(f"[{place}]", form.load, each) for form, (place, each) in parts]) from None

    return Form(lambda value: [form.dump(each) for form, each in zip(forms, value, strict=True)], load)


@cache
def _fields(kind: Any) -> Form:
    hints = get_type_hints(kind)
    plan = [(each, _key(each, hints[each.name]), form_of(hints[each.name])) for each in fields(kind) if each.init]
    dumps = [(each.name, key, form.dump) for each, key, form in plan]
    loads = [(each.name, key, form.load) for each, key, form in plan]
    required = [(each.name, key) for each, key, _ in plan if _is_required(each)]

    def dump(value: Any) -> dict[str, Any]:
        return {key: dump_one(getattr(value, name)) for name, key, dump_one in dumps}

    def load(value: Any) -> Any:
        _check(value, Mapping, "an object")
        try:
            found = {name: load_one(value[key]) for name, key, load_one in loads if key in value}
        except InvalidInput:
            raise _located([(key, load_one, value[key]) for _, key, load_one in loads if key in value]) from None
        for name, key in required:
            if name not in found:
                raise InvalidInput(key, "is missing")
        return kind(**found)

    return Form(dump, load)


def _key(each: "Field[Any]", hint: Any) -> str:
    return f"{each.name}_seconds" if hint is timedelta or timedelta in get_args(hint) else each.name


def _is_required(each: "Field[Any]") -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _check(value: Any, kind: Any, expected: str) -> None:
    if not isinstance(value, kind):
        raise _expected(expected, value)


def _located(parts: Sequence[tuple[str, Callable[[Any], Any], Any]]) -> InvalidInput:
    """The error of the first of these (part, load, value) that cannot be loaded, as seen from one level further out."""
    for part, load, value in parts:
        try:
            load(value)
        except InvalidInput as error:
            joint = "." if error.field and not error.field.startswith("[") else ""
            return InvalidInput(f"{part}{joint}{error.field}", error.reason)
    raise AssertionError("each of them can be loaded")


def _expected(what: str, value: Any) -> InvalidInput:
    """The type of what was found and never the value: it may be about a person, and errors are logged."""
    return InvalidInput("", f"expected {what}, got {type(value).__name__}")
