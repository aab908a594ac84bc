"""What providers report of a message after taking it: settled on its row, or an event in our envelope. Called by record_delivery."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, assert_never

from waypost import ids
from waypost.channels.contract import Happened, Replied, Reported
from waypost.channels.registry import notice_readers, topic_readers
from waypost.clock import Clock
from waypost.contacts.address_record import AddressRecords
from waypost.contacts.channels import Address, Channel, declared_channels
from waypost.contacts.consent import ALL_TOPICS
from waypost.contacts.ports import ContactStore
from waypost.errors import InvalidInput, WaypostError
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.listening import Listening
from waypost.events.message_events import suppression_in
from waypost.events.ports import EventQueue
from waypost.sending.ledger import CONFIRMATIONS, Ledger
from waypost.sending.streams import TAG as STREAM_TAG
from waypost.staff.directory import is_staff
from waypost.tracking.scenes import DeclaredScenes
from waypost.tracking.watch_streams import Watched, WatchStreams

_WITHDRAWN: Final = "unsubscribed"
_MOST_TEXT: Final = 1_600
_MOST_WORD: Final = 40


@dataclass(slots=True)
class Recorded:
    """What became of a batch; ``failed`` are the notices to be delivered again, by their id, with the reason.

    ``watched`` is what was found of the streams.
    """

    settled: int = 0
    queued: int = 0
    failed: dict[str, WaypostError] = field(default_factory=dict)
    watched: Watched = field(default_factory=Watched)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDelivery:
    """Takes the notices of providers, in any order and possibly more than once."""

    contacts: ContactStore
    ledger: Ledger
    addresses: AddressRecords
    queue: EventQueue
    listening: Listening
    streams: WatchStreams
    scenes: DeclaredScenes
    clock: Clock

    def record(self, notices: Mapping[str, str]) -> Recorded:
        """Settle or queue each of these notices, given as JSON by an id of their own. One bad notice loses no other.

        What nothing listens to is written on the message's row alone: a write instead of an event's four writes and five
        reads. Where there is no such row, or it has a later word of the provider, the notice is an event after all.
        """
        recorded = Recorded()
        events: dict[str, list[Event]] = {}
        counted: list[Event] = []
        for notice_id, text in notices.items():
            try:
                found = self._events_in(text, notice_id, recorded)
                self._suppress(found)
                found = [event for event in found if not self._is_of_staff(event)]
                events[notice_id] = [event for event in found if not self._is_settled(event)]
            except WaypostError as error:
                recorded.failed[notice_id] = error
            else:
                recorded.settled += len(found) - len(events[notice_id])
                counted += found
        queued = [event for each in events.values() for event in each]
        try:
            self.queue.send(queued)
        except WaypostError as error:
            recorded.failed |= {notice_id: error for notice_id, each in events.items() if each}
        else:
            recorded.queued = len(queued)
        recorded.watched = self.streams.see(counted)
        return recorded

    def _events_in(self, text: str, notice_id: str, recorded: Recorded) -> list[Event]:
        """The events of one notice, or of the several in one message of a topic, of which a bad one loses no other.

        Raises WaypostError for what cannot be read as a whole.
        """
        found: list[Event] = []
        for notice in notices_in(text):
            try:
                found += delivery_events(notice, clock=self.clock, tags_of=self._tags_of, scenes=self.scenes)
            except WaypostError as error:
                recorded.failed[notice_id] = error
        return found

    def _tags_of(self, recipient: Address, provider_message_id: str) -> Mapping[str, str]:
        """The tags of the message that went to this address and that its provider calls so; {} for another system's."""
        known = self.contacts.resolve({recipient.kind: recipient.text}).get(recipient.kind)
        contact = self.contacts.load(known) if known else None
        for partition in contact.partitions if contact else ():
            if row := self.ledger.sent_as(partition, provider_message_id):
                return {"contact_id": partition, "message_key": row.message_key, "address": recipient.digest}
        return {}

    def _suppress(self, events: list[Event]) -> None:
        """Close the addresses that these events name, before anything else: the next send reads the address."""
        for event in events:
            digest = event.properties.get("address")
            if digest and (closed := suppression_in(event)):
                channel, reason = closed
                self.addresses.suppress(digest, channel=channel, reason=reason, at=event.occurred_at)
            elif digest and event.type == _WITHDRAWN:
                channel = event.properties["channel"]
                self.addresses.withdraw(digest, channel=channel, topic=ALL_TOPICS, at=event.occurred_at)

    def _is_of_staff(self, event: Event) -> bool:
        """Whether a member of staff got the message: the report is written on its row, and is an event of no contact."""
        contact_id = event.contact.get("contact_id", "")
        if not is_staff(contact_id):
            return False
        if event.type in CONFIRMATIONS:
            key = event.properties["message_key"]
            self.ledger.confirm(contact_id, key, state=CONFIRMATIONS[event.type], at=event.occurred_at)
        return True

    def _is_settled(self, event: Event) -> bool:
        if event.type not in self.listening.settled:
            return False
        contact_id, key = event.contact["contact_id"], event.properties["message_key"]
        return self.ledger.confirm(contact_id, key, state=CONFIRMATIONS[event.type], at=event.occurred_at)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput("notice", f"is no JSON: {error}") from error


def notices_in(text: str) -> list[Mapping[str, Any]]:
    """The notices in a message of the queue: an event of EventBridge, or what a provider published to a topic. Raises InvalidInput."""
    notice = _parsed(text)
    if isinstance(notice, dict) and notice.get("Type") == "Notification":
        return _published(_parsed(str(notice.get("Message", ""))))
    if not isinstance(notice, dict) or not {"source", "detail", "id"} <= notice.keys():
        raise InvalidInput("notice", "is no event of EventBridge")
    return [notice]


