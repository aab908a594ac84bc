"""A mail as authored: ``email.<locale>.mjml``, an optional ``email.<locale>.txt``, and ``subject`` in ``message.yaml``.

MJML with template tags becomes the HTML and text templates that are published. The tags are taken out before MJML and the
text converter see the source and put back afterwards, so both treat them as plain words: a tag may hold quotes, ``<`` and
``&``, even inside an attribute.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from html.parser import HTMLParser
from typing import Annotated, Any, ClassVar, Final

import html2text
from mjml import mjml2html
from pydantic import Field

from waypost.channels.authored_contract import (
    AuthoredChannel,
    LocaleName,
    Missing,
    Source,
    UnusableFile,
    missing_by_locale,
    read,
)
from waypost.content.templates import HTML, TEXT

_Subjects = dict[LocaleName, Annotated[str, Field(min_length=1, max_length=200)]]


class AuthoredEmail(AuthoredChannel):
    """Mail is written in MJML; its text part is made from it unless a text file is given."""

    kind = "mjml"
    companion = "txt"
    fields: ClassVar[Mapping[str, tuple[Any, Any]]] = {"subject": (_Subjects, Field(default_factory=dict))}

    def compile(self, source: Source) -> dict[str, str]:
        """See AuthoredChannel."""
        subject, field = source.fields["subject"].get(source.locale, ""), f"subject.{source.locale}"
        source.templates.check(source.manifest, field, subject, TEXT)
        if "\n" in subject:
            raise UnusableFile(source.manifest, field, "has more than one line")
        source.templates.check_names(source.path, "", source.text)
        try:
            html, text = compile_mail(source.text, source.include)
        except BrokenMjmlError as error:
            raise UnusableFile(source.path, "", str(error)) from None
        html = html.replace(_NO_LANGUAGE, f' lang="{source.locale}"')
        source.templates.check(source.path, "", html, HTML)
        text_path = source.path.with_suffix(".txt")
        if text_path.exists():
            text = read(text_path)
        else:
            text_path = source.path
        source.templates.check(text_path, "", text, TEXT)
        if source.is_marketing:
            for place, template, kind in ((source.path, html, HTML), (text_path, text, TEXT)):
                shown = source.templates.shown(template, kind)
                if source.unsubscribe_url not in shown:
                    raise UnusableFile(place, "", "marketing mail must show the link {{ links.unsubscribe }}")
                if source.postal_address not in shown:
                    reason = (
                        "its brand has a postal address, which marketing mail must show: {{ brand.postal_address }}"
                    )
                    raise UnusableFile(place, "", reason)
        return {"subject": subject, "html": html, "text": text}

    def missing(
        self, channel: str, fields: Mapping[str, Any], *, locales: Collection[str], default_locale: str
    ) -> Iterator[Missing]:
        """A subject without its mail, or a mail without its subject."""
        file = f"{channel}.{{locale}}.{self.kind}"
        return missing_by_locale(
            "subject", fields["subject"], locales=locales, file=file, default_locale=default_locale
        )


_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_COMMENT: Final = re.compile(r"\{#.*?#\}|<!--(?!\[).*?-->", re.DOTALL)
_WORD: Final = re.compile(r"wpq([0-9]+)qpw")
_ELEMENT: Final = re.compile(r"<(mj-[a-z0-9-]+|mjml)\b")
_HIDDEN: Final = re.compile(r"<div style=\"display:none;[^>]*>.*?</div>", re.DOTALL)
_LINK: Final = re.compile(r"\[((?:\\.|[^\[\]\\])*)\]\(<?((?:\\.|[^)>\s\\])+)>?\)")
_BRACKETS: Final = {"[": "\ue000", "]": "\ue001"}
"""Brackets of the words themselves, kept apart from those that Markdown has around a link."""

_NO_LANGUAGE: Final = ' lang="und"'
"""What MJML writes where ``<mjml>`` names no language; the file's name does."""

_ADDRESS: Final = re.compile(r"""(\s(?:href|src)=)("[^"]*"|'[^']*')""")
_WITHOUT_ALT: Final = re.compile(r"<img\b(?![^>]*\salt=)")
"""A picture that says nothing; without the attribute, screen readers read its address out."""

_BARE_AMPERSAND: Final = re.compile(r"&(?!#[0-9]+;|#x[0-9a-f]+;|[a-z][a-z0-9]*;)", re.IGNORECASE)
_CELL: Final = re.compile(r"</t([dh])>(?=\s*<t[dh]\b)")
_BESIDE_A_NUMBER: Final = re.compile(r"[\s().-]+")
_ELEMENTS: Final = {
    "mjml", "mj-accordion", "mj-accordion-element", "mj-accordion-text", "mj-accordion-title", "mj-all", "mj-attributes",
    "mj-body", "mj-breakpoint", "mj-button", "mj-carousel", "mj-carousel-image", "mj-class", "mj-column", "mj-divider",
    "mj-font", "mj-group", "mj-head", "mj-hero", "mj-html-attribute", "mj-html-attributes", "mj-image", "mj-include",
    "mj-navbar", "mj-navbar-link", "mj-preview", "mj-raw", "mj-section", "mj-selector", "mj-social", "mj-social-element",
    "mj-spacer", "mj-style", "mj-table", "mj-text", "mj-title", "mj-wrapper",
}  # fmt: skip
_VOID: Final = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class BrokenMjmlError(ValueError):
    """The MJML cannot be compiled; says where and why."""


