"""Takes what providers of channels post to us: checked by the channel, kept in the queue of notices, answered. Called by receive_callback."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol, assert_never

from waypost.channels.callback_contract import (
    TEXT,
    CallbackAnswer,
    CallbackNotice,
    CallbackReader,
    CallbackRefused,
    CallbackRequest,
)
from waypost.errors import RetryableError
from waypost.events.ports import SecretStore

MOST_BYTES: Final = 256 * 1024
"""Of a body. The longest known ones are batches of receipts with a few hundred bytes each."""


class NoticeQueue(Protocol):
    """Where notices wait to be recorded."""

    def put(self, notices: Sequence[CallbackNotice]) -> None:
        """Return once the queue has every notice. Raises TemporarilyUnavailable; putting one twice is harmless."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request. ``refused`` is why it was not taken, ``unreadable`` counts items that were left out."""

    status: HTTPStatus
    text: str = ""
    content_type: str = TEXT
    refused: str = ""
    unreadable: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveCallback:
    """The door for all channels; ``reader`` finds what a channel reads with, or None; ``secrets`` are those of channels."""

    reader: Callable[[str], CallbackReader | None]
    secrets: Mapping[str, SecretStore]
    queue: NoticeQueue
    real_clock: Callable[[], datetime]

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
                    return Reply(
                        HTTPStatus.OK,
                        answer.text,
                        answer.content_type,
                        unreadable=answer.unreadable,
                        kept=len(answer.notices),
                    )
                case _:
                    assert_never(answer)
        except RetryableError as error:
            return Reply(HTTPStatus.SERVICE_UNAVAILABLE, refused=type(error).__name__)
