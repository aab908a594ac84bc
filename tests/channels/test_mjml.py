"""MJML with template tags, compiled to an HTML and a text template."""

import re
from html import unescape

import pytest

from waypost.channels.email.authored import BrokenMjmlError, compile_mail

FRAME = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"


def no_file(path: str) -> str:
    raise FileNotFoundError(path)


def compiled(body: str) -> tuple[str, str]:
    return compile_mail(FRAME.format(body), no_file)


@pytest.mark.parametrize(
    "tag",
    [
        '{{ contact.first_name | default("there") }}',
        "{{ 'a' if 1 < 2 and x > 3 else \"&\" }}",
        "{% if a < 2 %}x{% endif %}",
    ],
)
def test_template_tags_pass_through_as_they_are(tag: str) -> None:
    html, text = compiled(f"<mj-text>Hi {tag}!</mj-text>")
    assert f"Hi {tag}!" in html
    assert f"Hi {tag}!" in text


def test_a_tag_in_an_attribute_or_the_title_keeps_its_quotes() -> None:
    source = (
        '<mjml><mj-head><mj-title>{{ x | default("t") }}</mj-title></mj-head><mj-body><mj-section><mj-column>'
        "<mj-button href='{{ links.shop | default(\"y\") }}'>Go</mj-button></mj-column></mj-section></mj-body></mjml>"
    )
    html, text = compile_mail(source, no_file)
    assert 'href="{{ links.shop | default("y") }}"' in html
    assert html.count('{{ x | default("t") }}') == 2
    assert "\\" not in html
    assert 'Go: {{ links.shop | default("y") }}' in text


def test_blocks_may_stand_between_elements() -> None:
    html, _ = compiled("{% if vip %}<mj-text>VIP</mj-text>{% endif %}")
    assert html.index("{% if vip %}") < html.index("VIP") < html.index("{% endif %}")


def test_the_text_part_has_words_lists_and_links_and_no_markup() -> None:
    source = (
        "<mjml><mj-head><mj-preview>Hidden</mj-preview></mj-head><mj-body><mj-section><mj-column>"
        "<mj-text><h1>News</h1><ul><li>One_1</li><li>Two &amp; 2.</li></ul>1. first <b>bold</b></mj-text>"
        '<mj-image src="https://x.example.com/a.png" alt="picture" />'
        '<mj-button href="https://shop.example.com/a_b?x=1&amp;y=2">Shop</mj-button>'
        '<mj-text><a href="https://x.example.com">https://x.example.com</a></mj-text>'
        "</mj-column></mj-section></mj-body></mjml>"
    )
    _, text = compile_mail(source, no_file)
    assert [line for line in text.splitlines() if line] == [
        "News",
        "- One_1",
        "- Two & 2.",
        "1. first bold",
        "picture",
        "Shop: https://shop.example.com/a_b?x=1&y=2",
        "https://x.example.com",
    ]


def test_comments_are_left_out() -> None:
    html, text = compiled("<!-- internal {{ secret }} --><mj-text>a{# {{ note }} #}b</mj-text>")
    assert "ab" in text
    assert "secret" not in html
    assert "note" not in html


def test_a_shared_part_is_included_with_its_tags() -> None:
    html, text = compile_mail(
        FRAME.format('<mj-include path="part.mjml" />'), lambda _: '<mj-text>{{ x|default("y") }}</mj-text>'
    )
    assert '{{ x|default("y") }}' in html
    assert '{{ x|default("y") }}' in text


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (FRAME.format("\n<mj-text>a\n"), "line 3: </mj-column> closes <mj-text> of line 2"),
        (FRAME.format("<mj-button>a</mj-buton>"), "line 1: </mj-buton> closes <mj-button> of line 1"),
        (FRAME.format("<mj-text>a<b>b</mj-text>"), "not MJML"),
        ("<mjml><mj-body>", "line 1: <mj-body> is never closed"),
        (FRAME.format("<mj-txt>a</mj-txt>"), "MJML has no element 'mj-txt'; did you mean 'mj-text'?"),
        (FRAME.format('<mj-include path="nowhere.mjml" />'), "mj-include: there is no file 'nowhere.mjml'"),
        ("just words", "not MJML"),
        ("", "not MJML"),
    ],
)
def test_broken_mjml_is_explained(source: str, reason: str) -> None:
    with pytest.raises(BrokenMjmlError) as caught:
        compile_mail(source, no_file)
    assert reason in str(caught.value)


