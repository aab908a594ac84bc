"""What WeCom answers about messages that members send, read from its own words and over HTTP from the fake."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from local.providers.server import Providers
from tests.channels.test_wecom import CUSTOMER, outgoing
from tests.fakes.clock import FakeClock
from tests.fakes.posted import ScriptedPoster
from tests.fakes.secrets import FakeSecret
from tests.fakes.token_store import FakeTokenStore
from waypost.channels.answers import Accepted
from waypost.channels.contract import ProviderPorts
from waypost.channels.registry import connect_results
from waypost.channels.results_contract import NotLearnt, Results, TaskResult
from waypost.channels.wecom.fake import AGENT, CORP, FAKES, SECRET
from waypost.channels.wecom.fake import Qyapi as Fake
from waypost.channels.wecom.notices import FAILED, SENT, SOURCES, TASK
from waypost.channels.wecom.provider_qyapi import ASKED_AFTER, connect
from waypost.contacts.channels import CHANNELS, Channel
from waypost.http.ports import NoAnswer, NotSent, Outcome
from waypost.http.poster import PinnedPoster

MEMBER = "zhang.san"
SECONDS = 1_803_866_400
AT = datetime.fromtimestamp(SECONDS, tz=UTC)
Answers = Mapping[str, Mapping[str, Any] | Outcome]


def ports(poster: Any) -> ProviderPorts:
    store = FakeTokenStore()
    return ProviderPorts(
        aws=lambda service: pytest.fail(f"{service} is not needed"),
        secret=lambda _: FakeSecret({"secret": SECRET}),
        clock=FakeClock("2027-03-01T02:00:00+00:00"),
        poster=lambda: poster,
        tokens=lambda: store,
        inbox=pytest.fail,
    )


def settings(base: str = "") -> dict[str, str]:
    return {"corp": CORP, "agent": AGENT, "secret": "s", "endpoint": base}


def wecom(poster: Any, base: str = "") -> Results:
    results = connect_results(Channel("wecom"), settings=settings(base), ports=ports(poster))
    assert results is not None
    return results


def scripted(answers: Answers) -> tuple[Results, ScriptedPoster]:
    """WeCom answers so, by the last part of the path."""
    token = {"errcode": 0, "access_token": "token-1", "expires_in": 7200}

    def script(url: str, _: dict[str, Any]) -> Mapping[str, Any] | Outcome:
        return token if "gettoken" in url else answers[url.partition("?")[0].rpartition("/")[2]]

    poster = ScriptedPoster(script)
    return wecom(poster), poster


def task(status: int, **more: Any) -> dict[str, Any]:
    return {"errcode": 0, "task_list": [{"userid": MEMBER, "status": status, **more}]}


def result(status: int, **more: Any) -> dict[str, Any]:
    sent = {"external_userid": CUSTOMER, "userid": MEMBER, "status": status, **more}
    return {"errcode": 0, "next_cursor": "", "send_list": [sent]}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"get_groupmsg_task": {"errcode": 0, "task_list": []}}, TaskResult(state="waiting")),
        ({"get_groupmsg_task": task(0)}, TaskResult(state="waiting", member=MEMBER)),
        (
            {"get_groupmsg_task": task(2), "get_groupmsg_send_result": result(0)},
            TaskResult(state="waiting", member=MEMBER),
        ),
        (
            {"get_groupmsg_task": task(2), "get_groupmsg_send_result": result(1, send_time=SECONDS)},
            TaskResult(state="sent", member=MEMBER, word="sent", at=AT),
        ),
        (
            {"get_groupmsg_task": task(2, send_time=SECONDS), "get_groupmsg_send_result": result(2)},
            TaskResult(state="failed", member=MEMBER, word="not_a_friend", at=AT),
        ),
        (
            {"get_groupmsg_task": task(2), "get_groupmsg_send_result": result(3)},
            TaskResult(state="failed", member=MEMBER, word="had_another"),
        ),
    ],
)
def test_the_status_of_the_task_and_of_the_message_are_read_together(answers: Answers, expected: TaskResult) -> None:
    results, poster = scripted(answers)
    assert results.ask("msg-1") == expected
    assert [content["msgid"] for url, content in poster.calls if "groupmsg" in url] == ["msg-1"] * len(answers)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"errcode": 45009}, NotLearnt("45009", ends_run=True)),
        ({"errcode": 45033}, NotLearnt("45033", ends_run=True)),
        ({"errcode": -1}, NotLearnt("-1", ends_run=True)),
        ({"errcode": 60020}, NotLearnt("60020", ends_run=True)),
        ({"errcode": 40058}, NotLearnt("40058", ends_run=False)),
        (NoAnswer("ReadTimeoutError"), NotLearnt("ReadTimeoutError", ends_run=True)),
        (NotSent("ConnectTimeoutError"), NotLearnt("ConnectTimeoutError", ends_run=True)),
    ],
)
def test_what_says_nothing_of_a_task_ends_the_run_where_it_is_about_all_of_them(
    answer: Mapping[str, Any] | Outcome, expected: NotLearnt
) -> None:
    names = ("get_groupmsg_task", "remind_groupmsg_send", "cancel_groupmsg_send")
    results, _ = scripted(dict.fromkeys(names, answer))
    assert results.ask("msg-1") == results.remind("msg-1") == results.withdraw("msg-1") == expected


def test_pages_are_followed_to_their_end_and_not_for_ever() -> None:
    asked = list[str]()

    def script(url: str, content: dict[str, Any]) -> Mapping[str, Any]:
        if "gettoken" in url:
            return {"errcode": 0, "access_token": "token-1", "expires_in": 7200}
        if "send_result" in url:
            return result(1, send_time=SECONDS)
        asked.append(content.get("cursor", ""))
        done = content.get("cursor") == "page-2"
        listed = task(2) if done else task(0)
        return listed | {"next_cursor": "" if done else f"page-{len(asked)}"}

    assert wecom(ScriptedPoster(script)).ask("msg-1") == TaskResult(state="sent", member=MEMBER, word="sent", at=AT)
    assert asked == ["", "page-1", "page-2"]

    endless = ScriptedPoster(
        lambda url, _: (
            {"errcode": 0, "access_token": "token-1", "expires_in": 7200}
            if "gettoken" in url
            else task(0) | {"next_cursor": "again"}
        )
    )
    assert wecom(endless).ask("msg-1") == TaskResult(state="waiting", member=MEMBER)
    assert len(endless.calls) < 20


@pytest.mark.parametrize("word", [SENT, *sorted(FAILED)])
def test_every_word_is_read_with_the_tags_of_its_message(word: str) -> None:
    tags = {"message_key": "m-1", "contact_id": "c-1"}
    detail = {"tags": tags, "message_id": "msg-1", "word": word, "member": MEMBER, "at": "2027-03-01T02:00:00.000Z"}
    reported: Any = SOURCES[TASK](detail)
    assert reported.event == ("message_delivered" if word == SENT else "message_failed")
    assert (reported.tags, reported.properties["staff"]) == (tags, MEMBER)


def test_a_word_that_is_none_is_not_taken_for_a_result() -> None:
    with pytest.raises(ValueError, match="dreamt"):
        SOURCES[TASK]({"tags": {}, "message_id": "msg-1", "word": "dreamt"})


def test_only_wecom_is_asked_for_results() -> None:
    asked = [channel for channel in CHANNELS if connect_results(channel, settings=settings(), ports=ports(None))]
    assert asked == ["wecom"]


# --- over HTTP, to the fake ----------------------------------------------------------------------------------------------


@pytest.fixture
def fake() -> Fake:
    [fake] = FAKES
    return fake


@pytest.fixture
def base(fake: Fake) -> Iterator[str]:
    with Providers(clock=FakeClock("2027-03-01T02:00:00+00:00")) as providers:
        yield providers.url


def given(base: str) -> str:
    """A message to a customer, which is a task now: its id."""
    answer = connect(settings(base), ports(PinnedPoster(loopback=True))).send(outgoing())
    assert isinstance(answer, Accepted)
    assert answer.asked_after == ASKED_AFTER
    return answer.provider_message_id


@pytest.mark.flow
@pytest.mark.parametrize(
    ("outcome", "state"), [("sent", "sent"), ("not_a_friend", "failed"), ("had_another", "failed")]
)
def test_a_member_sends_it_and_wecom_says_so(base: str, fake: Fake, outcome: str, state: str) -> None:
    message_id, results = given(base), wecom(PinnedPoster(loopback=True), base)
    assert results.ask(message_id) == TaskResult(state="waiting", member=MEMBER)
    fake.confirm(CUSTOMER, outcome=outcome)
    answer = results.ask(message_id)
    assert isinstance(answer, TaskResult)
    assert (answer.state, answer.word, answer.at is not None) == (state, outcome, True)


@pytest.mark.flow
def test_three_reminders_are_taken_in_a_day(base: str, fake: Fake) -> None:
    message_id, results = given(base), wecom(PinnedPoster(loopback=True), base)
    assert [results.remind(message_id) for _ in range(3)] == [None] * 3
    assert isinstance(results.remind(message_id), NotLearnt)
    assert fake.reminders == {MEMBER: 3}


@pytest.mark.flow
def test_what_was_taken_back_cannot_be_sent(base: str, fake: Fake) -> None:
    message_id, results = given(base), wecom(PinnedPoster(loopback=True), base)
    assert results.withdraw(message_id) is None
    with pytest.raises(ValueError, match="no message waits"):
        fake.confirm(CUSTOMER)
    assert results.ask(message_id) == TaskResult(state="waiting", member=MEMBER)


@pytest.mark.flow
def test_a_task_that_wecom_does_not_know_is_no_result(base: str) -> None:
    assert wecom(PinnedPoster(loopback=True), base).ask("msg-9") == NotLearnt("40058", ends_run=False)
