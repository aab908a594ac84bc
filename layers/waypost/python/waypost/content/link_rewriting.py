"""Replace the links of a message by ones that record who follows them. Called by the channels when the sender renders a message.

A link is replaced when it leads to an origin (scheme and host) that the message's author wrote into its templates, or that a
product of the catalogue has. What a contact or an event brought along, such as an address in a name, is left as it is: the
company's own name must never stand before a target that a stranger chose.
"""

import html as markup
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final, Protocol

TRAP: Final = 0
"""The index of the link that no reader sees."""

LONGEST_TARGET: Final = 2_000
"""Characters; a longer link stays as it is. Programs for mail and browsers take about so much, once it stands in a token."""

MOST_SHORT_LINKS: Final = 10
"""Of a message, whose row keeps their targets; further ones stay as they are."""

_ORIGIN: Final = re.compile(r"(https?://[^\s\"'<>{}()\\/?#@|]+)(?=[\s\"'<>/?#)]|$)", re.IGNORECASE)
"""An origin whose end is written out: before a value that a template fills in, the host would not be the author's."""

_TAG: Final = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)
_ANCHOR: Final = re.compile(
    r"""(<(?:a|area)\b[^>]*?\shref=)("https?://[^"]*"|'https?://[^']*')([^>]*>)""", re.IGNORECASE
)
_NAME: Final = re.compile(r"""\sname=(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_IN_TEXT: Final = re.compile(r"https?://[\x21-\x3b\x3d\x3f-\x7e]+", re.IGNORECASE)
"""An address among words; other scripts and angle brackets do not belong to it."""

_AFTER_TEXT: Final = ".,;:!?'\")]}"
"""What ends a sentence rather than an address."""

_BODY: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_BODY_END: Final = re.compile(r"</body\s*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TrackedMessage:
    """What the links of a message say about it; ``staff`` is the id of the member of staff it is sent for, or ""."""

    contact_id: str
    message_key: str
    channel: str
    journey: str
    message: str
    sent_at: datetime
    staff: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a message: its place (from 1 on; ``TRAP``), the name that its author gave it, and where it leads."""

    index: int
    name: str
    target: str


class LinkMaker(Protocol):
    """Makes the links of one message."""

    @property
    def own_pages(self) -> str:
        """How the addresses of our own pages begin; they hold a token of their own and are never replaced."""
        ...

    def link(self, link: Link) -> str:
        """A link that holds its target."""
        ...

    def short_link(self, index: int) -> str:
        """A link whose target is kept with the message."""
        ...

    def pixel(self) -> str:
        """The address of the picture that is loaded when the message is opened."""
        ...


@dataclass(slots=True, kw_only=True)
class LinkRewriter:
    """Replaces the links of one message. ``kept`` are the targets of its short links, to be stored with the message."""

    maker: LinkMaker
    origins: frozenset[str] = frozenset()
    kept: list[str] = field(default_factory=list)
    _found: dict[tuple[str, str], Link] = field(default_factory=dict)

    def allow(self, templates: Mapping[str, str], variables: Mapping[str, Any]) -> None:
        """Take the origins that these templates, and the products among the variables, lead to."""
        written = [authored_origins(template) for template in templates.values()]
        self.origins = frozenset().union(*written, _origins_in(variables.get("products")))

    def html(self, html: str) -> str:
        """The mail with links that are tracked, the picture of its opening, and a link that only programs follow."""
        trap = self.maker.link(Link(TRAP, "", ""))
        hidden = (
            '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all" aria-hidden="true">'
            f'<a href="{trap}" rel="nofollow" tabindex="-1"></a></div>'
        )
        pixel = f'<img src="{self.maker.pixel()}" width="1" height="1" alt="" style="display:block;border:0;width:1px;height:1px">'
        tracked = _ANCHOR.sub(self._anchor, html)
        body = _BODY.search(tracked)
        tracked = f"{tracked[: body.end()]}{hidden}{tracked[body.end() :]}" if body else hidden + tracked
        ends = list(_BODY_END.finditer(tracked))
        return f"{tracked[: ends[-1].start()]}{pixel}{tracked[ends[-1].start() :]}" if ends else tracked + pixel

    def text(self, text: str) -> str:
        """The text with links that are tracked."""
        return _IN_TEXT.sub(lambda found: self._in_text(found[0]), text)

    def shortened(self, text: str) -> str:
        """The text with short links, whose targets are in ``kept`` afterwards."""
        return _IN_TEXT.sub(lambda found: self._in_text(found[0], short=True), text)

    def forget(self) -> None:
        """Keep no target: the short links were not used."""
        self.kept.clear()

    def _anchor(self, found: re.Match[str]) -> str:
        before, quoted, after = found[1], found[2], found[3]
        target = markup.unescape(quoted[1:-1])
        if not self._is_tracked(target):
            return found[0]
        named = _NAME.search(f"{before}{after}")
        name = markup.unescape(named[1] or named[2] or "") if named else ""
        return f'{before}"{self.maker.link(self._link(target, name))}"{after}'

    def _in_text(self, address: str, *, short: bool = False) -> str:
        target = address.rstrip(_AFTER_TEXT)
        if not self._is_tracked(target):
            return address
        if not short:
            return self.maker.link(self._link(target, "")) + address[len(target) :]
        if target not in self.kept:
            if len(self.kept) == MOST_SHORT_LINKS:
                return address
            self.kept.append(target)
        return self.maker.short_link(1 + self.kept.index(target)) + address[len(target) :]

    def _link(self, target: str, name: str) -> Link:
        """The link of this name to this target; without a name, any to this target, as the text repeats what the HTML has."""
        if not name and (known := next((each for each in self._found.values() if each.target == target), None)):
            return known
        return self._found.setdefault((target, name), Link(1 + len(self._found), name, target))

    def _is_tracked(self, target: str) -> bool:
        origin = origin_of(target)
        return (
            origin in self.origins
            and len(target) <= LONGEST_TARGET
            and not target.lower().startswith(self.maker.own_pages.lower())
        )


def origin_of(target: str) -> str:
    """Scheme and host of an address as a browser would read them, in lower case; "" for one with a part that hides its host."""
    found = _ORIGIN.match(target)
    return found[1].lower() if found else ""


@cache
def authored_origins(template: str) -> frozenset[str]:
    """The origins that are written out in a template; parsed once per process."""
    written = _TAG.sub("{}", markup.unescape(template))
    return frozenset(found[1].lower() for found in _ORIGIN.finditer(written))


def _origins_in(products: object) -> Iterable[str]:
    """The origins of what the catalogue, which the company publishes, says of these products."""
    return (origin for text in texts_in(products) if (origin := origin_of(text)))


def texts_in(value: object) -> Iterator[str]:
    """Every text in a value of JSON, in order."""
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from texts_in(each)
        case list() | tuple():
            for each in value:
                yield from texts_in(each)
        case _:
            return
