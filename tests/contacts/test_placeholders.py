"""Which values identify nobody, and that a company may add its own."""

import hashlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.contacts.cleaning import Unusable
from waypost.contacts.identity import acceptance
from waypost.contacts.identity.acceptance import PLACEHOLDER, UNREADABLE, clean_identity
from waypost.contacts.identity.placeholders import Placeholders, folded
from waypost.contacts.identity.rules import IdentityRules

BUILT_IN = Placeholders()
NOBODY = [
    "undefined", "null", "0", "None", "NaN", "false", "guest", "anonymous", "[object Object]", str(uuid.UUID(int=0)), "NULL", " Undefined ",
    '"null"', "'undefined'", "{{user_id}}", "${userId}", "{user_id}", "<user_id>", "%USER_ID%", ":id", "*|UNIQID|*", "-1", "0.0", "-0", "0x0",
    "0000000000", "nil", "N/A", "#N/A", "unknown", "not_logged_in", "notLoggedIn", "Guest User", "undefined_undefined", "null-null",
    "user:undefined", str(uuid.UUID(int=2**128 - 1)), "xxxxxxxx-xxxx-xxxx", "<object object at 0x7f1234ab>", "[object HTMLDivElement]",
    "function () { return id }", "Infinity", "true", "userId", "anonymousId", "(not set)", "-", "???", "{}", "[]", "undefined\u200b", "ＮＵＬＬ",
    "０", "游客", "未登录", "<nil>", "string", "default", "9774d56d682e549c", hashlib.md5(b"", usedforsecurity=False).hexdigest(),
    hashlib.sha256(b"undefined").hexdigest(),
    "%7B%7Buser_id%7D%7D", "%24%7Buid%7D", "ゲスト", "invité", "Invite\u0301", "Gast", "ГОСТЬ", "손님", "ผู้เยี่ยมชม", "なし", "неизвестно", "訪客",
    "Optional(nil)", 'Optional("null")', "(not provided)", "YOUR_USER_ID", "logged_out", "NotFound", "java.lang.Object@1a2b3c4d", "System.Object",
    "#<User:0x000055d0>", "HASH(0x55d0a1b2)", "%!s(<nil>)", "Array", "#REF!", "#VALUE!",
]  # fmt: skip
SOMEBODY = [
    "u1", "u-1", "1", "42", "100", "007", "user-1", "guest-1", "zero", "nan-li", "Noneill", "guestbook", "anonymous7", "nulla", "an-0", "u0",
    "gast-17", "invité.2", "optional(\"u-17\")", "array-7", "ann@cafe.example", "shop.user@12", "100%25", "mygast", "found-1",
    "false-alarm", "+8613800138000", "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}", "张三", "0a1b", "user@shop", "e-0001", "f" * 7,
]  # fmt: skip


@pytest.mark.parametrize("value", NOBODY)
@pytest.mark.parametrize("kind", ["user_id", "anonymous_id", "unionid", "external_userid", "email", "phone"])
def test_a_placeholder_identifies_nobody_whatever_the_kind(kind: str, value: str) -> None:
    assert clean_identity(kind, value) is PLACEHOLDER


@pytest.mark.parametrize(
    "value", ["9774d56d682e549c", "9774D56D682E549C-0", "null 9774d56d682e549c", "02:00:00:00:00:00"]
)
def test_a_placeholder_with_digits_in_it_is_one_also_beside_others(value: str) -> None:
    assert clean_identity("user_id", value) is PLACEHOLDER


@pytest.mark.parametrize("value", SOMEBODY)
def test_an_id_that_is_somebodys_is_taken_as_it_is(value: str) -> None:
    assert clean_identity("user_id", value) == value


@given(st.uuids(version=4))
def test_a_random_id_is_somebodys(value: uuid.UUID) -> None:
    assert str(value) not in BUILT_IN
    assert value.hex not in BUILT_IN


@given(st.integers(min_value=1), st.sampled_from(["{}", "u{}", "user-{}", "c_{}"]))
def test_a_numbered_id_is_somebodys(number: int, form: str) -> None:
    assert form.format(number) not in BUILT_IN


@pytest.mark.parametrize(
    "address",
    [
        "undefined@example.com",
        "Null@shop.example",
        "none@none.com",
        "nan@x.org",
        "no_email@shop.example",
        "{{email}}@shop.example",
        "not-provided@x.org",
        "missing@missing.com",
    ],
)
def test_an_address_made_of_a_missing_one_is_a_placeholder(address: str) -> None:
    assert clean_identity("email", address) is PLACEHOLDER


@pytest.mark.parametrize("address", ["guest@example.com", "user@example.com", "ann@undefined.example"])
def test_a_mailbox_that_may_exist_is_taken(address: str) -> None:
    assert clean_identity("email", address) == address


def test_the_account_of_an_openid_does_not_count() -> None:
    assert clean_identity("openid", "wx8f0a:undefined") is PLACEHOLDER
    assert clean_identity("openid", "default:oLVPpjqs9Bhv") == "default:oLVPpjqs9Bhv"


@pytest.mark.parametrize("kind", ["user_id", "anonymous_id", "email", "openid"])
def test_an_identity_whose_characters_were_lost_identifies_nobody(kind: str) -> None:
    assert clean_identity(kind, "\ufffd\ufffd-7") is UNREADABLE


@pytest.mark.parametrize("phone", ["+8600000000000", "+85200000000", "+1 555 555 5555", "+11111111111", "+4900000000"])
def test_a_number_that_forms_are_filled_with_is_nobodys(phone: str) -> None:
    assert clean_identity("phone", phone) is PLACEHOLDER


@pytest.mark.parametrize(
    "phone", ["+8618888888888", "+8613800000000", "+8613800138000", "+12025550143", "+493012000000"]
)
def test_a_number_with_many_like_digits_may_be_somebodys(phone: str) -> None:
    assert clean_identity("phone", phone) == phone


def test_a_company_adds_its_own_and_keeps_one_that_is_genuine(monkeypatch: pytest.MonkeyPatch) -> None:
    placeholders = Placeholders(also=folded(["Test User", "noreply@shop.example"]), genuine=folded(["Default"]))
    monkeypatch.setattr(acceptance, "load_identity_rules", lambda: IdentityRules(placeholders=placeholders))
    assert clean_identity("user_id", "TEST USER") is PLACEHOLDER
    assert clean_identity("email", "NoReply@shop.example") is PLACEHOLDER
    assert clean_identity("user_id", "default") == "default"
    assert isinstance(clean_identity("user_id", "undefined"), Unusable)
