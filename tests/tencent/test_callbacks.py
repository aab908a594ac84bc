"""Callbacks of WeChat and WeCom: only genuine and new ones are read, and reading one can do nothing but read."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from waypost.http import encrypted_callback
from waypost.tencent import callbacks
from waypost.tencent.callbacks import Callback, CallbackKeys, NotGenuine
from waypost.tencent.xml_document import NoDocument, read_xml

NOW = datetime(2031, 3, 3, 10, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
ENCODING_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
CLEAR = CallbackKeys("wx8f0a", "callback-token")
SAFE = CallbackKeys("wx8f0a", "callback-token", ENCODING_KEY)
MESSAGE = (
    "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oA1]]></FromUserName>"
    "<CreateTime>1930384800</CreateTime><MsgType><![CDATA[text]]></MsgType>"
    "<Content><![CDATA[你好 & <b>]]></Content><MsgId>6054768590064713728</MsgId></xml>"
)
READ = {
    "ToUserName": "gh_1",
    "FromUserName": "oA1",
    "CreateTime": "1930384800",
    "MsgType": "text",
    "Content": "你好 & <b>",
    "MsgId": "6054768590064713728",
}


def signed(keys: CallbackKeys = CLEAR, *, at: str = STAMP, nonce: str = "n-1") -> dict[str, str]:
    return {"signature": encrypted_callback.signature(keys.token, at, nonce), "timestamp": at, "nonce": nonce}


def sealed(text: str, keys: CallbackKeys = SAFE, *, at: str = STAMP, owner: str = "") -> tuple[dict[str, str], bytes]:
    """The query and body of an encrypted callback."""
    key = encrypted_callback.key_of(keys.encoding_key)
    assert key is not None
    ciphertext = encrypted_callback.seal(text.encode(), key=key, owner=owner or keys.owner)
    signature = encrypted_callback.signature(keys.token, at, "n-1", ciphertext)
    query = signed(keys, at=at) | {"encrypt_type": "aes", "msg_signature": signature}
    return query, f"<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[{ciphertext}]]></Encrypt></xml>".encode()


def reason(answer: object) -> str:
    assert isinstance(answer, NotGenuine)
    return answer.reason


# --- the check of the address --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [CLEAR, SAFE])
def test_the_address_check_of_wechat_is_answered_with_its_text(keys: CallbackKeys) -> None:
    assert callbacks.echo(keys, signed() | {"echostr": "5838479218127813673"}, now=NOW) == "5838479218127813673"


def test_the_address_check_of_wecom_is_answered_with_the_decrypted_text() -> None:
    key = encrypted_callback.key_of(ENCODING_KEY)
    assert key is not None
    echostr = encrypted_callback.seal(b"1616140317555161061", key=key, owner="wx8f0a")
    query = {
        "msg_signature": encrypted_callback.signature("callback-token", STAMP, "n-1", echostr),
        "timestamp": STAMP,
        "nonce": "n-1",
        "echostr": echostr,
    }
    assert callbacks.echo(SAFE, query, now=NOW) == "1616140317555161061"
    assert reason(callbacks.echo(SAFE, query | {"echostr": echostr[:-4] + "AAAA"}, now=NOW)) == (
        "the signature is not the provider's"
    )
    other = CallbackKeys("wx-other", "callback-token", ENCODING_KEY)
    assert reason(callbacks.echo(other, query, now=NOW)) == "echostr is not encrypted for this account"


@pytest.mark.parametrize(
    "query",
    [{}, {"echostr": "1"}, signed() | {"signature": "0" * 40}, signed() | {"nonce": "n-2"}, {"msg_signature": ""}],
)
def test_an_address_check_of_anybody_else_is_not_answered(query: dict[str, str]) -> None:
    assert "signature" in reason(callbacks.echo(CLEAR, {"echostr": "1", **query}, now=NOW))


# --- what is posted ------------------------------------------------------------------------------------------------------


def test_a_message_in_clear_is_read() -> None:
    assert callbacks.read(CLEAR, signed(), MESSAGE.encode(), now=NOW) == Callback(READ)


def test_an_encrypted_message_is_read() -> None:
    query, body = sealed(MESSAGE)
    assert callbacks.read(SAFE, query, body, now=NOW) == Callback(READ)


def test_a_mini_program_may_post_json() -> None:
    content = {
        "FromUserName": "oA1",
        "CreateTime": 1,
        "Event": "subscribe_msg_popup_event",
        "List": {"TemplateId": "t-1"},
    }
    assert callbacks.read(CLEAR, signed(), json.dumps(content).encode(), now=NOW) == Callback(content)
    query, body = sealed(json.dumps(content))
    encrypted = read_xml(body)["Encrypt"]
    assert callbacks.read(SAFE, query, json.dumps({"Encrypt": encrypted}).encode(), now=NOW) == Callback(content)


def test_an_account_with_an_encoding_key_takes_no_callback_in_clear() -> None:
    assert reason(callbacks.read(SAFE, signed(), MESSAGE.encode(), now=NOW)) == (
        "the body is not encrypted, and this account's callbacks are"
    )


@pytest.mark.parametrize("away", [timedelta(minutes=6), timedelta(minutes=-6), timedelta(days=9000)])
def test_an_old_callback_is_not_taken_again(away: timedelta) -> None:
    query, body = sealed(MESSAGE)
    for keys, given, content in ((CLEAR, signed(), MESSAGE.encode()), (SAFE, query, body)):
        answer = callbacks.read(keys, given, content, now=NOW + away)
        assert reason(answer) == "the timestamp is more than five minutes from now"


@pytest.mark.parametrize("stamp", ["", "x", "１９３０３８４８００", "-1", "9" * 11, "1e9"])
def test_a_timestamp_that_is_none_is_refused_though_it_is_signed(stamp: str) -> None:
    assert "signature" in reason(
        callbacks.read(CLEAR, signed(at=stamp), MESSAGE.encode(), now=NOW)
    ) or "number" in reason(callbacks.read(CLEAR, signed(at=stamp), MESSAGE.encode(), now=NOW))


def test_what_was_changed_on_the_way_is_not_read() -> None:
    query, body = sealed(MESSAGE)
    for changed in (
        query | {"msg_signature": "0" * 40},
        query | {"nonce": "n-2"},
        {**query, "timestamp": str(int(STAMP) + 1)},
    ):
        assert reason(callbacks.read(SAFE, changed, body, now=NOW)) == "the signature is not the provider's"


def test_a_message_for_another_account_or_in_another_key_is_not_read() -> None:
    query, body = sealed(MESSAGE, owner="wx-other")
    assert reason(callbacks.read(SAFE, query, body, now=NOW)) == "the body is not encrypted for this account"
    other = CallbackKeys("wx8f0a", "callback-token", "b" * 42 + "A")
    query, body = sealed(MESSAGE, other)
    assert reason(callbacks.read(SAFE, query, body, now=NOW)) == "the body is not encrypted for this account"


@pytest.mark.parametrize("ciphertext", ["", "!", "AAAA", "A" * 44, "A" * 88, "é"])
def test_no_ciphertext_breaks_the_reader(ciphertext: str) -> None:
    query = signed(SAFE) | {"msg_signature": encrypted_callback.signature("callback-token", STAMP, "n-1", ciphertext)}
    body = f"<xml><Encrypt>{ciphertext}</Encrypt></xml>".encode()
    assert "encrypted" in reason(callbacks.read(SAFE, query, body, now=NOW))


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (CallbackKeys("wx8f0a", ""), "the callback token of the account is not set"),
        (CallbackKeys("wx8f0a", "t", "short"), "an encoding key has 43 characters of base64"),
    ],
)
def test_keys_that_check_nothing_let_nothing_in(keys: CallbackKeys, problem: str) -> None:
    empty = encrypted_callback.signature(keys.token, STAMP, "n-1")
    query = {"signature": empty, "timestamp": STAMP, "nonce": "n-1", "echostr": "1"}
    assert reason(callbacks.echo(keys, query, now=NOW)) == problem
    body = MESSAGE.encode() if not keys.encoding_key else b"<xml><Encrypt>AAAA</Encrypt></xml>"
    assert reason(callbacks.read(keys, query, body, now=NOW)) == problem


def test_no_key_is_shown() -> None:
    assert "callback-token" not in repr(SAFE)
    assert ENCODING_KEY not in repr(SAFE)


# --- XML -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]><xml><Content>&x;</Content></xml>',
        '<!DOCTYPE xml SYSTEM "https://evil.example/x.dtd"><xml/>',
        '<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><xml>&b;</xml>',
    ],
)
def test_a_document_that_declares_entities_is_refused(document: str) -> None:
    with pytest.raises(NoDocument, match="declares a document type"):
        read_xml(document.encode())


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("", "is no XML"),
        ("<xml>", "is no XML"),
        ("<xml>&x;</xml>", "is no XML"),
        ("<a>" * 11 + "</a>" * 11, "more than 10 elements deep"),
        (f"<xml>{'x' * 300_000}</xml>", "more than 262,144 bytes"),
    ],
)
def test_what_is_no_document_is_named(document: str, problem: str) -> None:
    with pytest.raises(NoDocument, match=problem):
        read_xml(document.encode())


def test_elements_are_texts_documents_and_lists() -> None:
    text = "<xml><A> 1 </A><B><C>2</C></B><List><T>x</T></List><List><T>y</T></List><List><T>z</T></List><E/></xml>"
    assert read_xml(text.encode()) == {
        "A": "1",
        "B": {"C": "2"},
        "List": [{"T": "x"}, {"T": "y"}, {"T": "z"}],
        "E": "",
    }
    assert read_xml(b"<xml>only text</xml>") == {}


# --- repetitions and answers ---------------------------------------------------------------------------------------------

EVENT = {
    "ToUserName": "gh_1",
    "FromUserName": "oA1",
    "CreateTime": "1930384800",
    "MsgType": "event",
    "Event": "subscribe",
}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (READ, {**READ, "CreateTime": "1930384805"}, True),
        (READ, {**READ, "MsgId": "6054768590064713729"}, False),
        (EVENT, dict(EVENT), True),
        (EVENT, {**EVENT, "CreateTime": "1930384801"}, False),
        (EVENT, {**EVENT, "FromUserName": "oA2"}, False),
        (EVENT, {**EVENT, "ToUserName": "gh_2"}, False),
        (EVENT, {**EVENT, "Event": "SCAN", "EventKey": "7"}, False),
        ({**EVENT, "MsgID": 1}, {**EVENT, "MsgID": 2}, False),
    ],
)
def test_a_repetition_is_the_same_occurrence(first: Mapping[str, Any], second: Mapping[str, Any], same: bool) -> None:
    assert (Callback(first).occurrence == Callback(second).occurrence) is same


def test_an_answer_is_encrypted_where_the_callbacks_are() -> None:
    answer = callbacks.as_xml({"ToUserName": "oA1", "Content": "a < b & c", "Image": {"MediaId": "m-1"}})
    assert read_xml(answer.encode()) == {"ToUserName": "oA1", "Content": "a < b & c", "Image": {"MediaId": "m-1"}}
    assert callbacks.reply(CLEAR, answer, now=NOW, nonce="n-2") == answer
    packed = read_xml(callbacks.reply(SAFE, answer, now=NOW, nonce="n-2").encode())
    key = encrypted_callback.key_of(ENCODING_KEY)
    assert key is not None
    assert encrypted_callback.is_signed(
        packed["MsgSignature"], SAFE.token, packed["TimeStamp"], "n-2", packed["Encrypt"]
    )
    assert encrypted_callback.unseal(packed["Encrypt"], key=key, owner="wx8f0a") == answer.encode()
