"""The template language of messages and the variables a template sees. Used when messages are published and rendered.

Both sides go through here, so a template that passed the check renders the same way for a real contact.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from decimal import Decimal
from functools import cache
from html import escape
from typing import Any, Final

from minijinja import Environment, TemplateError, safe

from waypost import ids
from waypost.content.wording import Reader, UnreadableValueError

HTML: Final = ".html"
TEXT: Final = ".txt"

ROOTS: Final = ("contact", "event", "journey", "message", "links")
"""What a template may use; docs/authoring.md lists what is in each."""

PRODUCTS: Final = "products"
"""What a template may use besides, if its message asks for products."""

COUPON: Final = "coupon"
"""What a template may use besides, if its message speaks of a coupon."""

BRAND: Final = "brand"
"""What a template may use besides, if its message names a brand."""

_READER: Final = "reader"
"""Where ``prepared`` keeps whom the engine writes for; no template may use the name."""

_READERS: Final[ContextVar[Reader]] = ContextVar("reader")
"""Whom the engine writes for while it fills a template in, for the filters and what is printed without one."""

_UNPRINTABLE: Final = "\U0010fff0\U000f0001\U0010fff0"
"""Characters of no script, by which a mapping that became part of a text is found in it."""


class UnknownVariableError(Exception):
    """A template uses something unknown of this contact; ``variable`` is empty where the engine cannot tell."""

    def __init__(self, variable: str, line: int) -> None:
        super().__init__(variable)
        self.variable = variable
        self.line = line


class BrokenTemplateError(Exception):
    """A template that cannot be read or computed; ``reason`` holds no value of the contact.

    ``for_everybody``: the template itself is wrong, whatever is known of a contact.
    """

    def __init__(self, reason: str, line: int, *, for_everybody: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.for_everybody = for_everybody


class Known:
    """A mapping as templates see it: what is not in it is undefined, even if a dict has a method of that name.

    A value is made ready when a template takes it: most of what is known of a contact stands in no message.
    """

    __slots__ = ("_path", "_reader", "_values")

    def __init__(self, values: Mapping[str, Any], *, path: str, reader: Reader) -> None:
        self._path = path
        self._values = values
        self._reader = reader

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        if type(value) is str and value and not value.isspace():
            return value
        if _is_blank(value):
            raise KeyError(name)
        return _value(value, f"{self._path}.{name}", self._reader)

    def __iter__(self) -> Iterator[str]:
        return (name for name, value in self._values.items() if not _is_blank(value))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __str__(self) -> str:
        """A mark and the name, for the engine that asks for the text of what has none."""
        return f"{_UNPRINTABLE}{self._path}{_UNPRINTABLE}"


class EscapedLinks:
    """The links of a message in HTML: they stay readable, everything but their slashes is escaped."""

    __slots__ = ("_links",)

    def __init__(self, links: Known) -> None:
        self._links = links

    def __getitem__(self, name: str) -> str:
        return safe(escape(str(self._links[name])))

    def __iter__(self) -> Iterator[str]:
        return iter(self._links)

    def __len__(self) -> int:
        return len(self._links)

    def __str__(self) -> str:
        return str(self._links)


class Several(list[Any]):
    """A list as templates see it; as part of a text it reads as the reader's language puts things one after another."""

    def __init__(self, values: list[Any], reader: Reader) -> None:
        super().__init__(values)
        self._reader = reader

    def __str__(self) -> str:
        return self._reader.several(str(each) if isinstance(each, Known) else each for each in self)


def _is_blank(value: Any) -> bool:
    """Null and blank text count as unknown, so that a ``default`` takes their place."""
    return value is None or (isinstance(value, str) and (not value or value.isspace()))


def _value(value: Any, path: str, reader: Reader) -> Any:
    if isinstance(value, str):
        return value
    match value:
        case Mapping():
            return Known(value, path=path, reader=reader)
        case list() | tuple():
            return Several([_value(each, f"{path}[]", reader) for each in value], reader)
        case set() | frozenset():
            return Several(sorted(value), reader)
        case Decimal():
            return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
        case _:
            return value


def prepared(variables: Mapping[str, Any], reader: Reader = Reader()) -> dict[str, Any]:  # noqa: B008 - it never changes
    """The variables of a render as templates see them; ``event.properties`` and ``event.left_on`` are never undefined."""
    event = dict(variables["event"])
    left_on = dict(event.get("left_on") or {})
    event["properties"] = event.get("properties") or {}
    event["left_on"] = {**left_on, "properties": left_on.get("properties") or {}}
    roots = {root: event if root == "event" else variables[root] for root in ROOTS}
    roots |= {root: variables[root] for root in (PRODUCTS, COUPON, BRAND) if root in variables}
    return {_READER: reader} | {root: Known(values, path=root, reader=reader) for root, values in roots.items()}


