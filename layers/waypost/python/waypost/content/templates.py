"""The template language of messages and the variables a template sees. Used when messages are published and rendered.

Both sides go through here, so a template that passed the check renders the same way for a real contact.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
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
        return _escaped({name: self._links[name]})[name]

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


@dataclass(frozen=True, slots=True)
class Prepared:
    """The variables of a render, by root, and whom it is for."""

    roots: Mapping[str, Mapping[str, Any]]
    reader: Reader

    def named_by(self, template: "_Parsed") -> dict[str, Any]:
        """What a template names of them, made ready: plain values, which the engine takes faster than it asks ``Known``."""
        return {
            root: Known(self.roots[root], path=root, reader=self.reader)
            if names is None
            else _taken(self.roots[root], names, root, self.reader)
            for root, names in template.names.items()
            if root in self.roots
        }


def prepared(variables: Mapping[str, Any], reader: Reader = Reader()) -> Prepared:  # noqa: B008 - it never changes
    """The variables of a render as templates see them; ``event.properties`` and ``event.left_on`` are never undefined."""
    event = variables["event"]
    left_on = event.get("left_on") or {}
    roots = {root: variables[root] for root in (*ROOTS, PRODUCTS, COUPON) if root in variables}
    roots["event"] = {
        **event,
        "properties": event.get("properties") or {},
        "left_on": {**left_on, "properties": left_on.get("properties") or {}},
    }
    return Prepared(roots, reader)


def _taken(values: Mapping[str, Any], names: "Names", path: str, reader: Reader) -> "dict[str, Any] | Known":
    """The values that are named, without what is blank; ``Known`` where the engine would find a method of dict instead."""
    found: dict[str, Any] = {}
    for name, inner in names.items():
        value = values.get(name)
        if type(value) is str and value and not value.isspace():
            found[name] = value
        elif not _is_blank(value):
            place = f"{path}.{name}"
            if inner and isinstance(value, Mapping):
                found[name] = _taken(value, inner, place, reader)
            else:
                found[name] = _value(value, place, reader)
        elif name in _OF_DICT:
            return Known(values, path=path, reader=reader)
    return found


_OF_DICT: Final = frozenset(dir(dict))


def fill(template: str, values: Prepared, kind: str) -> str:
    """The template with ``values`` filled in; ``kind`` HTML escapes them. Raises UnknownVariableError or BrokenTemplateError."""
    parsed = _parsed(template, kind)
    named = values.named_by(parsed)
    if kind == HTML and "links" in named:
        links = named["links"]
        named["links"] = EscapedLinks(links) if isinstance(links, Known) else _escaped(links)
    writing_for = _READERS.set(values.reader)
    try:
        text = engine().render_template(parsed.name, **named)
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


def _escaped(links: Mapping[str, Any]) -> dict[str, str]:
    return {name: str.__new__(_SAFE, escape(str(link))) for name, link in links.items()}


_SAFE: Final[type[str]] = type(safe(""))
"""The text that the engine escapes no more."""


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


Names = Mapping[str, "Names | None"]
"""What a template names of a mapping: by name None for a value as a whole, or what it names of that."""


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A template that the engine has under a name, and what it names of each root."""

    name: str
    names: Names


@cache
def _parsed(template: str, kind: str) -> _Parsed:
    """Parse a template once per process and keep it under a name that says how to escape."""
    name = ids.digest(template) + kind
    engine().add_template(name, template)
    return _Parsed(name, _names_in(template))


def _names_in(template: str) -> Names:
    """What the template may take of each root: whatever it mentions, in strings too, the shorter where one path begins another."""
    tree: dict[str, Any] = {}
    for tag in _TAG.finditer(template):
        for mention in _MENTION.finditer(tag[0]):
            _add(tree, _WORD.findall(mention[0]))
    return tree


def _add(tree: dict[str, Any], path: Sequence[str]) -> None:
    *before, last = path
    for name in before:
        if (inner := tree.setdefault(name, {})) is None:
            return
        tree = inner
    tree[last] = None


_TAG: Final = re.compile(r"""\{[{%](?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^'"])*?[%}]\}""", re.DOTALL)
_MENTION: Final = re.compile(rf"(?<![\w.])(?:{'|'.join((*ROOTS, PRODUCTS, COUPON))})\b(?:\s*\.\s*\w+)*")
"""A root and the names behind it: a value is reached by no other way, since roots are all that a template is given."""
_WORD: Final = re.compile(r"\w+")
