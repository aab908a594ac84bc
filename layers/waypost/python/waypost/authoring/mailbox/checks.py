"""The list of a mailbox provider, asked of one raw mail; each finding says where the rule stands. Called by ``check_mail``."""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from email.headerregistry import DateHeader
from email.utils import parseaddr
from typing import Any, Final, Literal

from waypost.authoring.mailbox.parsed_mail import ParsedMail, host_of, organisation

GMAIL: Final = "https://support.google.com/a/answer/81126 (Gmail, email sender guidelines)"
YAHOO: Final = "https://senders.yahooinc.com/best-practices/ (Yahoo, sender best practices)"
RFC_5322: Final = "https://www.rfc-editor.org/rfc/rfc5322"
RFC_8058: Final = "https://www.rfc-editor.org/rfc/rfc8058"

CLIPPED_AT: Final = 102 * 1024
"""Bytes of HTML after which Gmail hides the rest behind "View entire message"."""

LONGEST_LINE: Final = 998
SUBJECT_COLUMNS: Final = 78
"""Columns of a subject, in which a Chinese character takes two. Source: RFC 5322, 2.1.1."""

SHORTENERS: Final = frozenset({
    "bit.ly", "buff.ly", "cutt.ly", "dwz.cn", "dwz.win", "goo.gl", "is.gd", "lnkd.in", "mrw.so", "ow.ly", "rb.gy", "rebrand.ly",
    "shorturl.at", "suo.im", "suo.nz", "t.cn", "t.co", "t.ly", "tinyurl.com", "tiny.cc", "u.nu", "url.cn", "v.gd", "w.url.cn", "985.so",
})  # fmt: skip
FREE_MAILBOXES: Final = frozenset({
    "126.com", "163.com", "aol.com", "gmail.com", "googlemail.com", "hotmail.com", "icloud.com", "live.com", "outlook.com", "qq.com",
    "sina.com", "yahoo.com", "yeah.net",
})  # fmt: skip
_TAKEN_OUT: Final = ("embed", "form", "iframe", "input", "object", "script", "video")
_STUB: Final = 4
"""A text part holds at least one in so many of the letters that the HTML shows."""

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class MailFinding:
    """One point of the list that a mail does not meet: what to do about it, and the ``source`` of the rule.

    ``error`` is what providers refuse, filter or cut; ``warning`` what costs readers.
    """

    rule: str
    level: Level
    reason: str
    way_out: str
    source: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What is checked. ``unsubscribe_url`` is the link that this mail got, whose domain is the deployment's choice."""

    parsed: ParsedMail
    is_marketing: bool
    unsubscribe_url: str


def check_mail(raw: bytes, *, is_marketing: bool, unsubscribe_url: str = "") -> list[MailFinding]:
    """Every finding, errors first."""
    mail = Mail(parsed=ParsedMail.read(raw), is_marketing=is_marketing, unsubscribe_url=unsubscribe_url)
    found = [finding for check in _CHECKS for finding in check(mail)]
    return sorted(found, key=lambda each: each.level != "error")


def _error(rule: str, reason: str, way_out: str, source: str) -> MailFinding:
    return MailFinding(rule, "error", reason, way_out, source)


def _warning(rule: str, reason: str, way_out: str, source: str) -> MailFinding:
    return MailFinding(rule, "warning", reason, way_out, source)


def _sender(mail: Mail) -> Iterator[MailFinding]:
    name, address = parseaddr(str(mail.parsed.header.get("From", "")))
    way_out = "set email_sender in cdk.json: Acme <hello@acme.example>"
    if "@" not in address:
        yield _error("from", "has no From address", way_out, f"{RFC_5322}#section-3.6.2")
        return
    if not name:
        yield _warning("from-name", f"comes from the bare address {address}", way_out, GMAIL)
    if mail.parsed.sender_domain in FREE_MAILBOXES:
        yield _error(
            "from-domain",
            f"{mail.parsed.sender_domain} is a mailbox provider's own domain: its DMARC policy refuses mail from elsewhere",
            "send from a domain of your own",
            GMAIL,
        )