def fill(template: str, values: Mapping[str, Any], kind: str) -> str:
    """The template with ``values`` (from ``prepared``) filled in; ``kind`` HTML escapes them.

    Raises UnknownVariableError or BrokenTemplateError.
    """
    if kind == HTML:
        values = {**values, "links": EscapedLinks(values["links"])}
    writing_for = _READERS.set(values[_READER])
    try:
        text = engine().render_template(_name_of(template, kind), **values)
    except TemplateError as error:
        raise _explained(error) from None  # the engine's own text shows the values at hand
    except UnreadableValueError as error:
        raise BrokenTemplateError(f"a value {error}", 0, for_everybody=False) from None
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:  # of a Python method it calls
        raise BrokenTemplateError(f"{type(error).__name__} while it was filled in", 0, for_everybody=False) from None
    finally:
        _READERS.reset(writing_for)
    _, found, rest = text.partition(_UNPRINTABLE)
    if found:
        raise BrokenTemplateError(
            f"{rest.partition(_UNPRINTABLE)[0]} is several values with names", 0, for_everybody=False
        )
    return text


def check_syntax(template: str) -> None:
    """Raises BrokenTemplateError where the template cannot be read."""
    try:
        engine().undeclared_variables_in_str(template)
        Environment(undefined_behavior="strict").add_template("check", template)
    except TemplateError as error:
        raise BrokenTemplateError(error.detail or error.kind, error.line or 0, for_everybody=True) from None


def variables_used(template: str) -> set[str]:
    """The dotted names a template takes from outside, as far as they are written out."""
    return engine().undeclared_variables_in_str(template, nested=True)


def _explained(error: TemplateError) -> UnknownVariableError | BrokenTemplateError:
    line = error.line or 0
    if error.kind == "UndefinedError":
        detail = error.detail or ""
        return UnknownVariableError(detail.split("`")[1] if "`" in detail else "", line)
    if error.kind in {"SyntaxError", "UnknownFilter", "UnknownTest", "UnknownFunction", "UnknownMethod"}:
        return BrokenTemplateError(error.detail or error.kind, line, for_everybody=True)
    return BrokenTemplateError(error.kind, line, for_everybody=False)  # the detail may show a value


@cache
def engine() -> Environment:
    """The one environment of this process, in which templates are checked and filled in."""
    return Environment(
        undefined_behavior="strict",
        auto_escape_callback=lambda name: name.endswith(HTML),
        debug=True,
        finalizer=_printed,
        filters={"tojson": _as_json, **{name: _filter(method) for name, method in _FILTERS.items()}},
    )


def _printed(value: Any) -> Any:
    """What is printed of a value: text as it is, all else as the reader reads it."""
    if isinstance(value, str) and (len(value) < _SHORTEST_INSTANT or value[_BEFORE_TIME] != "T"):
        return value
    if isinstance(value, (Known, EscapedLinks)):
        return str(value)
    shown = _READERS.get().shown(value)
    return value if shown == value else shown  # text that is marked as safe stays so


_SHORTEST_INSTANT: Final = 16
_BEFORE_TIME: Final = 10
"""Where an instant has its T: no other text can be one."""


_FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "date": Reader.written_date,
    "datetime": Reader.written_datetime,
    "time": Reader.written_time,
    "number": Reader.number,
    "money": Reader.money,
}
"""The filters that the engine does not bring: how a value reads in the reader's language and time zone."""


def _as_json(value: Any) -> str:
    """JSON, as mail programs read orders and tickets in ``<script type="application/ld+json">``; it may stand in HTML as it is.

    The engine's own filter takes ``Known`` for the list of its names.
    """
    text = json.dumps(_plain(value), ensure_ascii=False)
    return safe(text.translate(_IN_HTML))


def _plain(value: Any) -> Any:
    match value:
        case Known():
            return {name: _plain(value[name]) for name in value}
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value


_IN_HTML: Final = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&'"}


def _filter(method: Callable[..., str]) -> Callable[..., str]:
    def apply(value: Any, *given: Any, **named: Any) -> str:
        return method(_READERS.get(), value, *given, **named)

    return apply


@cache
def _name_of(template: str, kind: str) -> str:
    """Parse a template once per process and keep it under a name that says how to escape."""
    name = ids.digest(template) + kind
    engine().add_template(name, template)
    return name