def test_an_unknown_element_in_a_shared_part_names_the_part() -> None:
    with pytest.raises(BrokenMjmlError, match=r"part.mjml: MJML has no element 'mj-buton'; did you mean 'mj-button'\?"):
        compile_mail(FRAME.format('<mj-include path="part.mjml" />'), lambda _: "<mj-buton>a</mj-buton>")


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ('<mj-image src="a.png" alt="Example Shop" href="https://shop.example.com/" />', ["Example Shop: https://shop.example.com/"]),
        ('<mj-image src="a.png" alt="" href="https://shop.example.com/" /><mj-text>Hi</mj-text>', ["Hi"]),
        ('<mj-image src="a.png" href="https://shop.example.com/" /><mj-text>Hi</mj-text>', ["Hi"]),
        ('<mj-text><a href="https://a.example.com"><img src="a.png" alt="Sale [50%]"></a></mj-text>', ["Sale [50%]: https://a.example.com"]),
        ('<mj-text><a href="https://a.example.com"><img src="a.png" alt=""> See more</a></mj-text>', ["See more: https://a.example.com"]),
        ('<mj-text><a href="https://a.example.com">All [1]</a></mj-text>', ["All [1]: https://a.example.com"]),
        ('<mj-image src="a.png" alt="{{ contact.name | default(&quot;You&quot;) }}" href="https://a.example.com" />',
         ["{{ contact.name | default(&quot;You&quot;) }}: https://a.example.com"]),
        ('<mj-image src="a.png" alt="A lamp" />', ["A lamp"]),
        ('<mj-image src="a.png" alt="A lamp [new]" /><mj-text><a href="https://a.example.com"><img src="b.png" alt="Sale (today)"></a></mj-text>',
         ["A lamp [new]", "Sale (today): https://a.example.com"]),
        ('<mj-text>[1] ] [ <a href="https://a.example.com/b[0]_(c)">[2] two</a> (3) [4]</mj-text>', ["[1] ] [ [2] two: https://a.example.com/b[0]_(c) (3) [4]"]),
    ],
)  # fmt: skip
def test_a_picture_is_its_words_in_the_text_part(body: str, lines: list[str]) -> None:
    _, text = compiled(body)
    assert [line for line in text.splitlines() if line] == lines


def hrefs(html: str) -> list[str]:
    """Where the links lead, as a mail program reads them."""
    return [unescape(found) for found in re.findall(r'<a\b[^>]*\shref="([^"]*)"', html)]


@pytest.mark.parametrize(
    "name", ["currency", "region", "copy", "notify", "times", "section", "order", "amp", "lang", "x"]
)
def test_a_parameter_of_a_link_is_never_read_as_a_character(name: str) -> None:
    address = f"https://shop.example.com/?a=1&{name}=2#end"
    html, text = compiled(f'<mj-button href="{address}">Shop</mj-button>')
    assert hrefs(html) == [address]
    assert text == f"Shop: {address}\n"


def test_an_address_that_is_escaped_already_stays_so() -> None:
    html, text = compiled('<mj-button href="https://shop.example.com/?a=1&amp;b=2&#38;c=3">Shop</mj-button>')
    assert hrefs(html) == ["https://shop.example.com/?a=1&b=2&c=3"]
    assert text == "Shop: https://shop.example.com/?a=1&b=2&c=3\n"


def test_blanks_in_an_address_neither_end_it_nor_show_markup() -> None:
    html, text = compiled(
        '<mj-text><a href="mailto:info@example.com?subject=Question about tea&body=Hello">Ask</a> '
        '<a href=" https://shop.example.com/a b ">Look</a></mj-text>'
    )
    assert hrefs(html) == [
        "mailto:info@example.com?subject=Question%20about%20tea&body=Hello", "https://shop.example.com/a%20b",
    ]  # fmt: skip
    assert text == (
        "Ask: mailto:info@example.com?subject=Question%20about%20tea&body=Hello Look: https://shop.example.com/a%20b\n"
    )


def test_a_number_or_mailbox_that_is_written_out_is_not_said_twice() -> None:
    html, text = compiled(
        '<mj-text><a href="tel:+49 30 1234-0">+49 (30) 12340</a>, <a href="mailto:info@example.com?subject=Hi">Info@example.com</a>, '
        '<a href="tel:+49301234">call us</a></mj-text>'
    )
    assert hrefs(html)[0] == "tel:+49301234-0"
    assert text == "+49 (30) 12340, Info@example.com, call us: tel:+49301234\n"


def test_the_cells_of_a_table_stand_apart_in_the_text() -> None:
    _, text = compiled("<mj-table><tr><th>Item</th><th>Price</th></tr><tr><td>Tea</td><td>19,90</td></tr></mj-table>")
    assert [line for line in text.splitlines() if line] == ["Item Price", "Tea 19,90"]


def test_a_mail_loads_no_fonts_but_those_that_its_author_declares() -> None:
    html, _ = compiled("<mj-text>x</mj-text><mj-button href='https://shop.example.com'>y</mj-button>")
    assert "fonts.googleapis.com" not in html
    declared = '<mjml><mj-head><mj-font name="Shop" href="https://shop.example.com/f.css" /></mj-head>'
    html, _ = compile_mail(FRAME.format('<mj-text font-family="Shop">x</mj-text>').replace("<mjml>", declared), no_file)
    assert "https://shop.example.com/f.css" in html


def test_a_picture_that_says_nothing_has_an_empty_alt() -> None:
    html, _ = compiled(
        '<mj-image src="https://x.example.com/a.png" /><mj-image src="https://x.example.com/b.png" alt="Tea" />'
    )
    assert [re.findall(r'\salt="([^"]*)"', found) for found in re.findall(r"<img[^>]*>", html)] == [[""], ["Tea"]]
