"""The queue of events: in order per contact, each event once or in the dead letters."""

from aws_cdk import Duration, aws_lambda_event_sources, aws_sqs
from constructs import Construct

from infra.constructs.acknowledging import acknowledge
from infra.constructs.alarms import FIVE_MINUTES, Alarms
from infra.constructs.hop import Hop
from infra.constructs.queues import build_queue
from infra.deployment import Deployment

_BATCH = 10
_ATTEMPTS = 5
# Of ten events of one contact, the last is received again whenever one before it fails. The reader gives up an event
# after five attempts of its own and says why; the queue's limit only catches events that end the reader itself.
_MOST_RECEIVES = _BATCH * _ATTEMPTS
_READER_TIMEOUT = 30  # seconds


class EventsQueue(Construct):
    """A first-in-first-out queue, grouped by contact, with its dead letters.

    The event id is the deduplication id, so content-based deduplication is off. Throughput is per contact.
    """

    def __init__(self, scope: Construct, *, deployment: Deployment, alarms: Alarms) -> None:
        super().__init__(scope, "Events")
        self._readers = deployment.readers
        self.dead_letters = build_queue(
            self,
            "DeadLetters",
            name=f"{deployment.name}-events-dead-letters.fifo",
            fifo=True,
        )
        self.queue = build_queue(
            self,
            "Queue",
            name=f"{deployment.name}-events.fifo",
            fifo=True,
            content_based_deduplication=False,
            deduplication_scope=aws_sqs.DeduplicationScope.MESSAGE_GROUP,
            fifo_throughput_limit=aws_sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
            visibility_timeout=Duration.seconds(6 * _READER_TIMEOUT),
            dead_letter_queue=aws_sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_MOST_RECEIVES),
        )
        self.rejected_items = build_queue(
            self,
            "RejectedItems",
            name=f"{deployment.name}-rejected-items",
        )
        acknowledge(self.rejected_items, "AwsSolutions-SQS3", because="Nothing reads it but an operator")
        alarms.watch(
            self,
            "RejectedItems",
            self.rejected_items.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
            because="A sender posted items of which no event could be made; they wait with their reasons",
        )
        alarms.watch(
            self,
            "DeadLetters",
            self.dead_letters.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
            because="An event could not be routed and waits in the dead letters with its reason",
        )
        alarms.watch(
            self,
            "Age",
            self.queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES),
            because="Events wait longer than 15 minutes to be routed",
            over=Duration.minutes(15).to_seconds(),
        )

    def writable_by(self, hop: Hop) -> None:
        """Let a hop put events into the queue."""
        hop.allow("sqs:SendMessage", on=self.queue.queue_arn)

    def dead_letters_writable_by(self, hop: Hop) -> None:
        """Let a hop put an event into the dead letters itself, with the reason."""
        hop.allow("sqs:SendMessage", on=self.dead_letters.queue_arn)

    def rejected_items_writable_by(self, hop: Hop) -> None:
        """Let a hop keep what senders posted and no event could be made of."""
        hop.allow("sqs:SendMessage", on=self.rejected_items.queue_arn)

    def read_by(self, hop: Hop) -> None:
        """Call the hop with up to ten events; it answers which of them failed, and only those come again."""
        hop.must_have_time(at_most=_READER_TIMEOUT, because="a received event is hidden for six times as long")
        hop.function.add_event_source(
            aws_lambda_event_sources.SqsEventSource(
                self.queue, batch_size=_BATCH, report_batch_item_failures=True, max_concurrency=self._readers
            )
        )
