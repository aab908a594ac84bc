"""An access token is got once for everybody, renewed once when it is refused, and seen by nobody."""

import json
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.posted import Script, ScriptedPoster
from tests.fakes.secrets import FakeSecret
from tests.fakes.token_store import FakeTokenStore
from waypost.http.ports import Answer, Forbidden, NoAnswer, NotSent, Outcome
from waypost.tencent.access_tokens import AccessToken, AccessTokens
from waypost.tencent.api import Api, Replied, Reply, StableToken, replied
from waypost.tencent.scrubbing import scrubbed

SECRET, TOKEN = "appsecret-of-shop", "76_access-token"
BASE = "https://api.weixin.qq.com"


class Provider:
    """``stable_token`` as WeChat gives it, and a call that takes the token that is valid."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.valid = ""
        self.ends = clock()
        self.given = 0
        self.forced: list[bool] = []
        self.token_answer: Mapping[str, Any] | Outcome | None = None
        self.refusal: Mapping[str, Any] = {"errcode": 42001, "errmsg": "access_token expired rid: 1"}
        self.before_token: threading.Event | None = None

    def __call__(self, url: str, content: dict[str, Any]) -> Mapping[str, Any] | Outcome:
        if "/cgi-bin/stable_token" in url:
            return self._token(content)
        token = url.partition("access_token=")[2]
        return {"errcode": 0, "errmsg": "ok", "msgid": 1} if token == self.valid else self.refusal

    def _token(self, content: dict[str, Any]) -> Mapping[str, Any] | Outcome:
        if self.before_token is not None:
            self.before_token.wait(5)
        assert content["grant_type"] == "client_credential"
        if content["secret"] != SECRET:
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        if self.token_answer is not None:
            return self.token_answer
        self.forced.append(content["force_refresh"])
        if content["force_refresh"] or self.ends - self.clock() <= timedelta(minutes=5):
            self.given += 1
            self.valid, self.ends = f"{TOKEN}-{self.given}", self.clock() + timedelta(hours=2)
        return {"access_token": self.valid, "expires_in": int((self.ends - self.clock()).total_seconds())}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2031-03-03T10:00:00+00:00")


@pytest.fixture
def provider(clock: FakeClock) -> Provider:
    return Provider(clock)


@pytest.fixture
def store() -> FakeTokenStore:
    return FakeTokenStore()


def api(
    script: Script, store: FakeTokenStore, clock: FakeClock, *, secret: FakeSecret | None = None
) -> tuple[Api, ScriptedPoster]:
    """The interface of one account, as one process has it."""
    poster = ScriptedPoster(script)
    grant = StableToken(
        poster=poster,
        base=BASE,
        app_id="wx8f0a",
        secrets=secret or FakeSecret({"secret": SECRET}),
        secret_of=lambda secrets: secrets["secret"],
        clock=clock,
    )
    waited: list[float] = []
    tokens = AccessTokens(name="wechat/wx8f0a", store=store, grant=grant, clock=clock, sleep=waited.append)
    return Api(poster=poster, base=BASE, tokens=tokens), poster


OK = Replied(0, "ok", {"errcode": 0, "errmsg": "ok", "msgid": 1})
SEND = "/cgi-bin/message/template/send"


def test_a_token_is_asked_for_once_and_used_by_every_process(
    provider: Provider, store: FakeTokenStore, clock: FakeClock
) -> None:
    for _ in range(3):
        process, _ = api(provider, store, clock)
        assert [process.post(SEND, {"a": 1}) for _ in range(3)] == [OK] * 3
    assert (provider.given, provider.forced) == (1, [False])


def test_a_process_reads_a_token_once_as_long_as_it_lives(
    provider: Provider, store: FakeTokenStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, _ = api(provider, store, clock)
    process.post(SEND, {})
    monkeypatch.setattr(store, "load", lambda name: pytest.fail(f"{name} is looked up again"))
    clock.advance(hours=1)
    assert process.post(SEND, {}) == OK


def test_before_its_end_one_caller_gets_the_next_one_and_the_others_go_on_with_the_old(
    provider: Provider, store: FakeTokenStore, clock: FakeClock
) -> None:
    first, second = (api(provider, store, clock)[0] for _ in range(2))
    first.post(SEND, {})
    clock.advance(minutes=116)
    old = store.tokens["wechat/wx8f0a"]
    assert store.lease("wechat/wx8f0a", seen=old, now=clock(), until=clock() + timedelta(seconds=15))
    assert second.tokens.current() == old
    store.release("wechat/wx8f0a")
    newer = first.tokens.current()
    assert isinstance(newer, AccessToken)
    assert (newer.text, second.tokens.current()) == (f"{TOKEN}-2", newer)
    assert provider.given == 2


def test_a_hundred_callers_at_once_ask_once(provider: Provider, store: FakeTokenStore, clock: FakeClock) -> None:
    provider.before_token = threading.Event()
    processes = [api(provider, store, clock)[0] for _ in range(100)]
    all_began = threading.Barrier(101)

    def send(process: Api) -> Reply:
        process.tokens.sleep = lambda _: provider.before_token and provider.before_token.wait(5)  # type: ignore[assignment]
        all_began.wait(5)
        return process.post(SEND, {})

    with ThreadPoolExecutor(100) as pool:
        replies = [pool.submit(send, process) for process in processes]
        all_began.wait(5)
        provider.before_token.set()
        assert [each.result(10) for each in replies] == [OK] * 100
    assert provider.given == 1
    assert provider.forced == [False]


@pytest.mark.parametrize("code", [40001, 40014, 42001, 42007])
def test_a_refused_token_is_renewed_once_and_the_call_repeated(
    provider: Provider, store: FakeTokenStore, clock: FakeClock, code: int
) -> None:
    provider.refusal = {"errcode": code, "errmsg": "invalid credential"}
    process, poster = api(provider, store, clock)
    process.post(SEND, {})
    provider.valid = "changed by another system"
    assert process.post(SEND, {"a": 1}) == OK
    assert provider.forced == [False, False]
    assert poster.paths()[2:] == [SEND[1:], "cgi-bin/stable_token", SEND[1:]]


def test_a_refused_token_that_another_process_has_replaced_is_not_renewed_again(
    provider: Provider, store: FakeTokenStore, clock: FakeClock
) -> None:
    first, second = (api(provider, store, clock)[0] for _ in range(2))
    first.post(SEND, {})
    second.post(SEND, {})
    provider.ends = clock()
    provider.valid = ""
    assert [first.post(SEND, {}), second.post(SEND, {})] == [OK, OK]
    assert provider.given == 2


def test_a_token_that_is_refused_though_the_provider_gives_it_again_is_forced_anew_once(
    provider: Provider, store: FakeTokenStore, clock: FakeClock
) -> None:
    process, poster = api(provider, store, clock)
    process.post(SEND, {})

    def refuses_everything(url: str, content: dict[str, Any]) -> Mapping[str, Any] | Outcome:
        return provider(url, content) if "stable_token" in url else {"errcode": 40001, "errmsg": "invalid credential"}

    poster.script = refuses_everything
    assert process.post(SEND, {}) == Replied(
        40001, "invalid credential", {"errcode": 40001, "errmsg": "invalid credential"}
    )
    assert provider.forced == [False, False, True]
    assert poster.paths().count(SEND[1:]) == 3


def test_an_address_that_is_not_on_the_list_is_named_with_the_refusal(
    provider: Provider, store: FakeTokenStore, clock: FakeClock
) -> None:
    provider.token_answer = {"errcode": 40164, "errmsg": "invalid ip 203.0.113.9, not in whitelist"}
    process, poster = api(provider, store, clock)
    assert process.post(SEND, {}) == Replied(
        40164, "invalid ip 203.0.113.9, not in whitelist", dict(provider.token_answer)
    )
    assert poster.paths() == ["cgi-bin/stable_token"]
    provider.token_answer = None
    assert process.post(SEND, {}) == OK


def test_while_the_provider_gives_no_token_the_old_one_is_used_to_its_end(
    provider: Provider, store: FakeTokenStore, clock: FakeClock
) -> None:
    process, poster = api(provider, store, clock)
    process.post(SEND, {})
    clock.advance(minutes=116)
    provider.token_answer = NoAnswer("no answer within 4 seconds")
    assert [process.post(SEND, {}) for _ in range(3)] == [OK] * 3
    assert poster.paths().count("cgi-bin/stable_token") == 2
    clock.advance(minutes=4)
    assert process.post(SEND, {}) == NotSent("access token: no answer within 4 seconds")


def test_who_finds_no_token_waits_for_the_one_that_gets_it_and_then_sends_nothing(
    provider: Provider, store: FakeTokenStore, clock: FakeClock
) -> None:
    store.leases["wechat/wx8f0a"] = clock() + timedelta(seconds=15)
    process, poster = api(provider, store, clock)
    assert process.post(SEND, {}) == NotSent("access token: another process is getting the access token")
    assert poster.calls == []


def test_a_secret_that_was_just_replaced_is_read_again(
    provider: Provider, store: FakeTokenStore, clock: FakeClock
) -> None:
    process, _ = api(provider, store, clock, secret=FakeSecret({"secret": "old"}, newer={"secret": SECRET}))
    assert process.post(SEND, {}) == OK
    none_yet, poster = api(provider, FakeTokenStore(), clock, secret=FakeSecret({"secret": ""}))
    assert none_yet.post(SEND, {}) == Replied(40125, "the secret of the account is not set")
    assert poster.calls == []


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Answer(200, body=b'{"msgid": 7}'), Replied(0, "", {"msgid": 7})),
        (Answer(200, body=b"<html>"), NoAnswer("http_200")),
        (Answer(200, body=b"[" * 100_000), NoAnswer("http_200")),
        (Answer(200, body=None), NoAnswer("http_200")),
        (Answer(200, body=b'{"errcode": "x"}'), NoAnswer("http_200")),
        (Answer(502, body=b'{"errcode": 0}'), NoAnswer("http_502")),
        (Answer(413, body=b"too large"), NotSent("http_413")),
        (NotSent("the host is unknown"), NotSent("the host is unknown")),
        (NoAnswer("the connection failed: X"), NoAnswer("the connection failed: X")),
        (Forbidden("the host leads to a private address"), NotSent("the host leads to a private address")),
    ],
)
def test_what_comes_back_says_whether_something_may_have_been_done(outcome: Outcome, expected: Reply) -> None:
    assert replied(outcome) == expected


def test_text_is_sent_as_it_is_and_not_escaped(provider: Provider, store: FakeTokenStore, clock: FakeClock) -> None:
    process, poster = api(provider, store, clock)
    process.post(SEND, {"thing1": {"value": "订单已发货"}})
    assert "订单已发货".encode() in poster.bodies[-1]


def test_no_secret_and_no_token_is_in_a_log_a_text_or_an_error(
    provider: Provider, store: FakeTokenStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    process, poster = api(provider, store, clock)
    echoing = (
        f"invalid url https://x/cgi-bin/send?access_token={TOKEN}-1&secret={SECRET} or {json.dumps({'secret': SECRET})}"
    )
    replies: list[object] = [process.post(SEND, {}), process.tokens.current(), process]
    for answer in ({"errcode": 40001, "errmsg": echoing}, {"errcode": 40013, "errmsg": echoing}):
        poster.script = lambda url, content, given=answer: provider(url, content) if "stable" in url else given  # type: ignore[misc]
        replies.append(process.post(SEND, {}))
    provider.token_answer = {"errcode": 40164, "errmsg": echoing}
    replies.append(api(provider, FakeTokenStore(), clock)[0].post(SEND, {}))
    shown = [caplog.text, *(f"{each!r} {each}" for each in replies)]
    assert len(replies) == 6
    for text in shown:
        assert SECRET not in text
        assert TOKEN not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "GET /cgi-bin/gettoken?corpid=ww1&corpsecret=s3cr3t HTTP/1.1",
            "GET /cgi-bin/gettoken?corpid=ww1&corpsecret=*** HTTP/1.1",
        ),
        ('url "https://h/p?access_token=a-b_c&x=1"', 'url "https://h/p?access_token=***&x=1"'),
        ("{'secret': 's3', \"access_token\": \"t\"}", "{'secret': '***', \"access_token\": \"***\"}"),
        ("webhook/send?key=1234-5678", "webhook/send?key=***"),
        ("no secret here: 40001", "no secret here: 40001"),
    ],
)
def test_what_may_be_secret_is_taken_out_of_a_text(text: str, expected: str) -> None:
    assert scrubbed(text) == expected