def _published(message: Any) -> list[Mapping[str, Any]]:
    for field_name, read in topic_readers().items():
        if isinstance(message, dict) and field_name in message:
            try:
                return [{"source": each.source, "id": each.notice_id, "detail": each.detail} for each in read(message)]
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise InvalidInput("notice", f"is nothing that a provider is known to publish: {error!r}") from error
    raise InvalidInput("notice", "is nothing that a provider is known to publish")


TagsOf = Callable[[Address, str], Mapping[str, str]]


def no_tags(recipient: Address, provider_message_id: str) -> Mapping[str, str]:
    """Know no message."""
    del recipient, provider_message_id
    return {}


_NO_SCENES: Final = DeclaredScenes()


def delivery_events(
    notice: Mapping[str, Any], *, clock: Clock, tags_of: TagsOf = no_tags, scenes: DeclaredScenes = _NO_SCENES
) -> list[Event]:
    """The event in a provider's EventBridge notice; none for a kind that nothing here acts on.

    ``tags_of`` finds the message whose provider carries no tags, by its recipient and the provider's id; ``scenes`` say where
    somebody comes from who scanned a code.
    Raises InvalidInput when no channel has such notices, or the message carries none of our tags: Waypost did not send it.
    """
    if notice["source"] not in notice_readers():
        raise InvalidInput("source", f"{notice['source']!r} sends no messages for Waypost")
    channel, read = notice_readers()[notice["source"]]
    try:
        reported = read(notice["detail"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidInput("detail", f"is no notice that {notice['source']} is known to send: {error!r}") from error
    match reported:
        case None:
            return []
        case Replied():
            return [_reply(reported, channel, notice_id=notice["id"], now=clock())]
        case Happened():
            return [_happened(reported, channel, scenes, notice_id=notice["id"], now=clock())]
        case Reported(untagged=True):
            kind = declared_channels()[channel].address.name
            tags = tags_of(Address(channel, kind, reported.recipient), reported.provider_message_id)
            found = replace(reported, tags=tags)
            return [_report(found, channel, notice_id=notice["id"], now=clock())] if tags else []
        case Reported():
            return [_report(reported, channel, notice_id=notice["id"], now=clock())]
        case _:
            assert_never(reported)


def _reply(replied: Replied, channel: Channel, *, notice_id: str, now: datetime) -> Event:
    """A wish to get nothing more is an ``unsubscribed``, as that of a link; everything else is what somebody wrote."""
    kind, source = declared_channels()[channel].address.name, f"{OWN_SOURCE}.{channel}"
    if not replied.sender:
        raise InvalidInput("sender", "is missing: this reply came from nobody")
    properties = {"channel": channel, "address": Address(channel, kind, replied.sender).digest}
    if replied.wish == "opt_out":
        event_type, more = (
            _WITHDRAWN,
            {"topic": "", "message_key": "", "journey": "", "word": replied.text[:_MOST_WORD]},
        )
    else:
        event_type, more = f"{channel}_reply", {"text": replied.text[:_MOST_TEXT], "wish": replied.wish}
    return Event(
        id=f"{source}:{ids.digest(replied.reply_id or notice_id)}",
        type=event_type,
        contact={kind: replied.sender},
        occurred_at=replied.occurred_at or now,
        received_at=now,
        source=source,
        properties={**properties, **more},
    )


def _happened(happened: Happened, channel: Channel, scenes: DeclaredScenes, *, notice_id: str, now: datetime) -> Event:
    if not happened.address:
        raise InvalidInput("address", "is missing: nobody did this")
    source = f"{OWN_SOURCE}.{channel}"
    return Event(
        id=f"{source}:{ids.digest(notice_id)}",
        type=happened.event,
        contact={declared_channels()[channel].address.name: happened.address},
        occurred_at=happened.occurred_at or now,
        received_at=now,
        source=source,
        properties={"channel": channel, **happened.properties, **scenes.of(happened.properties)},
    )


def _report(reported: Reported, channel: Channel, *, notice_id: str, now: datetime) -> Event:
    tags, source = reported.tags, f"{OWN_SOURCE}.{channel}"
    if missing := [name for name in ("contact_id", "message_key") if name not in tags]:
        raise InvalidInput("tags", f"{', '.join(missing)} missing: this message was not sent by Waypost")
    return Event(
        id=f"{source}:{ids.digest(notice_id)}",
        type=reported.event,
        contact={"contact_id": tags["contact_id"]},
        occurred_at=reported.occurred_at or now,
        received_at=now,
        source=source,
        properties={
            "channel": channel,
            "provider_word": reported.provider_word,
            "provider_message_id": reported.provider_message_id,
            **reported.properties,
            **_closing(channel, reported),
            "message_key": tags["message_key"],
            "journey": tags.get("journey", ""),
            **({STREAM_TAG: tags[STREAM_TAG]} if STREAM_TAG in tags else {}),
        },
    )


def _closing(channel: Channel, reported: Reported) -> dict[str, str]:
    """The digest of the address that a notice closes: of the one the message went to, or else the one it names."""
    if "suppression" not in reported.properties:
        return {}
    recipient = Address(channel, declared_channels()[channel].address.name, reported.recipient)
    digest = reported.tags.get("address") or (recipient.digest if recipient.text else "")
    return {"address": digest} if digest else {}
