"""Signed tokens in links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.contacts.channels import Address, Channel
from waypost.errors import InvalidInput
from waypost.tracking import tokens
from waypost.tracking.links import unsubscribe_url
from waypost.tracking.tokens import Unsubscription, link_keys, sign, verify

KEY, OTHER_KEY = "k" * 32, "o" * 32
ASKED = Unsubscription(
    contact_id="c-" + "0a" * 12, journey="new_user_nurture", message_key="m-" + "0b" * 12, channel="email"
)


def test_a_token_says_what_was_signed() -> None:
    assert verify(sign(ASKED, KEY), [KEY]) == ASKED


def test_a_key_that_was_rotated_out_of_signing_still_verifies() -> None:
    assert verify(sign(ASKED, OTHER_KEY), [KEY, OTHER_KEY]) == ASKED
    assert verify(sign(ASKED, OTHER_KEY), [KEY]) is None


@pytest.mark.parametrize("rest", [".", ")", ">", ".)", "\u3002", "\u201d", " ", ".\n"])
def test_a_full_stop_or_bracket_behind_the_link_does_not_break_it(rest: str) -> None:
    token = sign(ASKED, KEY)
    assert verify(token + rest, [KEY]) == ASKED
    assert verify(token[:-1] + rest, [KEY]) is None
    assert verify(token + rest + "A", [KEY]) is None


@given(st.integers(min_value=0), st.characters())
def test_no_changed_token_is_believed(position: int, character: str) -> None:
    token = sign(ASKED, KEY)
    position %= len(token)
    changed = token[:position] + character + token[position + 1 :]
    assert verify(changed, [KEY]) is None or changed == token


@given(st.text())
def test_no_invented_token_is_believed(token: str) -> None:
    assert verify(token, [KEY]) is None


@pytest.mark.parametrize("raw", [b'["c-1","j","m-1","email",null,"a","more"]', b"not json", b"5"])
def test_a_signed_token_of_a_later_form_is_not_misread(raw: bytes) -> None:
    content = tokens.encoded(raw)
    assert (
        verify(
            f"{content}.{tokens.encoded(tokens.signature(content.encode(), KEY, purpose=b'waypost unsubscribe 1.'))}",
            [KEY],
        )
        is None
    )


def test_a_link_is_short_and_shows_nothing_personal() -> None:
    url = unsubscribe_url(
        "https://api.example.com/",
        KEY,
        contact_id=ASKED.contact_id,
        journey=ASKED.journey,
        message_key=ASKED.message_key,
        address=Address(Channel("email"), "email", "lin@example.com"),
        topic="新品",
    )
    assert url.startswith("https://api.example.com/u/")
    assert len(url) < 250
    assert url.isascii()
    found = verify(url.rpartition("/")[2], [KEY])
    assert found is not None
    assert found.topic == "新品"


@pytest.mark.parametrize("secret", [{}, {"link_keys": []}, {"link_keys": ["short"]}, {"link_keys": ""}])
def test_a_secret_without_real_keys_is_named(secret: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidInput, match="link_keys"):
        link_keys(secret)


def test_one_key_may_stand_for_a_list() -> None:
    assert link_keys({"link_keys": KEY}) == [KEY]
    assert link_keys({"link_keys": [KEY, OTHER_KEY]}) == [KEY, OTHER_KEY]


def test_a_link_sent_before_addresses_were_named_still_works() -> None:
    content = tokens.encoded(b'["c-1","j","m-1","email",null]')
    old = verify(
        f"{content}.{tokens.encoded(tokens.signature(content.encode(), KEY, purpose=b'waypost unsubscribe 1.'))}", [KEY]
    )
    assert old == Unsubscription("c-1", "j", "m-1", "email")
