"""How a channel's fake provider speaks. Implemented by ``channels/<name>/fake.py``, served by ``local/providers/``.

A fake checks a request as the provider would, and answers as the provider does; not shipped to Lambda.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, get_args

from waypost.clock import Clock, real_now

RefusalKind = Literal["throttle", "reject", "refuse_us", "address_gone", "error"]
"""How a provider can say no. ``address_gone``: it takes nothing for this address. ``error``: it fails on its own side."""

REFUSAL_KINDS: Final[tuple[RefusalKind, ...]] = get_args(RefusalKind)

Fate = Literal["accepted", "delivered", "bounced", "bounced_for_now", "complained", "failed"]
"""What can become of an accepted message; ``bounced`` is for good, and closes the address."""

FATES: Final[tuple[Fate, ...]] = get_args(Fate)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request of a function to a provider; ``headers`` have lower-case names.

    A message that comes by SMTP has that as its ``method``, its envelope as the headers ``mail-from`` and ``rcpt-to``, and
    itself as the body.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body, which is a JSON object; {} when there is none."""
        content: dict[str, Any] = json.loads(self.body) if self.body else {}
        return content


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """The provider's answer: a status and JSON, or a ``text`` where it speaks something else.

    By SMTP it is the reply to the end of the message; the status 0 ends the connection without a reply.
    """

    status: int
    content: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentContent:
    """A message as its reader gets it; a channel leaves empty what it does not have. ``headers`` are the sender's own."""

    text: str
    subject: str = ""
    html: str = ""
    sender: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message as the provider gets it; ``request`` is the raw content of the call."""

    recipient: str
    tags: dict[str, str]
    content: SentContent
    request: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that a person does at the provider, for which it may post a callback to us.

    ``values`` are what it takes, each with the value that is used where none is given; ``needs`` what must have happened before.
    """

    summary: str
    needs: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a provider publishes to a topic of ours; ``topic`` is how its name ends."""

    topic: str
    message: Mapping[str, Any]


class RefusedRequestError(Exception):
    """The provider would not take this request, whatever faults are planned."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(str(answer.content))
        self.answer = answer


class FakeBulk(ABC):
    """How a provider takes several messages in one request, each with an answer of its own."""

    @abstractmethod
    def read(self, request: HttpRequest) -> Sequence[SentMessage]:
        """The messages in the request, () when it is none of this kind. Raises RefusedRequestError for one that is refused as a whole."""

    @abstractmethod
    def only(self, request: HttpRequest, places: Collection[int]) -> HttpRequest:
        """The request with the messages at these places alone."""

    @abstractmethod
    def accepted(self, message_id: str) -> dict[str, Any]:
        """What is answered for a message that was taken."""

    @abstractmethod
    def refused(self, answer: HttpAnswer) -> dict[str, Any]:
        """What is answered for a message that by itself would have had this answer."""

    @abstractmethod
    def answer(self, results: Sequence[Mapping[str, Any]]) -> HttpAnswer:
        """The answer to the request, from those for its messages in their order."""

    @abstractmethod
    def results(self, answer: HttpAnswer) -> Sequence[Mapping[str, Any]]:
        """The inverse of ``answer``."""


class UnreadableAnswer(Exception):
    """The provider cannot read our answer to its callback, and the person sees that; the message says why."""


