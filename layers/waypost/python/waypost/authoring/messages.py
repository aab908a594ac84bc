"""The messages of a journey as authored, checked and compiled. Used by discovery, at publish time.

A message is a folder: ``message.yaml`` and, per channel and locale, ``email.<locale>.mjml`` (with an optional
``email.<locale>.txt``) or ``sms.<locale>.txt``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, field_validator

from waypost.authoring.mail import BrokenMjmlError, compile_mail
from waypost.authoring.problems import Authored, Problem, explain, unknown
from waypost.authoring.sending_policy import LOCALE, Locale
from waypost.authoring.yaml_reading import UnclearYamlError, read_yaml
from waypost.content.message import MessageKind, Priority
from waypost.content.sms import MOST_PARTS, sms_length
from waypost.content.templates import (
    HTML,
    PRODUCTS,
    ROOTS,
    TEXT,
    BrokenTemplateError,
    UnknownVariableError,
    check_syntax,
    fill,
    prepared,
    variables_used,
)

_FILE: Final = re.compile(r"(?P<channel>email|sms)\.(?P<locale>[A-Za-z-]+)\.(?P<kind>mjml|txt)")
_KINDS: Final = {"email": "mjml", "sms": "txt"}
_BUILT_IN: Final = {"range", "dict", "namespace"}
_UNSUBSCRIBE_URL: Final = "https://unsubscribe.example.com/u/abc"

NOTHING_KNOWN: Final[Mapping[str, Any]] = {
    "contact": {"id": "c-0"},
    "event": {"id": "e-0", "type": "event_happened", "occurred_at": "2027-03-01T02:00:00.000Z", "properties": {}},
    "journey": {"name": "journey"},
    "message": {"name": "message", "channel": "email"},
    "links": {"unsubscribe": _UNSUBSCRIBE_URL},
}
"""What a template may count on for every contact; all else needs a ``default``."""

_PLAIN_PRODUCT: Final[Mapping[str, Any]] = {"id": "p-1", "name": "Product", "price": 1, "tags": []}
_WHOLE_PRODUCT: Final[Mapping[str, Any]] = {
    **_PLAIN_PRODUCT,
    "category": "category",
    "image": "https://shop.example.com/p-1.jpg",
    "url": "https://shop.example.com/p-1",
    "tags": ["tag"],
}
"""What a template may count on for every product, and what the catalogue may have besides."""


class WantedProducts(Authored):
    """How many related products a message shows; with fewer than ``at_least`` it is not sent."""

    related: Annotated[int, Field(ge=1, le=12)]
    at_least: Annotated[int, Field(ge=0, le=12)] = 0


class MessageManifest(Authored):
    """One ``message.yaml``: ``topic`` is what consent is asked for; ``channels`` in the order they are tried."""

    kind: MessageKind
    topic: Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=50)]
    channels: Annotated[list[Literal["email", "sms"]], Field(min_length=1)]
    subject: dict[Locale, Annotated[str, Field(min_length=1, max_length=200)]] = Field(default_factory=dict)
    description: str | None = None
    products: WantedProducts | None = None
    priority: Priority = "normal"

    @field_validator("channels")
    @classmethod
    def _each_once(cls, channels: list[str]) -> list[str]:
        if len(set(channels)) < len(channels):
            raise ValueError("names a channel twice")
        return channels


@dataclass(frozen=True, slots=True)
class MessageFolder:
    """Reads one message folder. ``look`` is the folder that ``mj-include`` reads, ``shown`` how paths are reported."""

    path: Path
    look: Path
    default_locale: str
    shown: Callable[[Path], str]

    def read(self) -> tuple[dict[str, Any] | None, list[Problem]]:
        """The published form of the message, or what is wrong with it."""
        manifest_path = self.path / "message.yaml"
        try:
            value = read_yaml(manifest_path)
            manifest = MessageManifest.model_validate(value)
        except FileNotFoundError:
            return None, [self._problem(manifest_path, "", "is missing: a message is a folder with a message.yaml")]
        except UnclearYamlError as error:
            return None, [self._problem(manifest_path, "", str(error))]
        except ValidationError as error:
            found = explain(error, value, MessageManifest)
            return None, [self._problem(manifest_path, field, reason) for field, reason in found]
        problems: list[Problem] = []
        variants: dict[str, dict[str, dict[str, str]]] = {channel: {} for channel in manifest.channels}
        problems.extend(self._missing(manifest))
        for channel, locale, path in self._sources(manifest, problems):
            try:
                variants[channel][locale] = self._variant(manifest, channel, locale, path)
            except _UnusableError as error:
                problems.append(self._problem(error.path, error.field, error.reason))
        published = {
            "name": self.path.name,
            "kind": manifest.kind,
            "topic": manifest.topic,
            "priority": manifest.priority,
            "channels": list(manifest.channels),
            "variants": variants,
            **({} if manifest.products is None else {"products": manifest.products.model_dump()}),
        }
        return (None, problems) if problems else (published, [])

    def _sources(self, manifest: MessageManifest, problems: list[Problem]) -> Iterator[tuple[str, str, Path]]:
        """Each variant's file; files that belong to none are problems."""
        for path in sorted(self.path.iterdir()):
            match = _FILE.fullmatch(path.name)
            if path.name == "message.yaml" or path.name.startswith("."):
                continue
            if match is None or not re.fullmatch(LOCALE, match["locale"]):
                reason = "not a file of a message; expected email.<locale>.mjml, email.<locale>.txt or sms.<locale>.txt"
                problems.append(self._problem(path, "", f"{reason} with a locale such as zh-CN or en"))
            elif match["channel"] not in manifest.channels:
                problems.append(self._problem(path, "", f"message.yaml does not list the channel {match['channel']!r}"))
            elif match["kind"] == _KINDS[match["channel"]]:
                yield match["channel"], match["locale"], path
            elif match["kind"] == "mjml" or not path.with_suffix(".mjml").exists():
                problems.append(self._problem(path, "", f"expected a .{_KINDS[match['channel']]} file"))

    def _missing(self, manifest: MessageManifest) -> Iterator[Problem]:
        for channel in manifest.channels:
            path = self.path / f"{channel}.{self.default_locale}.{_KINDS[channel]}"
            if not path.exists():
                yield self._problem(path, "", f"is missing: {self.default_locale} is the default locale (sending.yaml)")
        names = [_FILE.fullmatch(path.name) for path in self.path.glob("email.*.mjml")]
        mails = {name["locale"] for name in names if name}
        if "email" in manifest.channels:
            for locale in sorted(mails ^ set(manifest.subject)):
                file = self.path / ("message.yaml" if locale in mails else f"email.{locale}.mjml")
                reason = "is missing" if locale in mails else "is missing: message.yaml has a subject for it"
                if file.name == "message.yaml" or locale != self.default_locale:
                    yield self._problem(file, f"subject.{locale}" if locale in mails else "", reason)

    def _variant(self, manifest: MessageManifest, channel: str, locale: str, path: Path) -> dict[str, str]:
        """The templates of one channel and locale, checked. Raises _UnusableError."""
        source = _read(path)
        if channel == "sms":
            text = source.strip()
            _check(path, "", text, TEXT, manifest)
            self._check_sms(manifest, locale, path, text)
            return {"text": text}
        subject = manifest.subject.get(locale, "")
        _check(self.path / "message.yaml", f"subject.{locale}", subject, TEXT, manifest)
        if "\n" in subject:
            raise _UnusableError(self.path / "message.yaml", f"subject.{locale}", "has more than one line")
        _check_variables(path, "", source, manifest)
        try:
            html, text = compile_mail(source, self._include)
        except BrokenMjmlError as error:
            raise _UnusableError(path, "", str(error)) from None
        _check(path, "", html, HTML, manifest)
        text_path = path.with_suffix(".txt")
        if text_path.exists():
            text = _read(text_path)
        else:
            text_path = path
        _check(text_path, "", text, TEXT, manifest)
        if manifest.kind == "marketing":
            for place, template, kind in ((path, html, HTML), (text_path, text, TEXT)):
                if _UNSUBSCRIBE_URL not in fill(template, prepared(_nothing_known(manifest)), kind):
                    raise _UnusableError(place, "", "marketing mail must show the link {{ links.unsubscribe }}")
        return {"subject": subject, "html": html, "text": text}

    def _check_sms(self, manifest: MessageManifest, locale: str, path: Path, text: str) -> None:
        shown = fill(text, prepared(_nothing_known(manifest)), TEXT)
        length = sms_length(shown)
        if length.parts > MOST_PARTS:
            raise _UnusableError(
                path, "", f"takes {length.parts} SMS parts ({length.encoding}); at most {MOST_PARTS} can be sent"
            )
        if manifest.kind == "marketing":
            language = locale.split("-", maxsplit=1)[0]
            if language == "zh" and not ("回" in shown and ("退订" in shown or "拒收" in shown)):
                raise _UnusableError(
                    path, "", "a marketing SMS must say how to unsubscribe, such as 拒收请回复R or 回T退订"
                )
            if language == "en" and "STOP" not in shown:
                raise _UnusableError(
                    path, "", "a marketing SMS must say how to unsubscribe, such as 'Reply STOP to opt out'"
                )

    def _include(self, path: str) -> str:
        file = (self.look / path).resolve()
        if not file.is_relative_to(self.look.resolve()) or not file.is_file():
            raise FileNotFoundError(path)
        return file.read_text(encoding="utf-8")

    def _problem(self, path: Path, field: str, reason: str) -> Problem:
        return Problem(self.shown(path), field, reason)


