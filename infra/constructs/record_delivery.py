"""Hop 11: turns what providers say about a message into an event. Called with the events of SES and of SMS."""

from aws_cdk import aws_events
from constructs import Construct

from infra.constructs.channels import Channels
from infra.constructs.events_queue import EventsQueue
from infra.constructs.hop import Hop, Platform
from infra.constructs.undelivered import Undelivered


class RecordDelivery(Hop):
    """Puts delivered, bounced and complained messages into the queue as events."""

    def __init__(
        self,
        scope: Construct,
        *,
        platform: Platform,
        channels: Channels,
        events: EventsQueue,
        undelivered: Undelivered,
    ) -> None:
        super().__init__(
            scope,
            "record_delivery",
            platform=platform,
            purpose="Turns what providers say about a message into an event",
            settings={"events_queue_url": events.queue.queue_url},
        )
        events.writable_by(self)
        undelivered.keep_failures_of(self)
        aws_events.Rule(
            self,
            "Mail",
            description="SES says what became of a mail",
            event_pattern=channels.mail_events,
            targets=[undelivered.rule_target(self)],
        )
        aws_events.Rule(
            self,
            "TextMessages",
            description="AWS End User Messaging says what became of a text message",
            event_pattern=channels.text_message_events,
            targets=[undelivered.rule_target(self)],
        )
