"""Links of messages: what is replaced, what a link says, and that nobody else can make one."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from waypost.content.link_rewriting import (
    MOST_SHORT_LINKS,
    TRAP,
    Link,
    LinkRewriter,
    TrackedMessage,
    authored_origins,
    origin_of,
)
from waypost.tracking.tokens import Unsubscription, sign
from waypost.tracking.tracked_links import (
    LIFE,
    SignedLinks,
    is_over,
    read_link,
    read_pixel,
    read_short_link,
)

KEY, OTHER_KEY = "k" * 32, "o" * 32
API: Final = "https://links.example.com"
SENT: Final = datetime(2027, 3, 1, 2, 5, tzinfo=UTC)
MESSAGE: Final = TrackedMessage("c-" + "0a" * 12, "m-" + "0b" * 12, "email", "nurture", "welcome", SENT, "staff-7")
MAKER: Final = SignedLinks(API, KEY, MESSAGE)

HTML: Final = (
    '<html><body style="x"><p>{{ contact.name }}</p>'
    '<a name="guide" href="https://shop.example.com/guide?a=1&amp;b=2">Guide</a>'
    "<a class='b' href='https://shop.example.com/faq'>FAQ</a>"
    '<a href="{{ links.unsubscribe }}">out</a><a href="mailto:a@example.com">mail</a>'
    '<a href="{{ event.properties.url }}">cart</a></body></html>'
)
TEXT: Final = "Guide: https://shop.example.com/guide?a=1&b=2. {{ contact.name }} {{ links.unsubscribe }}"


def rewriter(*templates: str, **products: object) -> LinkRewriter:
    links = LinkRewriter(maker=MAKER)
    links.allow({str(number): each for number, each in enumerate(templates)}, products)
    return links


def followed(url: str) -> Link | None:
    found = read_link(url.removeprefix(f"{API}/r/"), [KEY])
    return found.link if found else None


def links_in(text: str) -> list[Link]:
    pieces = text.replace('"', " ").replace("<", " ").split()
    return [link for piece in pieces if (link := followed(piece.removeprefix("href=").rstrip(".")))]


def test_an_authors_links_are_replaced_in_both_parts_and_lead_where_he_wrote() -> None:
    links = rewriter(HTML, TEXT)
    html = links.html(HTML.replace("{{ links.unsubscribe }}", f"{API}/u/abc"))
    assert links_in(html) == [
        Link(TRAP, "", ""),
        Link(1, "guide", "https://shop.example.com/guide?a=1&b=2"),
        Link(2, "", "https://shop.example.com/faq"),
    ]
    assert links_in(links.text(TEXT)) == [Link(1, "guide", "https://shop.example.com/guide?a=1&b=2")]
    assert links.text(TEXT).split()[1].endswith(".")  # the full stop of the sentence


def test_the_way_out_and_what_a_contact_brought_along_stay_as_they_are() -> None:
    filled = (
        HTML.replace("{{ links.unsubscribe }}", f"{API}/u/abc")
        .replace("{{ contact.name }}", "https://evil.example/login")
        .replace("{{ event.properties.url }}", "https://evil.example/cart")
    )
    html = rewriter(HTML).html(filled)
    for kept in (
        f'href="{API}/u/abc"',
        'href="https://evil.example/cart"',
        "mailto:a@example.com",
        "https://evil.example/login",
    ):
        assert kept in html
    assert not any("evil" in link.target for link in links_in(html))
    assert "https://evil.example/x" in rewriter(TEXT).text("see https://evil.example/x")


def test_our_own_pages_are_never_tracked_even_where_an_author_wrote_their_host() -> None:
    links = rewriter(f'<a href="{API}/s/survey">x</a>')
    assert f'href="{API}/s/survey"' in links.html(f'<a href="{API}/s/survey">x</a>')


def test_links_of_the_catalogues_products_are_tracked() -> None:
    links = rewriter("{{ products.related[0].url }}", products={"related": [{"url": "https://cdn.example.net/p/1"}]})
    assert links_in(links.text("Look: https://cdn.example.net/p/1")) == [Link(1, "", "https://cdn.example.net/p/1")]


@pytest.mark.parametrize(
    "target",
    [
        "https://shop.example.com@evil.example/x",
        "https://shop.example.com:pass@evil.example/x",
        "https://shop.example.com.evil.example/x",
        "https://shop.example.com\\@evil.example",
        "https://SHOP.example.com.evil.example",
        "javascript:alert(1)",
        "//evil.example",
    ],
)
def test_no_spelling_makes_another_host_an_authors(target: str) -> None:
    allowed = authored_origins("https://shop.example.com/a")
    assert allowed == {"https://shop.example.com"}
    assert origin_of(target) not in allowed or origin_of(target) == "https://shop.example.com"
    text = rewriter("https://shop.example.com/a").text(f"x {target}")
    assert not any("evil" in link.target for link in links_in(text))


def test_a_host_that_a_value_completes_is_not_the_authors() -> None:
    assert (
        authored_origins("https://{{ contact.shop }}.example.com/a https://shop.example{{ contact.tld }}/")
        == frozenset()
    )


def test_a_mail_has_one_picture_before_its_end_and_one_hidden_link_at_its_beginning() -> None:
    html = rewriter(HTML).html(HTML)
    assert html.count(f"{API}/o/") == 1
    assert html.endswith("</body></html>")
    assert html.index('aria-hidden="true"') < html.index("<p>")
    pixel = html.split(f"{API}/o/")[1].split('"')[0]
    assert read_pixel(pixel, [KEY]) == MESSAGE


def test_a_short_link_is_kept_with_its_message_and_is_short() -> None:
    links = rewriter("https://shop.example.com/b")
    text = links.shortened("Here: https://shop.example.com/b, and https://shop.example.com/b")
    assert links.kept == ["https://shop.example.com/b"]
    token = text.split()[1].removeprefix(f"{API}/r/").rstrip(",")
    assert len(token) == 39
    short = read_short_link(token, [OTHER_KEY, KEY])
    assert short is not None
    assert (short.contact_id, short.key_prefix, short.index) == (MESSAGE.contact_id, MESSAGE.message_key[:14], 1)


def test_a_message_keeps_a_limited_number_of_targets() -> None:
    links = rewriter("https://shop.example.com/b")
    text = links.shortened(" ".join(f"https://shop.example.com/{number}" for number in range(MOST_SHORT_LINKS + 5)))
    assert len(links.kept) == MOST_SHORT_LINKS
    assert text.count("https://shop.example.com/") == 5


def tokens() -> list[str]:
    link, pixel = MAKER.link(Link(1, "guide", "https://shop.example.com")), MAKER.pixel()
    return [url.rpartition("/")[2] for url in (link, pixel, MAKER.short_link(1))]


@pytest.mark.parametrize("token", tokens(), ids=["link", "pixel", "short"])
def test_a_forged_or_truncated_token_says_nothing(token: str) -> None:
    readers = (read_link, read_pixel, read_short_link)
    assert any(read(token, [KEY]) for read in readers)
    changed = ("B" if token[5] == "A" else "A").join([token[:5], token[6:]])
    for bad in (token[:-1], token[:-8], token[1:], changed, f"{token}{token}", "", "....", "é" * 39):
        assert not any(read(bad, [KEY]) for read in readers), bad
    assert not any(read(token, [OTHER_KEY]) for read in readers)


def test_a_token_is_good_for_its_purpose_alone() -> None:
    link, pixel, short = tokens()
    unsubscribe = sign(Unsubscription("c-1", "j", "m-1", "email"), KEY)
    assert not any((read_pixel(link, [KEY]), read_link(pixel, [KEY]), read_link(short, [KEY])))
    assert not any((read_link(unsubscribe, [KEY]), read_pixel(unsubscribe, [KEY])))


def test_links_are_over_as_long_after_sending_as_a_row_is_kept() -> None:
    assert not is_over(MESSAGE, now=SENT + LIFE)
    assert is_over(MESSAGE, now=SENT + LIFE + timedelta(seconds=1))