class _UnusableError(Exception):
    def __init__(self, path: Path, field: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.field = field
        self.reason = reason


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _UnusableError(path, "", f"not UTF-8 text: {error.reason} at byte {error.start}") from None


def _check(path: Path, field: str, template: str, kind: str, manifest: MessageManifest) -> None:
    """Syntax, names, and a render for a contact of whom nothing is known. Raises _UnusableError."""
    _check_variables(path, field, template, manifest)
    nothing = _nothing_known(manifest)
    for known in _degrees_of_knowledge(template, nothing):
        try:
            fill(template, prepared(known), kind)
        except UnknownVariableError as error:
            reason = _no_such_field(error.variable, manifest) or _unguarded(error.variable, template)
            raise _UnusableError(path, field, reason) from None
        except BrokenTemplateError as error:
            if error.for_everybody or known is nothing:
                raise _UnusableError(path, field, _at_line(error)) from None


def _check_variables(path: Path, field: str, template: str, manifest: MessageManifest) -> None:
    try:
        check_syntax(template)
    except BrokenTemplateError as error:
        raise _UnusableError(path, field, _at_line(error)) from None
    roots = ROOTS if manifest.products is None else (*ROOTS, PRODUCTS)
    for name in sorted(variables_used(template)):
        root = name.split(".")[0]
        if root == PRODUCTS and root not in roots:
            raise _UnusableError(path, field, "message.yaml asks for no products; add products: { related: 3 }")
        if root not in roots and root not in _BUILT_IN:
            raise _UnusableError(path, field, unknown(root, roots, "unknown variable"))


def _nothing_known(manifest: MessageManifest) -> Mapping[str, Any]:
    """What this message may count on: of products, those it insists on."""
    if manifest.products is None:
        return NOTHING_KNOWN
    return {**NOTHING_KNOWN, PRODUCTS: _products(_PLAIN_PRODUCT, manifest.products.at_least, cart=0)}


def _products(product: Mapping[str, Any], related: int, *, cart: int) -> dict[str, Any]:
    return {"currency": "CNY", "related": [product] * related, "cart": [product] * cart}


def _no_such_field(variable: str, manifest: MessageManifest) -> str:
    """Why a variable that looks like a field of a product is none; empty when it is something else."""
    root, _, name = variable.rpartition(".")
    if manifest.products is None or not root or root.split(".")[0] in ROOTS:
        return ""
    if root == PRODUCTS and "[" in name:
        which = name.partition("[")[0]
        advice = f"put it into {{% if products.{which} %}} … {{% endif %}}"
        insist = ", or ask for at_least: 1 in message.yaml" if which == "related" else ""
        return f"products.{which} may be empty; {advice}{insist}"
    if root == PRODUCTS:
        return unknown(name, _products({}, 0, cart=0), f"{PRODUCTS!r} has no")
    return "" if name in _WHOLE_PRODUCT else unknown(name, _WHOLE_PRODUCT, "a product has no field")


def _at_line(error: BrokenTemplateError) -> str:
    return f"line {error.line}: {error.reason}" if error.line else error.reason


def _degrees_of_knowledge(template: str, nothing: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Nothing known, then each optional value alone, then all but each: a branch for one may use another."""
    yield nothing
    if PRODUCTS in nothing:
        for product in (_PLAIN_PRODUCT, _WHOLE_PRODUCT):
            yield {**nothing, PRODUCTS: _products(product, max(1, len(nothing[PRODUCTS]["related"])), cart=1)}
    optional = sorted(name for name in variables_used(template) if name.startswith(("contact.", "event.properties.")))
    for name in optional:
        yield _with(nothing, [name])
        yield _with(nothing, [other for other in optional if other != name])


def _with(known: Mapping[str, Any], names: Iterable[str]) -> Mapping[str, Any]:
    contact, properties = dict(known["contact"]), dict(known["event"]["properties"])
    for name in names:
        target = contact if name.startswith("contact.") else properties
        *path, last = name.removeprefix("contact.").removeprefix("event.properties.").split(".")
        for part in path:
            inner = target.setdefault(part, {})
            target = inner if isinstance(inner, dict) else {}
        target.setdefault(last, "x")
    return {**known, "contact": contact, "event": {**known["event"], "properties": properties}}


def _unguarded(variable: str, template: str) -> str:
    """Why a variable cannot stand where it stands, and what to write instead."""
    if not variable:
        return 'uses something that may be unknown; give it a default: {{ … | default("…") }}'
    root, _, rest = variable.partition(".")
    if root == "event" and not rest.startswith(("properties.", "left_on.properties.")):
        return (
            f"'event' has no {rest!r}; what the sender put into the event is in event.properties.{rest.split('.')[-1]}"
        )
    if root in {"journey", "message", "links"}:
        return unknown(rest, NOTHING_KNOWN[root], f"{root!r} has no")
    inner = next((name for name in sorted(variables_used(template)) if name.startswith(f"{variable}.")), "")
    guarded = f"({variable} | default({{}})){inner.removeprefix(variable)}" if inner else variable
    return f'{variable} may be unknown; give it a default: {{{{ {guarded} | default("…") }}}}'
