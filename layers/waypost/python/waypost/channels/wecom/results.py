"""Asks WeCom what became of messages to customers, each of which is a task for one member.

Sources: https://developer.work.weixin.qq.com/document/path/93338 (results), .../97610 (reminding) and .../97611 (stopping)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, assert_never

from waypost.channels.contract import ProviderPorts
from waypost.channels.results_contract import NotLearnt, TaskResult
from waypost.channels.wecom.notices import SENT, TASK, WITHDRAWN
from waypost.channels.wecom.provider_qyapi import LATER, QUOTA, REFUSES_THE_ACCOUNT, api_of
from waypost.errors import RetryableError
from waypost.http.ports import NoAnswer, NotSent
from waypost.tencent.api import Api, Replied

_TASKS: Final = "/cgi-bin/externalcontact/get_groupmsg_task"
_RESULTS: Final = "/cgi-bin/externalcontact/get_groupmsg_send_result"
_REMIND: Final = "/cgi-bin/externalcontact/remind_groupmsg_send"
_STOP: Final = "/cgi-bin/externalcontact/cancel_groupmsg_send"
_PAGE: Final = 1_000
_MOST_PAGES: Final = 10
"""A task of ours is for one customer and so for one member: a second page is unheard of."""
_CONFIRMED: Final = 2
"""The status of a member's task that they have sent; 0 is one that waits."""
_WORDS: Final[Mapping[int, str]] = {1: SENT, 2: "not_a_friend", 3: "had_another"}
"""The status of a message to a customer: 0 is not sent yet; 3: the customer has had as many as they may get."""


@dataclass(frozen=True, slots=True)
class GroupMessages:
    """Results of the tasks of one company."""

    source: ClassVar[str] = TASK
    withdrawn: ClassVar[str] = WITHDRAWN

    api: Api = field(repr=False)

    def ask(self, message_id: str) -> TaskResult | NotLearnt:
        """See Results."""
        try:
            return self._asked(message_id)
        except _NothingLearnt as nothing:
            return nothing.why

    def remind(self, message_id: str) -> NotLearnt | None:
        """See Results. WeCom takes three of these for a task in 24 hours."""
        return self._done(_REMIND, message_id)

    def withdraw(self, message_id: str) -> NotLearnt | None:
        """See Results."""
        return self._done(_STOP, message_id)

    def _asked(self, message_id: str) -> TaskResult:
        tasks = list(self._pages(_TASKS, {"msgid": message_id}, "task_list"))
        task = next((each for each in tasks if each.get("status") == _CONFIRMED), next(iter(tasks), {}))
        member = str(task.get("userid", ""))
        if task.get("status") != _CONFIRMED:
            return TaskResult(state="waiting", member=member)
        for each in self._pages(_RESULTS, {"msgid": message_id, "userid": member}, "send_list"):
            if word := _WORDS.get(each.get("status", 0)):
                at = _instant(each.get("send_time")) or _instant(task.get("send_time"))
                return TaskResult(state="sent" if word == SENT else "failed", member=member, word=word, at=at)
        return TaskResult(state="waiting", member=member)

    def _pages(self, path: str, wanted: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
        """The items of a paged list. Raises _NothingLearnt."""
        cursor = ""
        for _ in range(_MOST_PAGES):
            content = self._call(path, {**wanted, "limit": _PAGE, **({"cursor": cursor} if cursor else {})})
            yield from content.get(name) or ()
            cursor = str(content.get("next_cursor") or "")
            if not cursor:
                return

    def _done(self, path: str, message_id: str) -> NotLearnt | None:
        try:
            self._call(path, {"msgid": message_id})
        except _NothingLearnt as nothing:
            return nothing.why
        return None

    def _call(self, path: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """The content of a success. Raises _NothingLearnt."""
        try:
            reply = self.api.post(path, content)
        except RetryableError as error:  # of the secret or of the token's item
            raise _NothingLearnt(str(error), ends_run=True) from error
        match reply:
            case Replied(code=0, content=answer):
                return answer
            case Replied(code=code):
                is_ours = code in LATER or code == QUOTA or code in REFUSES_THE_ACCOUNT
                raise _NothingLearnt(str(code), ends_run=is_ours)
            case NotSent(reason=reason) | NoAnswer(reason=reason):
                raise _NothingLearnt(reason, ends_run=True)
            case _:
                assert_never(reply)


class _NothingLearnt(Exception):
    """A call that gave no answer that helps; raised and caught in this module."""

    def __init__(self, reason: str, *, ends_run: bool) -> None:
        super().__init__(reason)
        self.why = NotLearnt(reason, ends_run)


def _instant(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(seconds, tz=UTC) if isinstance(seconds, int) and seconds > 0 else None


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> GroupMessages:
    """See registry.connect_results; settings as those of the provider."""
    return GroupMessages(api_of(settings, ports))
