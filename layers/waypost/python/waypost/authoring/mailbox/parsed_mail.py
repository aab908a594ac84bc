"""A raw mail taken apart for the checks: its header, its parts, the links and pictures of its HTML. Used by the checks."""

import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Final, Self
from urllib.parse import urlsplit

_UNSEEN: Final = frozenset({"head", "style", "script", "title"})
_HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_SECOND_LEVEL: Final = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gv", "ne", "net", "or", "org"})
"""What stands before a country's code in names that a registry sells one level deeper: ``com.cn``, ``co.uk``."""


@dataclass(frozen=True, slots=True)
class Link:
    """One ``<a href>``: its address, and the words (or the ``alt`` of the picture) that a reader sees."""

    address: str
    words: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One ``<img>``: ``alt`` is None where the attribute is missing."""

    address: str
    alt: str | None


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """A mail as a mailbox provider sees it. ``html`` and ``text`` are "" where there is no such part."""

    header: EmailMessage
    raw: bytes
    html: str
    text: str
    words: str
    links: tuple[Link, ...]
    pictures: tuple[Picture, ...]
    elements: frozenset[str]
    metas: frozenset[str]
    language: str

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Take the bytes of RFC 5322 apart."""
        message = message_from_bytes(raw, policy=default)
        html, page = _part(message, "html"), _Page()
        page.feed(html)
        page.close()
        return cls(
            header=message,
            raw=raw,
            html=html,
            text=_part(message, "plain"),
            words=" ".join("".join(page.words).split()),
            links=tuple(page.links),
            pictures=tuple(page.pictures),
            elements=frozenset(page.elements),
            metas=frozenset(page.metas),
            language=page.language,
        )

    @property
    def sender_domain(self) -> str:
        """The domain of the From address, "" where there is none."""
        return parseaddr(str(self.header.get("From", "")))[1].rpartition("@")[2].lower()


def organisation(host: str) -> str:
    """The part of a host's name that one owner registered: ``shop.acme.com.cn`` → ``acme.com.cn``.

    By the habits of registries instead of the list of public suffixes, which is long and changes by the week.
    """
    labels = host.lower().rstrip(".").split(".")
    deeper = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if deeper else -2 :])


def host_of(address: str) -> str:
    """The host of a web address, "" for what is none (``mailto:``) or cannot be read."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.scheme.lower() in {"http", "https"} else ""


def _part(message: EmailMessage, subtype: str) -> str:
    found = message.get_body(preferencelist=(subtype,))
    if found is None:
        return ""
    content = found.get_content()
    return content if isinstance(content, str) else ""


@dataclass(slots=True)
class _Open:
    address: str
    words: list[str] = field(default_factory=list)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.links: list[Link] = []
        self.pictures: list[Picture] = []
        self.elements: set[str] = set()
        self.metas: set[str] = set()
        self.language = ""
        self._open: _Open | None = None
        self._unseen: list[str] = []
        """The elements that are open from the first one on of which nothing is seen."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.add(tag)
        if tag not in _VOID and (self._unseen or tag in _UNSEEN or _HIDDEN.search(given.get("style", ""))):
            self._unseen.append(tag)
        match tag:
            case "html":
                self.language = given.get("lang", "")
            case "meta":
                self.metas.add(given.get("name", "").lower())
            case "a" if given.get("href"):
                self._open = _Open(given["href"])
            case "img":
                self._picture(given)
            case "br" | "p" | "td" | "tr" | "div" | "li":
                self._read(" ")
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            while self._unseen.pop() != tag:
                pass
        if tag == "a" and self._open is not None:
            self.links.append(Link(self._open.address, " ".join("".join(self._open.words).split())))
            self._open = None

    def handle_data(self, data: str) -> None:
        self._read(data)

    def _picture(self, given: dict[str, str]) -> None:
        self.pictures.append(Picture(given.get("src", ""), given.get("alt")))
        if self._open is not None:
            self._open.words.append(given.get("alt", ""))

    def _read(self, text: str) -> None:
        if self._unseen:
            return
        self.words.append(text)
        if self._open is not None:
            self._open.words.append(text)
