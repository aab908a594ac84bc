"""What a channel takes in over HTTP: the one function of ``channels/<name>/callbacks.py``, and what passes through it.

``receive(request, secret, *, now)`` says whether a request is the provider's and what it says, as notices that
``notices.py`` of the channel reads later. It calls nobody: the provider waits for the answer (WeChat for five seconds).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"
XML: Final = "application/xml; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRequest:
    """A request to ``/v1/callbacks/<channel>/<account>``; ``account`` may be a secret of the channel instead."""

    account: str = field(repr=False)
    method: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackNotice:
    """Something that happened. ``source`` is a key of ``SOURCES`` in ``notices.py``, ``detail`` what its reader gets.

    ``notice_id`` is the same whenever the provider repeats it: the event's id comes from it.
    """

    source: str
    notice_id: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtOnce:
    """A notice that a message may answer within seconds: it is sent before the provider gets its answer, past the queue.

    ``given`` is what the provider gives for this one message, such as a code; templates find it among the properties of the
    event, and nothing keeps it. It is good ``within`` this time of what happened. ``write`` puts what the message says
    (``Accepted.in_answer``) into the answer to the callback, as XML, where the provider takes it there.
    """

    notice: CallbackNotice
    given: Mapping[str, str] = field(repr=False)
    within: timedelta
    write: Callable[[Mapping[str, Any]], str] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAnswer:
    """A genuine request: ``notices`` are kept before the provider gets ``text``. ``unreadable`` counts items that say nothing.

    ``at_once`` is the one of them that a message may answer at once.
    """

    text: str
    content_type: str = TEXT
    notices: Sequence[CallbackNotice] = ()
    unreadable: int = 0
    at_once: AtOnce | None = None


@dataclass(frozen=True, slots=True)
class CallbackRefused:
    """The request is not the provider's; ``reason`` holds nothing of it."""

    reason: str


class CallbackReader(Protocol):
    """Reads the callbacks of one channel."""

    def __call__(
        self, request: CallbackRequest, secret: Mapping[str, Any], *, now: datetime
    ) -> CallbackAnswer | CallbackRefused:
        """What the request says, checked by the channel's ``secret``; ``now`` is the real time."""
        ...
