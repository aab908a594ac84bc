"""The door for callbacks with what answers at once behind it; nobody reads its queue."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.secrets import FakeSecret
from tests.fakes.world import World
from waypost.assembly import assemble
from waypost.channels.callback_contract import CallbackNotice, CallbackRequest
from waypost.channels.fake_contract import FakeProvider, HttpRequest
from waypost.channels.registry import callback_reader
from waypost.clock import real_now
from waypost.contacts.channels import Channel
from waypost.errors import TemporarilyUnavailable
from waypost.intake.declared_replies import DeclaredReplies
from waypost.intake.receive_callback import ReceiveCallback, Reply
from waypost.sending.ledger import LedgerRow
from waypost.sending.send_message import SendMessage


@dataclass
class NoticeQueue:
    """A NoticeQueue in memory."""

    kept: list[CallbackNotice] = field(default_factory=list)
    is_down: bool = False

    def put(self, notices: Sequence[CallbackNotice]) -> None:
        """See NoticeQueue."""
        if self.is_down:
            raise TemporarilyUnavailable("SendMessageBatch")
        self.kept += notices


@dataclass
class CallbackDoor:
    """Takes what the channel's fake provider posts, with the secret that the fake was given."""

    world: World
    channel: Channel
    fake: FakeProvider
    replies: DeclaredReplies
    secret: dict[str, Any]
    queue: NoticeQueue = field(default_factory=NoticeQueue)

    def __post_init__(self) -> None:
        self.fake.clock = self.world.clock

    def take(self, request: CallbackRequest, sender: SendMessage | None = None) -> Reply:
        """Our answer to a callback."""
        answering = assemble.answer_at_once(
            self.world.ports, sender=lambda: sender or self.world.send_message, replies=self.replies
        )
        receive = ReceiveCallback(
            reader=callback_reader,
            secrets={self.channel: FakeSecret(self.secret)},
            queue=self.queue,
            real_clock=real_now,
            answer_at_once=answering.answer,
        )
        return receive.receive(self.channel, request)

    def row_of(self, reply: Reply, identity: str, value: str) -> LedgerRow:
        """The row of the message that answered who has this identity."""
        contact_id = self.world.contacts.resolve({identity: value})[identity]
        assert reply.answered is not None
        row = self.world.ledger.row_of(contact_id, reply.answered.message_key)
        assert row is not None
        return row


def as_request(posted: HttpRequest) -> CallbackRequest:
    """What a provider posts, as the door gets it."""
    target = urlsplit(posted.path)
    return CallbackRequest(
        account=target.path.rpartition("/")[2],
        method=posted.method,
        query={name: values[0] for name, values in parse_qs(target.query).items()},
        body=posted.body,
    )