def _required_fields(mail: Mail) -> Iterator[MailFinding]:
    header = mail.parsed.header
    date = header["Date"]
    if not isinstance(date, DateHeader) or date.datetime is None:
        yield _error(
            "date", "has no Date that can be read", "write the Date as RFC 5322 has it", f"{RFC_5322}#section-3.6.1"
        )
    message_id = str(header.get("Message-ID", ""))
    if not (message_id.startswith("<") and message_id.endswith(">") and "@" in message_id):
        yield _error("message-id", "has no Message-ID", "write one: <unique@your-domain>", f"{RFC_5322}#section-3.6.4")
    for name in ("From", "Date", "Subject", "Message-ID", "To"):
        if len(header.get_all(name, [])) > 1:
            yield _error("repeated-field", f"has more than one {name}", "write it once", f"{RFC_5322}#section-3.6")


def _one_click(mail: Mail) -> Iterator[MailFinding]:
    if not mail.is_marketing:
        return
    urls, post = (str(mail.parsed.header.get(name, "")) for name in ("List-Unsubscribe", "List-Unsubscribe-Post"))
    if "<https://" not in urls:
        yield _error(
            "list-unsubscribe",
            "has no List-Unsubscribe with an https address, so mail programs show no button",
            "set api_domain in cdk.json; the sender writes the field",
            f"{RFC_8058}#section-3.1; {GMAIL}; {YAHOO}",
        )
    if post.strip() != "List-Unsubscribe=One-Click":
        yield _error(
            "list-unsubscribe-post",
            "has no List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "the provider has to pass the field on as it is",
            f"{RFC_8058}#section-3.1; {GMAIL}; {YAHOO}",
        )


def _subject(mail: Mail) -> Iterator[MailFinding]:
    subject = str(mail.parsed.header.get("Subject", "")).strip()
    if not subject:
        yield _error("subject", "has no subject", "write one in message.yaml", f"{RFC_5322}#section-3.6.5")
    columns = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in subject)
    if columns > SUBJECT_COLUMNS:
        yield _warning(
            "subject-length",
            f"the subject takes {columns} columns; phones show about 40, other programs about {SUBJECT_COLUMNS}",
            "put what matters into the first words, and cut the rest",
            f"{RFC_5322}#section-2.1.1",
        )
    if subject.lower().startswith(("re:", "fw:", "fwd:", "回复:", "回复：", "转发:", "转发：")):
        yield _error(
            "subject-pretends",
            "the subject pretends to answer or forward a mail",
            "leave that out",
            f"15 U.S.C. 7704(a)(2) (CAN-SPAM); {GMAIL}",
        )


def _text_part(mail: Mail) -> Iterator[MailFinding]:
    text, shown = "".join(mail.parsed.text.split()), "".join(mail.parsed.words.split())
    source = "https://www.rfc-editor.org/rfc/rfc2046#section-5.1.4; SpamAssassin MIME_HTML_ONLY, MPART_ALT_DIFF"
    if not text:
        yield _error(
            "text-part", "has no text part", "leave email.<locale>.txt out, and it is made from the mail", source
        )
    elif len(text) * _STUB < len(shown):
        yield _error(
            "text-stub",
            f"its text part has {len(text)} letters, its HTML shows {len(shown)}",
            "leave email.<locale>.txt out, or say there what the mail says",
            source,
        )


def _size(mail: Mail) -> Iterator[MailFinding]:
    size = len(mail.parsed.html.encode())
    source = "https://mailchimp.com/help/gmail-is-clipping-my-email/ (Gmail clips HTML of more than 102 KB)"
    way_out = "shorten the mail: fewer sections, no pictures inside of it (data:), no copied styles"
    if size > CLIPPED_AT:
        reason = f"its HTML takes {size:,} bytes; Gmail cuts it at {CLIPPED_AT:,}, and the unsubscribe link with it"
        yield _error("clipped", reason, way_out, source)
    elif size > CLIPPED_AT * 9 // 10:
        yield _warning("nearly-clipped", f"its HTML takes {size:,} of {CLIPPED_AT:,} bytes", way_out, source)
    if any(len(line) > LONGEST_LINE for line in mail.parsed.raw.split(b"\r\n")):
        reason = f"has a line of more than {LONGEST_LINE} bytes"
        yield _error("long-line", reason, "encode the parts as base64 or quoted-printable", f"{RFC_5322}#section-2.1.1")


