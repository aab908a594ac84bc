"""Checks the templates of a message against the variables that it may use. Used when messages are published.

A template must fill in for a contact of whom nothing is known, and for any that has some of what it uses.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from waypost.authoring.problems import unknown
from waypost.authoring.template_guards import UnsafeTemplateError, check_guards
from waypost.authoring.template_links import BrokenLinkError, check_links
from waypost.authoring.template_names import known_names
from waypost.authoring.template_shapes import COUPON as COUPON_SHAPE
from waypost.authoring.template_shapes import ROOT_SHAPES, Shape, products
from waypost.channels.authored_contract import UnusableFile
from waypost.content.templates import (
    COUPON,
    PRODUCTS,
    ROOTS,
    BrokenTemplateError,
    UnknownVariableError,
    check_syntax,
    fill,
    prepared,
    variables_used,
)

UNSUBSCRIBE_URL: Final = "https://unsubscribe.example.com/u/abc"
"""What ``links.unsubscribe`` shows in checks."""

SAMPLE_LINKS: Final[Mapping[str, str]] = {
    "unsubscribe": UNSUBSCRIBE_URL,
    "preferences": "https://unsubscribe.example.com/p/abc",
    "survey": "https://unsubscribe.example.com/s/abc",
    "confirm_consent": "https://unsubscribe.example.com/c/abc",
}
"""What ``links`` shows in checks."""

NOTHING_KNOWN: Final[Mapping[str, Any]] = {
    "contact": {"id": "c-0"},
    "event": {"id": "e-0", "type": "event_happened", "occurred_at": "2027-03-01T02:00:00.000Z", "properties": {}},
    "journey": {"name": "journey"},
    "message": {"name": "message", "channel": "email"},
    "links": {
        **SAMPLE_LINKS,
        "approval": "https://staff.example.com/a/abc",
        "task": "https://staff.example.com/t/abc",
        "task_in_group": "https://staff.example.com/t/abd",
    },
}
"""What a template may count on for every contact; all else needs a ``default``."""

_PRODUCT: Final[Mapping[str, Any]] = {"id": "p-1", "name": "Product", "price": 1, "tags": []}
"""What a template may count on for every product."""

SAMPLE_COUPON: Final[Mapping[str, Any]] = {
    "code": "SAMPLE-2345",
    "pool": "pool",
    "label": "Coupon",
    "benefit": {"kind": "amount"},
    "issued_at": "2027-03-01T02:00:00.000Z",
    "expires_at": "2027-03-08T02:00:00.000Z",
}
"""What a template may count on for every coupon."""


@dataclass(frozen=True, slots=True)
class MessageTemplates:
    """The checks of one message.

    ``at_least`` is how many products it insists on, None when it asks for none; ``has_coupon``: it speaks of a coupon.
    """

    at_least: int | None
    has_coupon: bool = False

    def check(self, path: Path, field: str, template: str, kind: str) -> None:
        """See TemplateChecks."""
        self.check_names(path, field, template)
        try:
            check_guards(template, self._shapes, lambda variable: _unguarded(variable, template))
            self.shown(template, kind)
            check_links(template, kind)
        except BrokenLinkError as error:
            raise UnusableFile(path, field, str(error)) from None
        except UnsafeTemplateError as error:
            raise UnusableFile(path, field, error.reason) from None
        except UnknownVariableError as error:
            raise UnusableFile(path, field, _unguarded(error.variable, template)) from None
        except BrokenTemplateError as error:
            raise UnusableFile(path, field, _at_line(error)) from None

    def check_names(self, path: Path, field: str, template: str) -> None:
        """See TemplateChecks."""
        try:
            check_syntax(template)
        except BrokenTemplateError as error:
            raise UnusableFile(path, field, _at_line(error)) from None
        roots = (*ROOTS, *([] if self.at_least is None else [PRODUCTS]), *([COUPON] if self.has_coupon else []))
        for name in sorted(variables_used(template)):
            root = name.split(".")[0]
            if root == PRODUCTS and root not in roots:
                raise UnusableFile(path, field, "message.yaml asks for no products; add products: { related: 3 }")
            if root == COUPON and root not in roots:
                raise UnusableFile(path, field, "message.yaml names no coupon; add coupon: and the name of a pool")
            if root not in roots and root not in known_names("function"):
                raise UnusableFile(path, field, unknown(root, roots, "unknown variable"))

    def shown(self, template: str, kind: str) -> str:
        """See TemplateChecks."""
        return fill(template, prepared(self._nothing_known), kind)

    @property
    def _nothing_known(self) -> Mapping[str, Any]:
        """What this message may count on: of products, those it insists on."""
        coupon = {COUPON: SAMPLE_COUPON} if self.has_coupon else {}
        if self.at_least is None:
            return {**NOTHING_KNOWN, **coupon}
        shown = {"currency": "CNY", "related": [_PRODUCT] * self.at_least, "cart": []}
        return {**NOTHING_KNOWN, **coupon, PRODUCTS: shown}

    @property
    def _shapes(self) -> Mapping[str, Shape]:
        with_products = {} if self.at_least is None else {PRODUCTS: products(self.at_least)}
        return {**ROOT_SHAPES, **with_products, **({COUPON: COUPON_SHAPE} if self.has_coupon else {})}


def _at_line(error: BrokenTemplateError) -> str:
    return f"line {error.line}: {error.reason}" if error.line else error.reason


def _unguarded(variable: str, template: str) -> str:
    """Why a variable cannot stand where it stands, and what to write instead."""
    if not variable:
        return 'uses something that may be unknown; give it a default: {{ … | default("…") }}'
    holder, _, place = variable.rpartition("[")
    if place.endswith("]"):
        insist = ", or ask for at_least: 1 in message.yaml" if holder == f"{PRODUCTS}.related" else ""
        return f"{holder} may be empty; put it into {{% if {_asked(holder)} %}} … {{% endif %}}{insist}"
    if re.search(rf"{re.escape(variable)}\s*\[", template):
        return f"{variable} may be unknown or empty; put it into {{% if {_asked(variable)} %}} … {{% endif %}}"
    inner = next((name for name in sorted(variables_used(template)) if name.startswith(f"{variable}.")), "")
    guarded = f"({variable} | default({{}})){inner.removeprefix(variable)}" if inner else variable
    return f'{variable} may be unknown; give it a default: {{{{ {guarded} | default("…") }}}}'


def _asked(path: str) -> str:
    """How a condition asks whether a list has anything in it."""
    return path if path.startswith(f"{PRODUCTS}.") else f"{path} | default([])"
