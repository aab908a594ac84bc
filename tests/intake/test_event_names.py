"""How senders' names become ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.events.names import attribute_name, event_type


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("Order Placed", "order_placed"),
        ("orderPlaced", "order_placed"),
        ("OrderPlaced", "order_placed"),
        ("order_placed", "order_placed"),
        ("order.placed", "order_placed"),
        ("ORDER_PLACED", "order_placed"),
        ("HTTPRequestSent", "http_request_sent"),
        ("  Signed up!  ", "signed_up"),
        ("\N{PARTY POPPER} Signed Up", "signed_up"),
        ("Checkout Step 2 Viewed", "checkout_step_2_viewed"),
        ("\uff2frder Placed", "order_placed"),
        ("2FA Enabled", "2_fa_enabled"),
        ("下单", "下单"),
        ("提交 订单！", "提交_订单"),
        ("Café Opened", "café_opened"),
        ("Cafe\u0301 Opened", "café_opened"),
        ("Заказ Оплачен", "заказ_оплачен"),
    ],
)
def test_an_event_name_becomes_one_spelling(given_name: str, expected: str) -> None:
    assert event_type(given_name) == expected


@pytest.mark.parametrize("name", ["", "  ", "!!!", "。。", "x" * 101])
def test_a_name_that_cannot_be_an_event_type_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(ValueError, match="should"):
        event_type(name)


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9 ._-]{0,40}", fullmatch=True))
def test_our_spelling_stays_as_it_is(name: str) -> None:
    ours = event_type(name)
    assert event_type(ours) == ours


@pytest.mark.parametrize(
    ("trait", "attribute"),
    [
        ("E-Mail", "email"),
        ("e_mail", "email"),
        ("eMail", "email"),
        ("Ｅ－ｍａｉｌ", "email"),
        ("timeZone", "timezone"),
        ("Time-Zone", "timezone"),
        ("e-mail confirmed", "e_mail_confirmed"),
    ],
)
def test_a_built_in_attribute_is_known_in_its_other_spelling(trait: str, attribute: str) -> None:
    assert attribute_name(trait) == attribute


def test_an_event_is_not_renamed_as_an_attribute_is() -> None:
    assert event_type("E-Mail") == "e_mail"


def test_an_attribute_may_have_a_chinese_name() -> None:
    assert attribute_name("会员等级") == "会员等级"
    assert attribute_name("firstName") == "first_name"