def _pictures(mail: Mail) -> Iterator[MailFinding]:
    source = "https://www.w3.org/TR/WCAG22/#non-text-content (1.1.1)"
    for address in sorted({each.address for each in mail.parsed.pictures if each.alt is None}):
        yield _error(
            "picture-alt", f"the picture {address} has no alt", 'write alt="…", or alt="" if it decorates', source
        )
    for link in mail.parsed.links:
        if not link.words:
            reason = f"the link to {link.address} has no words, and its picture no alt"
            yield _error("link-words", reason, "give the picture an alt that says where the link leads", source)
    if mail.parsed.pictures and len("".join(mail.parsed.words.split())) < 40:
        yield _warning(
            "only-pictures",
            "shows hardly any words beside its pictures, which many programs do not load at first",
            "say in words what the pictures say",
            "SpamAssassin HTML_IMAGE_ONLY_04 to HTML_IMAGE_ONLY_32",
        )


def _dark_mode(mail: Mail) -> Iterator[MailFinding]:
    if mail.parsed.html and not {"color-scheme", "supported-color-schemes"} <= mail.parsed.metas:
        yield _warning(
            "dark-mode",
            "does not say that it is made for light and dark, so programs invert its colours by themselves",
            'include head.mjml, or write <meta name="color-scheme" content="light dark"> and supported-color-schemes',
            "https://webkit.org/blog/8840/dark-mode-support-in-webkit/; https://www.caniemail.com/search/?s=color-scheme",
        )


def _language(mail: Mail) -> Iterator[MailFinding]:
    if mail.parsed.html and mail.parsed.language in {"", "und"}:
        source = "https://www.w3.org/TR/WCAG22/#language-of-page (3.1.1)"
        yield _warning("language", "does not name its language", 'write <mjml lang="…">', source)


def _links(mail: Mail) -> Iterator[MailFinding]:
    sender = organisation(mail.parsed.sender_domain)
    addresses = [link.address for link in mail.parsed.links] + [picture.address for picture in mail.parsed.pictures]
    for address in dict.fromkeys(addresses):
        host = host_of(address)
        if not host or address == mail.unsubscribe_url:
            continue
        if address.strip().lower().startswith("http:"):
            source = "https://datatracker.ietf.org/doc/html/rfc8461; https://web.dev/articles/what-is-mixed-content"
            yield _error("plain-http", f"{address} is not encrypted", "write https:", source)
        if host.removeprefix("www.") in SHORTENERS:
            yield _error(
                "link-shortener",
                f"{address} hides where it leads behind a link shortener, whose domain is on block lists for others' mails",
                "link to the page itself",
                "https://www.spamhaus.org/faqs/domain-blocklist/ (abused redirectors)",
            )
    foreign = {
        organisation(host)
        for link in mail.parsed.links
        if link.address != mail.unsubscribe_url and (host := host_of(link.address))
    }
    for domain in sorted(foreign - {sender}):
        yield _warning(
            "link-domain",
            f"links to {domain}, and comes from {sender or 'nowhere'}",
            "link to pages under the domain you send from, or send from the domain of your pages",
            f"https://www.rfc-editor.org/rfc/rfc7489#section-3.1 (alignment); {YAHOO}",
        )


def _honest_links(mail: Mail) -> Iterator[MailFinding]:
    for link in mail.parsed.links:
        shown = host_of(link.words) or (host_of(f"https://{link.words}") if link.words.startswith("www.") else "")
        if shown and organisation(shown) != organisation(host_of(link.address)):
            reason = f"a link reads {link.words} and leads to {link.address}"
            yield _error("link-pretends", reason, "show words, or the address that it leads to", GMAIL)


def _taken_out(mail: Mail) -> Iterator[MailFinding]:
    for element in sorted(mail.parsed.elements & set(_TAKEN_OUT)):
        if element != "script" or "application/ld+json" not in mail.parsed.html:
            source = f"https://www.caniemail.com/search/?s={element}"
            yield _error("taken-out", f"mail programs take <{element}> out", "link to a page that has it", source)


_CHECKS: Final[tuple[Callable[[Mail], Iterator[MailFinding]], ...]] = (
    _sender, _required_fields, _one_click, _subject, _text_part, _size, _pictures, _dark_mode, _language, _links, _honest_links,
    _taken_out,
)  # fmt: skip
