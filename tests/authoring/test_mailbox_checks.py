"""The list of a mailbox provider, asked of raw mails."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from waypost.authoring.mailbox.checks import CLIPPED_AT, check_mail
from waypost.authoring.mailbox.parsed_mail import ParsedMail, host_of, organisation
from waypost.channels.email.channel import RenderedEmail
from waypost.channels.email.headers import unsubscribe_headers
from waypost.channels.email.mime import as_mime

UNSUBSCRIBE = "https://api.elsewhere.example/u/abc"
WORDS = "Our spring guide is here: what to plant, when to water, and which tools last for years. "
HEAD = '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
SPLIT = "https://shop.acme.example/guide"


def page(body: str = "", *, head: str = HEAD, lang: str = "en") -> str:
    return (
        f'<html lang="{lang}"><head>{head}<style>p {{ color: red }}</style></head><body><p>{WORDS}</p>{body}'
        f'<a href="{UNSUBSCRIBE}">Unsubscribe</a></body></html>'
    )


def mail(
    html: str = "",
    *,
    text: str = f"{WORDS}\nUnsubscribe: {UNSUBSCRIBE}\n",
    subject: str = "Our spring guide",
    sender: str = "Acme <hello@news.acme.example>",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    return as_mime(
        RenderedEmail(subject, html or page(), text),
        sender=sender,
        recipient="reader@example.com",
        message_id="<m-1@news.acme.example>",
        at=datetime(2031, 3, 3, 9, tzinfo=UTC),
        headers=unsubscribe_headers(UNSUBSCRIBE) if headers is None else headers,
    )


def rules(raw: bytes, *, is_marketing: bool = True) -> dict[str, str]:
    """Rule → level."""
    return {each.rule: each.level for each in check_mail(raw, is_marketing=is_marketing, unsubscribe_url=UNSUBSCRIBE)}


def test_a_mail_that_meets_the_list_has_no_findings() -> None:
    body = f'<a href="{SPLIT}"><img src="https://img.acme.example/a.png" alt="The guide"></a>'
    assert rules(mail(page(body))) == {}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (mail(sender="hello@news.acme.example"), {"from-name": "warning"}),
        (mail(sender="Acme <acme@gmail.com>"), {"from-domain": "error"}),
        (mail().replace(b"Date:", b"X-Date:"), {"date": "error"}),
        (mail().replace(b"Message-ID:", b"X-ID:"), {"message-id": "error"}),
        (mail().replace(b"From:", b"From: A <a@acme.example>\r\nFrom:", 1), {"repeated-field": "error"}),
        (mail(headers={}), {"list-unsubscribe": "error", "list-unsubscribe-post": "error"}),
        (mail(headers={"List-Unsubscribe": f"<{UNSUBSCRIBE}>"}), {"list-unsubscribe-post": "error"}),
        (
            mail(headers={**unsubscribe_headers("mailto:stop@acme.example")}),
            {"list-unsubscribe": "error"},
        ),
        (mail(subject="Re: your order"), {"subject-pretends": "error"}),
        (mail(subject="春" * 40), {"subject-length": "warning"}),
        (mail(text=""), {"text-part": "error"}),
        (mail(text="See the HTML."), {"text-stub": "error"}),
        (mail(page(f"<!-- {'x' * CLIPPED_AT} -->")), {"clipped": "error"}),
        (mail(page(f"<!-- {'x' * (CLIPPED_AT - 1_000)} -->")), {"nearly-clipped": "warning"}),
        (mail(page('<img src="https://img.acme.example/a.png">')), {"picture-alt": "error"}),
        (mail(page(f'<a href="{SPLIT}"><img src="https://img.acme.example/a.png" alt=""></a>')), {"link-words": "error"}),
        (mail(page(head="")), {"dark-mode": "warning"}),
        (mail(page(lang="und")), {"language": "warning"}),
        (mail(page('<a href="http://shop.acme.example/a">Shop</a>')), {"plain-http": "error"}),
        (mail(page('<img src="http://img.acme.example/a.png" alt="A">')), {"plain-http": "error"}),
        (mail(page('<a href="https://bit.ly/3xyz">Shop</a>')), {"link-shortener": "error", "link-domain": "warning"}),
        (mail(page('<a href="https://shop.other.example/a">Shop</a>')), {"link-domain": "warning"}),
        (mail(page(f'<a href="{SPLIT}">https://bank.example</a>')), {"link-pretends": "error"}),
        (mail(page('<form action="https://shop.acme.example"></form>')), {"taken-out": "error"}),
        (
            mail('<html lang="en"><head>' + HEAD + '</head><img src="https://img.acme.example/a.png" alt="A"></html>'),
            {"only-pictures": "warning"},
        ),
    ],
)  # fmt: skip
def test_each_point_of_the_list_is_found(raw: bytes, found: dict[str, str]) -> None:
    assert rules(raw) == found


def test_a_line_that_servers_cut_is_found() -> None:
    assert rules(mail() + b"x" * 999 + b"\r\n") == {"long-line": "error"}


def test_mail_that_was_asked_for_needs_no_unsubscribe_header() -> None:
    assert rules(mail(headers={}), is_marketing=False) == {}


def test_each_finding_says_what_to_do_and_where_the_rule_stands() -> None:
    raw = mail(
        page('<a href="http://bit.ly/x"></a><form></form>', head="", lang=""), text="", sender="a@gmail.com", headers={}
    )
    found = check_mail(raw, is_marketing=True)
    assert len(found) > 8
    assert all(each.way_out and each.source for each in found)
    assert [each.level for each in found] == sorted([each.level for each in found], key=lambda level: level != "error")


def test_what_nobody_sees_is_no_text_of_the_mail() -> None:
    html = page(
        '<div style="display:none">Preview of the mail</div><script type="application/ld+json">{"a": 1}</script>'
    )
    parsed = ParsedMail.read(mail(html))
    assert "Preview" not in parsed.words
    assert "color" not in parsed.words
    assert parsed.words.startswith("Our spring guide")
    assert "taken-out" not in rules(mail(html))


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("shop.acme.com.cn", "acme.com.cn"),
        ("mail.acme.co.uk", "acme.co.uk"),
        ("www.acme.example", "acme.example"),
        ("acme.cn", "acme.cn"),
        ("com.cn", "com.cn"),
    ],
)
def test_the_owner_of_a_host_is_named(host: str, owner: str) -> None:
    assert organisation(host) == owner


def test_only_web_addresses_have_a_host() -> None:
    assert host_of("mailto:a@acme.example") == ""
    assert host_of("https://[broken") == ""
