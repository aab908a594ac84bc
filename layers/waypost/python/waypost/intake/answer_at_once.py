"""Answer what somebody did with a message at once, past the queue. Called by receive_callback.

The queue may take longer than the seconds for which the provider takes such a message. It still brings the event itself: here
the contact is only found or made, so that guards, the ledger and what explains decisions have whom to speak of.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from waypost.channels.callback_contract import AtOnce
from waypost.clock import Clock
from waypost.contacts.channels import channel_named
from waypost.contacts.identity.contact_with import contact_with
from waypost.contacts.ports import ContactStore
from waypost.intake.declared_replies import DeclaredReplies
from waypost.sending.occasion import Reply
from waypost.sending.request import SendRequest, SendResult
from waypost.sending.send_message import SendMessage
from waypost.tracking.record_delivery import delivery_events


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerAtOnce:
    """Sends the message that is declared for an event, through the sender of all messages.

    Most events have none: the sender is made when the first message is sent.
    """

    replies: DeclaredReplies
    contacts: ContactStore
    sender: Callable[[], SendMessage]
    clock: Clock

    def answer(self, channel: str, wanted: AtOnce) -> SendResult | None:
        """What became of the message; None when none is declared. The same notice again sends nothing more.

        What the provider gave for it is among the properties of the event that the message is filled in with, and is stored
        nowhere. Once its time is over the message is skipped as ``too_late``. Raises RetryableError or FinalError.
        """
        notice = wanted.notice
        found = delivery_events(
            {"source": notice.source, "id": notice.notice_id, "detail": notice.detail}, clock=self.clock
        )
        event = next(iter(found), None)
        message = self.replies.message_for(event) if event else ""
        if event is None or not message:
            return None
        [(kind, identity)] = event.contact.items()
        contact = contact_with(kind, identity, contacts=self.contacts, at=event.occurred_at, now=self.clock())
        return self.sender().send(
            SendRequest(
                Reply(contact.contact_id, event.id, event.type, event.occurred_at),
                message,
                channel=channel_named(channel),
                send_by=event.occurred_at + wanted.within,
            ),
            answered=replace(event, properties={**event.properties, **wanted.given}),
        )