class FakeProvider(ABC):
    """One provider's interface.

    ``transport`` is what it speaks. ``provider`` is the name in ``provider_<name>.py``; ``endpoints`` are environment variables that lead its real client
    here, ``authorities`` those with the file of the certificate authority to trust here. ``credentials`` are what it wants to be
    logged in with: the content of its channel's secret. ``refusals`` are those it knows; ``words`` are all of its own for what becomes of a message, ``fates`` the one of
    them that stands for each fate it can report. With ``is_passed_on`` an accepted request is passed on to the
    embedded cloud's own service, which may refuse it. ``choices`` of the CDK context make its channel usable with it.
    ``carries`` are the tags that a request has room for; None for all. ``takes_any_address``: to it no address is wrong.
    ``bulk`` is how it takes several messages at once, None where it does not.
    ``actions`` are what people can do at it, by name (``waypost act``).
    """

    provider: ClassVar[str]
    transport: ClassVar[Literal["http", "smtp"]] = "http"
    endpoints: ClassVar[tuple[str, ...]]
    authorities: ClassVar[tuple[str, ...]] = ()
    credentials: ClassVar[Mapping[str, str]] = {}
    refusals: ClassVar[frozenset[RefusalKind]]
    fates: ClassVar[Mapping[Fate, str]]
    words: ClassVar[frozenset[str]]
    is_passed_on: ClassVar[bool] = False
    choices: ClassVar[Mapping[str, str]] = {}
    carries: ClassVar[frozenset[str] | None] = None
    takes_any_address: ClassVar[bool] = False
    bulk: ClassVar[FakeBulk | None] = None
    actions: ClassVar[Mapping[str, Action]] = {}

    clock: Clock = staticmethod(real_now)
    """The time in force, for what depends on it: the server's."""

    def forget(self) -> None:  # noqa: B027 -- most remember nothing
        """Forget everybody who was registered, follows or agreed to something."""

    def learn(self, message: Mapping[str, Any]) -> None:  # noqa: B027 -- most need nothing registered
        """What a company has registered for a message, which is in the fields of its ``message.yaml``."""

    def action_for(
        self, event: str, address: str, properties: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, str]] | None:
        """The action of the person with this address that comes to be this event, and its values; None where there is none."""
        del event, address, properties
        return None

    def perform(self, action: str, values: Mapping[str, str]) -> HttpRequest | Published | None:
        """Do one of ``actions`` with all of its values: the callback or publication that follows, None where nothing does.

        The request's path is the one behind the address of our API. Raises ValueError for values that do not fit.
        """
        del values
        raise ValueError(f"at {self.provider} nobody can do {action!r}")

    def seen_in(self, posted: HttpRequest, answer: str) -> SentMessage | None:
        """What the person sees of our answer to a callback, where the provider shows one; None for nothing.

        Raises UnreadableAnswer where the person sees that something is wrong.
        """
        del posted, answer
        return None

    @abstractmethod
    def recognises(self, request: HttpRequest) -> bool:
        """Whether the request is for this provider."""

    def answer_aside(self, request: HttpRequest) -> HttpAnswer | None:
        """The answer to a request that hands no message over, such as a registration; None for one that does."""
        del request
        return None

    @abstractmethod
    def read(self, request: HttpRequest) -> SentMessage:
        """The message in the request."""

    @abstractmethod
    def check(self, message: SentMessage) -> None:
        """Raise RefusedRequestError where the provider would refuse the request itself."""

    def taken(self, message: SentMessage, message_id: str) -> None:  # noqa: B027 -- most remember nothing
        """Remember a message that was taken, for what is asked about it later."""

    def outcome(self, message: SentMessage) -> str:
        """Which of ``words`` this provider says of a taken message by itself; "" where it arrives."""
        del message
        return ""

    @abstractmethod
    def accepted(self, message_id: str) -> HttpAnswer:
        """The answer to a message that was taken."""

    @abstractmethod
    def refusal(self, kind: RefusalKind) -> HttpAnswer:
        """The answer to a message that was not. Raises ValueError for a kind that is none of ``refusals``."""

    @abstractmethod
    def new_id(self) -> str:
        """An id in the provider's own form."""

    @abstractmethod
    def notice(self, word: str, message: SentMessage, *, message_id: str, sent_at: datetime, at: datetime) -> Any:
        """The PutEvents entry that reports it by one of ``words``, or what is Published."""


def aws_error(status: int, code: str, message: str, **members: str) -> HttpAnswer:
    """An error as AWS services with a JSON protocol answer it."""
    return HttpAnswer(
        status=status, content={"__type": code, "message": message, **members}, headers={"x-amzn-errortype": code}
    )


class AwsFakeProvider(FakeProvider):
    """A provider that is an AWS service with a JSON protocol: it accepts a message with ``MessageId``."""

    def accepted(self, message_id: str) -> HttpAnswer:
        """See FakeProvider."""
        return HttpAnswer(status=200, content={"MessageId": message_id})

    @staticmethod
    def refuse_first(problems: Mapping[str, bool], code: str, **members: str) -> None:
        """Raise RefusedRequestError with an error ``code`` for the first problem that is true; its key is the message."""
        for message, is_wrong in problems.items():
            if is_wrong:
                raise RefusedRequestError(aws_error(400, code, message, **members))
