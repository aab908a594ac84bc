"""Say which links of a template break with some contact's values. Used when messages are published.

A blank, ``&``, ``#`` or ``+`` in a name ends or changes the link it stands in; escaping for HTML does not help.
"""

import re
from collections.abc import Iterator
from typing import Final

from jinja2 import Environment, TemplateError, nodes

from waypost.content.templates import HTML

_PARSER: Final = Environment(autoescape=False)  # noqa: S701 - it only parses
_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_MASKED: Final = re.compile("\ue000([0-9]+)\ue001")
_HREF: Final = re.compile(r"""\s(?:href|action)=(?:"([^"]*)"|'([^']*)')""")
_IN_TEXT: Final = re.compile(r"(?:https?://|mailto:|sms:|tel:)[\x21-\x7e\ue000\ue001]*")
"""An address among words: other scripts do not belong to it, so it ends at 。 or ，."""

_ABSOLUTE: Final = re.compile(r"[a-z][a-z0-9+.-]*:|#", re.IGNORECASE)
_ONLY_BEGUN: Final = re.compile(r"(?:https?://|[a-z][a-z0-9+.-]*:)?", re.IGNORECASE)
"""What may stand before a value that is the address itself, or its host, mailbox or number."""

_SAFE: Final = {"contact.id", "journey.name", "message.name", "message.channel"}
"""Names and ids of ours, in which no such character stands."""


class BrokenLinkError(Exception):
    """A link leads elsewhere, or nowhere, for some contact; the text says why and what to write."""


def check_links(template: str, kind: str) -> None:
    """Raise BrokenLinkError at the first link that breaks. ``kind`` HTML looks at attributes, other text at addresses in it."""
    tags: list[str] = []

    def mask(tag: re.Match[str]) -> str:
        tags.append(tag[0])
        return f"\ue000{len(tags) - 1}\ue001"

    masked = _TAG.sub(mask, template)
    for address in _addresses(masked, kind):
        first = _MASKED.split(address)[0].strip()
        if first and not _ABSOLUTE.match(first):
            raise BrokenLinkError(
                f"a link begins with {first!r}, which leads nowhere in a mail; write https://… in full"
            )
        for value in _MASKED.finditer(address):
            before = _MASKED.sub("", address[: value.start()])
            tag = tags[int(value[1])]
            if not _ONLY_BEGUN.fullmatch(before.strip()) and not _is_encoded(tag):
                wanted = f"{tag[:-2].rstrip(' -')} | urlencode }}}}"
                raise BrokenLinkError(
                    f"{tag} stands inside a link, which a blank or & in it would break; write {wanted}"
                )


def _addresses(masked: str, kind: str) -> Iterator[str]:
    if kind == HTML:
        yield from (found[1] if found[1] is not None else found[2] for found in _HREF.finditer(masked))
    else:
        yield from (found[0] for found in _IN_TEXT.finditer(masked))


def _is_encoded(tag: str) -> bool:
    """Whether what the tag prints can stand in a link: every way through it ends in ``urlencode``, or prints nothing."""
    try:
        tree = _PARSER.parse(tag)
    except TemplateError:  # a part of a block, such as {% if … %}
        return True
    return all(_is_safe(node) for output in tree.find_all(nodes.Output) for node in output.nodes)


def _is_safe(node: nodes.Node | None) -> bool:
    match node:
        case None | nodes.TemplateData() | nodes.Const() | nodes.Filter(name="urlencode"):
            return True
        case nodes.Getattr(node=nodes.Name(name=root), attr=name):
            return f"{root}.{name}" in _SAFE
        case nodes.CondExpr(expr1=one, expr2=other):
            return _is_safe(one) and _is_safe(other)
        case nodes.Concat(nodes=parts):
            return all(_is_safe(part) for part in parts)
        case _:
            return False
