"""A queue whose messages a function takes many at a time. Extended by those of deferred messages and of people to be asked about."""

from dataclasses import dataclass

from aws_cdk import Duration, aws_lambda_event_sources, aws_sqs
from constructs import Construct

from infra.constructs.alarms import FIVE_MINUTES, Alarms
from infra.constructs.hop import Hop
from infra.constructs.queues import build_queue
from infra.constructs.undelivered import Undelivered
from infra.deployment import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a queue is worked off: ``batch`` messages in a call, ``callers`` calls at a time, each of ``seconds`` at the most."""

    batch: int
    gathered_for: Duration
    callers: int
    seconds: int
    attempts: int


class BatchQueue(Construct):
    """A standard queue: its messages may come twice and in any order. What failed ``attempts`` times is undelivered."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        pace: Pace,
        deployment: Deployment,
        undelivered: Undelivered,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, construct_id)
        self._pace, self._alarms = pace, alarms
        self.queue = build_queue(
            self,
            "Queue",
            name=f"{deployment.name}-{name}",
            visibility_timeout=Duration.seconds(6 * pace.seconds),
            dead_letter_queue=aws_sqs.DeadLetterQueue(queue=undelivered.queue, max_receive_count=pace.attempts),
        )

    def writable_by(self, hop: Hop) -> None:
        """Let a hop put messages in."""
        hop.allow("sqs:SendMessage", on=self.queue.queue_arn)

    def taken_by(self, hop: Hop, *, late_after: Duration, late: str) -> None:
        """Call the hop with a batch at a time; it answers which messages are to come again.

        ``late`` is what the alarm says when the oldest one waits longer than ``late_after``.
        """
        hop.must_have_time(
            at_most=self._pace.seconds, because="the queue hands a message out again after six times that"
        )
        self._alarms.watch(
            self,
            "Age",
            self.queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES),
            because=late,
            over=late_after.to_seconds(),
        )
        hop.function.add_event_source(
            aws_lambda_event_sources.SqsEventSource(
                self.queue,
                batch_size=self._pace.batch,
                max_batching_window=self._pace.gathered_for,
                report_batch_item_failures=True,
                max_concurrency=self._pace.callers,
            )
        )