def compile_mail(source: str, include: Callable[[str], str]) -> tuple[str, str]:
    """The HTML template and the text template of a mail.

    ``include`` gives the source of ``<mj-include path="…"/>`` and raises FileNotFoundError. Raises BrokenMjmlError.
    """
    tags: list[str] = []

    def plain(text: str) -> str:
        def word(match: re.Match[str]) -> str:
            tags.append(match[0])
            return f"wpq{len(tags) - 1}qpw"

        return _TAG.sub(word, _COMMENT.sub("", text))

    def restored(text: str) -> str:
        return _WORD.sub(lambda match: tags[int(match[1])], text)

    failed: list[str] = []  # the compiler forgets why an include failed

    def load(path: str) -> str:
        try:
            text = include(path)
            _check_elements(text, path)
        except FileNotFoundError:
            failed.append(f"mj-include: there is no file {path!r}")
            raise
        except BrokenMjmlError as error:
            failed.append(str(error))
            raise
        return plain(text)

    _check_elements(source, "")
    if misplaced := _where_tags_part(source):  # MJML lets some of these pass and loses what comes after
        raise BrokenMjmlError(misplaced)
    try:
        # without fonts that MJML loads by itself: each reader's program would ask a third party for them
        html = mjml2html(plain(source), include_loader=load, fonts={})
    except ValueError as error:
        raise BrokenMjmlError(failed[0] if failed else f"not MJML: {error}") from None
    html = _WITHOUT_ALT.sub('<img alt=""', _ADDRESS.sub(_address, html))
    return restored(html), restored(_as_text(html))


def _address(attribute: re.Match[str]) -> str:
    """The address as HTML and RFC 3986 have it: ``?a=1&currency=EUR`` would read as ``?a=1¤cy=EUR``, and a blank ends it."""
    name, quoted = attribute[1], attribute[2]
    address = _BARE_AMPERSAND.sub("&amp;", quoted[1:-1].strip())
    blank = "" if address.startswith("tel:") else "%20"  # a number has none (RFC 3966)
    address = re.sub(r"\s+", blank, address)
    return f"{name}{quoted[0]}{address}{quoted[0]}"


def _check_elements(source: str, path: str) -> None:
    """MJML passes an element it does not know through, and mail clients show nothing of it."""
    for match in _ELEMENT.finditer(_COMMENT.sub("", source)):
        if match[1] not in _ELEMENTS:
            near = difflib.get_close_matches(match[1], _ELEMENTS, n=1)
            place = f"{path}: " if path else ""
            raise BrokenMjmlError(
                f"{place}MJML has no element {match[1]!r}" + (f"; did you mean {near[0]!r}?" if near else "")
            )


class _Tags(HTMLParser):
    """Finds the first MJML tag that does not close the one it should; MJML's own message tells neither tag nor line.

    The HTML inside ``mj-text`` and the like is left to MJML: there a ``<p>`` or ``<li>`` need not be closed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, int]] = []
        self.problem: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in _VOID:
            self.open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element that closes itself needs no other tag."""

    def handle_endtag(self, tag: str) -> None:
        line = self.getpos()[0]
        if self.problem is None and tag not in _VOID:
            while self.open and tag.startswith("mj") and not self.open[-1][0].startswith("mj"):
                self.open.pop()
            opened, opened_at = self.open.pop() if self.open else ("nothing", line)
            if opened != tag and "mj" in {opened[:2], tag[:2]}:
                self.problem = f"line {line}: </{tag}> closes <{opened}> of line {opened_at}"


def _where_tags_part(source: str) -> str | None:
    tags = _Tags()
    tags.feed(_TAG.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source))
    unclosed = [(name, line) for name, line in tags.open if name.startswith("mj")]
    if tags.problem is None and unclosed:
        name, line = unclosed[-1]
        return f"line {line}: <{name}> is never closed"
    return tags.problem


def _as_text(html: str) -> str:
    """The words of a mail in reading order, each link as its words and its address; the hidden preview is left out.

    The words of a picture are its ``alt``. A link without words, such as a picture that only decorates, is left out.
    """
    converter = html2text.HTML2Text(bodywidth=0)
    converter.images_to_alt = True
    converter.ignore_emphasis = True
    converter.ignore_tables = True
    converter.unicode_snob = True
    converter.use_automatic_links = False
    converter.ul_item_mark = "-"
    marked = _CELL.sub(r" </t\1>", _HIDDEN.sub("", html)).translate(
        {ord(bracket): mark for bracket, mark in _BRACKETS.items()}
    )
    text = _LINK.sub(lambda link: _link(" ".join(link[1].split()), link[2]), converter.handle(marked))
    text = text.translate({ord(mark): bracket for bracket, mark in _BRACKETS.items()})
    text = re.sub(r"\\([-+.#()*_`\[\]])", r"\1", text)  # undo Markdown's escapes
    lines = [re.sub(r"^#+ ", "", line.strip()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _link(words: str, address: str) -> str:
    scheme, _, target = address.partition(":")
    if words in {"", address}:
        return words
    if scheme in {"mailto", "tel", "sms"} and _bare(words) == _bare(target.partition("?")[0]):
        return words
    return f"{words}: {address}"


def _bare(number: str) -> str:
    """A phone number or mail address without what only helps to read it."""
    return _BESIDE_A_NUMBER.sub("", number).lower()


AUTHORED: Final = AuthoredEmail()
