"""Messages kept in the company's own table, from where the feed shows them. Two writes: a number for the message, and the message.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from waypost.channels.answers import Accepted, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.calls import ErrorAnswer, FailedCall, answer_to
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.inbox.box import COUNTED_FOR, LIFE, InboxWriter, KeptMessage
from waypost.channels.inbox.channel import RenderedInbox
from waypost.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDb(Provider[RenderedInbox]):
    """Puts each message into the inbox of its user id."""

    inboxes: InboxWriter
    clock: Clock

    def send(self, outgoing: Outgoing[RenderedInbox]) -> Answer:
        """See Provider."""
        now, digest = self.clock(), outgoing.to.digest
        number = self.inboxes.next_number(digest, until=now + COUNTED_FOR)
        if not isinstance(number, int):
            return _without_a_message(number)
        kept = self.inboxes.keep(digest, _message(outgoing, number=number, now=now))
        return Accepted(kept) if isinstance(kept, str) else answer_to(kept, known=_known)


def _message(outgoing: Outgoing[RenderedInbox], *, number: int, now: datetime) -> KeptMessage:
    content = outgoing.content
    return KeptMessage(
        number=number,
        user_id=outgoing.to.text,
        title=content.title,
        text=content.text,
        link=content.link,
        unsubscribe_url="" if outgoing.transactional else outgoing.unsubscribe_url,
        tags=outgoing.tags,
        sent_at=now,
        expires_at=now + LIFE,
    )


def _without_a_message(failure: FailedCall) -> Answer:
    """What a failed count says. No message was handed over, so what is unclear may be repeated."""
    answer = answer_to(failure, known=_known)
    return RefusedForNow(answer.reason) if isinstance(answer, Unclear) else answer


def _known(error: ErrorAnswer) -> Answer | None:
    match error.code:
        case "ConditionalCheckFailedException":  # so much was sent in between that this one would not be shown
            return RefusedMessage("overtaken")
        case "ResourceNotFoundException":
            return RefusedUs(error.code)
        case _:
            return None


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> DynamoDb:
    """The provider; ``endpoint`` leads to another address than DynamoDB's own, on a developer's machine."""
    return DynamoDb(inboxes=ports.inbox(settings.get("endpoint", "")), clock=ports.clock)
