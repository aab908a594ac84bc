"""Takes what providers of channels post to us: checked by the channel, kept in the queue of notices, answered. Called by receive_callback."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol, assert_never

from waypost.channels.callback_contract import (
    TEXT,
    XML,
    AtOnce,
    CallbackAnswer,
    CallbackNotice,
    CallbackReader,
    CallbackRefused,
    CallbackRequest,
)
from waypost.errors import RetryableError, WaypostError
from waypost.events.ports import SecretStore
from waypost.sending.request import SendResult

MOST_BYTES: Final = 256 * 1024
"""Of a body. The longest known ones are batches of receipts with a few hundred bytes each."""


class NoticeQueue(Protocol):
    """Where notices wait to be recorded."""

    def put(self, notices: Sequence[CallbackNotice]) -> None:
        """Return once the queue has every notice. Raises TemporarilyUnavailable; putting one twice is harmless."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request. ``refused`` is why it was not taken, ``unreadable`` counts items that were left out.

    ``answered`` is what became of the message that answers it at once, ``unanswered`` the error for which there was none.
    """

    status: HTTPStatus
    text: str = ""
    content_type: str = TEXT
    refused: str = ""
    unreadable: int = 0
    kept: int = 0
    answered: SendResult | None = None
    unanswered: str = ""


AnswerAtOnce = Callable[[str, AtOnce], SendResult | None]


def no_answer(channel: str, wanted: AtOnce) -> None:
    """Answer nothing at once."""
    del channel, wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveCallback:
    """The door for all channels; ``reader`` finds what a channel reads with, or None; ``secrets`` are those of channels.

    ``answer_at_once`` sends the message that cannot wait for the queue, after the queue has the notices.
    """

    reader: Callable[[str], CallbackReader | None]
    secrets: Mapping[str, SecretStore]
    queue: NoticeQueue
    real_clock: Callable[[], datetime]
    answer_at_once: AnswerAtOnce = no_answer

    def receive(self, channel: str, request: CallbackRequest) -> Reply:
        """Answer one request: only what the queue has is answered as taken, so that the provider repeats all else."""
        reader, secret = self.reader(channel), self.secrets.get(channel)
        if reader is None or secret is None:
            return Reply(HTTPStatus.NOT_FOUND, refused="the channel takes no callbacks here")
        if len(request.body) > MOST_BYTES:
            return Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, refused=f"the body has more than {MOST_BYTES:,} bytes")
        try:
            answer = reader(request, secret.read(), now=self.real_clock())
            if isinstance(answer, CallbackRefused):  # an operator may have changed the secret in these five minutes
                answer = reader(request, secret.read_again(), now=self.real_clock())
            match answer:
                case CallbackRefused():
                    return Reply(HTTPStatus.FORBIDDEN, refused=answer.reason)
                case CallbackAnswer():
                    self.queue.put(answer.notices)
                    answered, unanswered = self._answered(channel, answer)
                    text, content_type = _text_of(answer, answered)
                    return Reply(
                        HTTPStatus.OK,
                        text,
                        content_type,
                        unreadable=answer.unreadable,
                        kept=len(answer.notices),
                        answered=answered,
                        unanswered=unanswered,
                    )
                case _:
                    assert_never(answer)
        except RetryableError as error:
            return Reply(HTTPStatus.SERVICE_UNAVAILABLE, refused=type(error).__name__)

    def _answered(self, channel: str, answer: CallbackAnswer) -> tuple[SendResult | None, str]:
        """What became of the message at once, and why there is none: an error that will not pass loses no callback.

        Raises RetryableError: the provider repeats the callback within seconds, while the message still makes sense.
        """
        if answer.at_once is None:
            return None, ""
        try:
            return self.answer_at_once(channel, answer.at_once), ""
        except RetryableError:
            raise
        except WaypostError as error:
            return None, f"{type(error).__name__}: {error}"


def _text_of(answer: CallbackAnswer, answered: SendResult | None) -> tuple[str, str]:
    """What the provider reads, and its type: the message itself where it stands in the answer."""
    write = answer.at_once.write if answer.at_once else None
    if write is None or answered is None or not answered.in_answer:
        return answer.text, answer.content_type
    return write(answered.in_answer), XML
