"""Two rehearsals of one journey read the same, although each has a cloud and a secret of its own."""

from local.rehearsal.stable_links import ADDRESS, stable
from waypost.channels.fake_contract import SentContent


def content(api: str, signature: str) -> SentContent:
    link = f"{api}/r/WyJjLTM_a-b.{signature}"
    return SentContent(subject="Hello", text=f"Look: {link}\n{api}/docs", html=f'<a href="{link}">Look</a>')


def test_address_and_signature_do_not_tell_two_runs_apart() -> None:
    one = stable(content("http://127.0.0.1:46635/x/7a10", "0_P-n"), "http://127.0.0.1:46635/x/7a10")
    other = stable(content("http://127.0.0.1:48381/x/95d7", "xWX_-"), "http://127.0.0.1:48381/x/95d7")
    assert one == other
    assert one.text == f"Look: {ADDRESS}/r/WyJjLTM_a-b\n{ADDRESS}/docs"


def test_the_signature_inside_a_short_link_is_left_out() -> None:
    api = "http://127.0.0.1:1/x"
    texts = [
        stable(SentContent(text=f"{api}/r/vGjhArv9VtaqcG2v0AuO-OarA{end} Reply STOP"), api).text
        for end in ("d3YhcwOTiGdP78", "Y_7EweGFF4wqyQ")
    ]
    assert texts == [f"{ADDRESS}/r/vGjhArv9VtaqcG2v0AuO-OarA Reply STOP"] * 2


def test_links_to_elsewhere_are_kept() -> None:
    shop = SentContent(subject="s", text="https://shop.example.com/r/a.b", html="")
    assert stable(shop, "http://127.0.0.1:1/x") == shop
