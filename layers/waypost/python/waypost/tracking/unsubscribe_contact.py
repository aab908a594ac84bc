"""Ends messages to someone who follows an unsubscribe link. Called by the unsubscribe_contact function."""

from waypost import ids
from waypost.clock import Clock
from waypost.contacts.address_record import AddressRecords
from waypost.contacts.consent import ALL_TOPICS
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.ports import EventQueue, SecretStore
from waypost.staff.directory import is_staff
from waypost.tracking.tokens import Unsubscription, link_keys, verify


class UnsubscribeContact:
    """Reads tokens and turns confirmed ones into ``unsubscribed`` events."""

    def __init__(self, *, queue: EventQueue, addresses: AddressRecords, secret: SecretStore, clock: Clock) -> None:
        self._queue = queue
        self._addresses = addresses
        self._secret = secret
        self._clock = clock

    def read(self, token: str) -> Unsubscription | None:
        """What the token asks for, or None when we did not sign it. Raises TemporarilyUnavailable."""
        return verify(token, link_keys(self._secret.read())) or verify(token, link_keys(self._secret.read_again()))

    def unsubscribe(self, token: str, *, correlation_id: str) -> Unsubscription | None:
        """Withdraw at the address and queue the ``unsubscribed`` event; None for a token that is not ours.

        The event's id is the token's content and the hour: a mail client that posts twice says it once, and someone who
        subscribed again next week can unsubscribe again with the same old mail. Raises TemporarilyUnavailable.
        """
        asked = self.read(token)
        if asked is None or is_staff(asked.contact_id):  # the link of a test, which a member of staff tries
            return asked
        now = self._clock()
        if asked.address:  # for everybody who reads there; first, because a client posts again until both are stored
            topic = asked.topic or ALL_TOPICS
            self._addresses.withdraw(asked.address, channel=asked.channel, topic=topic, at=now)
        self._queue.send(
            [
                Event(
                    id=ids.event_id(OWN_SOURCE, ["unsubscribed", token.partition(".")[0], now.strftime("%Y-%m-%dT%H")]),
                    type="unsubscribed",
                    contact={"contact_id": asked.contact_id},
                    occurred_at=now,
                    received_at=now,
                    source=OWN_SOURCE,
                    properties={
                        "channel": asked.channel,
                        "topic": asked.topic,
                        "message_key": asked.message_key,
                        "journey": asked.journey,
                        "address": asked.address,
                    },
                    correlation_id=correlation_id,
                )
            ]
        )
        return asked
