"""The queue of deferred messages: schedules put each in when its time has come, and one function sends many of them at a time."""

from aws_cdk import Duration, aws_lambda_event_sources, aws_sqs
from constructs import Construct

from infra.constructs.alarms import FIVE_MINUTES, Alarms
from infra.constructs.hop import Hop
from infra.constructs.queues import build_queue
from infra.constructs.undelivered import Undelivered
from infra.deployment import Deployment

_BATCH = 50
"""What SES takes in one call."""
_GATHERED_FOR = Duration.seconds(1)
_SENDERS = 10
"""Fifty messages take a few seconds, so these take what a large account may send, 100 to 200 a second, and the pace holds back the rest."""
_ATTEMPTS = 5
_SENDING_TAKES = 60
"""Seconds that the function may take: three calls of a provider that times out, and fifty claims."""


class DeferredMessages(Construct):
    """A queue whose messages may come twice and in any order: the ledger sends each at most once."""

    def __init__(self, scope: Construct, *, deployment: Deployment, undelivered: Undelivered, alarms: Alarms) -> None:
        super().__init__(scope, "DeferredMessages")
        self._alarms = alarms
        self.queue = build_queue(
            self,
            "Queue",
            name=f"{deployment.name}-deferred-messages",
            visibility_timeout=Duration.seconds(6 * _SENDING_TAKES),
            dead_letter_queue=aws_sqs.DeadLetterQueue(queue=undelivered.queue, max_receive_count=_ATTEMPTS),
        )

    def sent_by(self, hop: Hop) -> None:
        """Call the hop with messages whose time has come, a batch at a time; it answers which of them failed."""
        hop.must_have_time(at_most=_SENDING_TAKES, because="the queue hands a message out again after six times that")
        self._alarms.watch(
            self,
            "Age",
            self.queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES),
            because="Messages whose time has come wait longer than 15 minutes to be sent",
            over=Duration.minutes(15).to_seconds(),
        )
        hop.function.add_event_source(
            aws_lambda_event_sources.SqsEventSource(
                self.queue,
                batch_size=_BATCH,
                max_batching_window=_GATHERED_FOR,
                report_batch_item_failures=True,
                max_concurrency=_SENDERS,
            )
        )
