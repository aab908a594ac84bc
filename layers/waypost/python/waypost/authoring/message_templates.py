"""Checks the templates of a message against the variables that it may use. Used when messages are published.

A template must fill in for a contact of whom nothing is known, and for any that has some of what it uses.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from waypost.authoring.problems import unknown
from waypost.channels.authored_contract import UnusableFile
from waypost.content.templates import (
    PRODUCTS,
    ROOTS,
    BrokenTemplateError,
    UnknownVariableError,
    check_syntax,
    fill,
    prepared,
    variables_used,
)

_BUILT_IN: Final = {"range", "dict", "namespace"}
UNSUBSCRIBE_URL: Final = "https://unsubscribe.example.com/u/abc"
"""What ``links.unsubscribe`` shows in checks."""

NOTHING_KNOWN: Final[Mapping[str, Any]] = {
    "contact": {"id": "c-0"},
    "event": {"id": "e-0", "type": "event_happened", "occurred_at": "2027-03-01T02:00:00.000Z", "properties": {}},
    "journey": {"name": "journey"},
    "message": {"name": "message", "channel": "email"},
    "links": {"unsubscribe": UNSUBSCRIBE_URL},
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


@dataclass(frozen=True, slots=True)
class MessageTemplates:
    """The checks of one message; ``at_least`` is how many products it insists on, None when it asks for none."""

    at_least: int | None

    def check(self, path: Path, field: str, template: str, kind: str) -> None:
        """See TemplateChecks."""
        self.check_names(path, field, template)
        for known in _degrees_of_knowledge(template, self._nothing_known):
            try:
                fill(template, prepared(known), kind)
            except UnknownVariableError as error:
                reason = self._no_such_field(error.variable) or _unguarded(error.variable, template)
                raise UnusableFile(path, field, reason) from None
            except BrokenTemplateError as error:
                if error.for_everybody or known == self._nothing_known:
                    raise UnusableFile(path, field, _at_line(error)) from None

    def check_names(self, path: Path, field: str, template: str) -> None:
        """See TemplateChecks."""
        try:
            check_syntax(template)
        except BrokenTemplateError as error:
            raise UnusableFile(path, field, _at_line(error)) from None
        roots = ROOTS if self.at_least is None else (*ROOTS, PRODUCTS)
        for name in sorted(variables_used(template)):
            root = name.split(".")[0]
            if root == PRODUCTS and root not in roots:
                raise UnusableFile(path, field, "message.yaml asks for no products; add products: { related: 3 }")
            if root not in roots and root not in _BUILT_IN:
                raise UnusableFile(path, field, unknown(root, roots, "unknown variable"))

    def shown(self, template: str, kind: str) -> str:
        """See TemplateChecks."""
        return fill(template, prepared(self._nothing_known), kind)

    @property
    def _nothing_known(self) -> Mapping[str, Any]:
        """What this message may count on: of products, those it insists on."""
        if self.at_least is None:
            return NOTHING_KNOWN
        return {**NOTHING_KNOWN, PRODUCTS: _products(_PLAIN_PRODUCT, self.at_least, cart=0)}

    def _no_such_field(self, variable: str) -> str:
        """Why a variable that looks like a field of a product is none; empty when it is something else."""
        root, _, name = variable.rpartition(".")
        if self.at_least is None or not root or root.split(".")[0] in ROOTS:
            return ""
        if root == PRODUCTS and "[" in name:
            which = name.partition("[")[0]
            advice = f"put it into {{% if products.{which} %}} … {{% endif %}}"
            insist = ", or ask for at_least: 1 in message.yaml" if which == "related" else ""
            return f"products.{which} may be empty; {advice}{insist}"
        if root == PRODUCTS:
            return unknown(name, _products({}, 0, cart=0), f"{PRODUCTS!r} has no")
        return "" if name in _WHOLE_PRODUCT else unknown(name, _WHOLE_PRODUCT, "a product has no field")


def _products(product: Mapping[str, Any], related: int, *, cart: int) -> dict[str, Any]:
    return {"currency": "CNY", "related": [product] * related, "cart": [product] * cart}


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
