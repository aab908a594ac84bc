"""The queue of the people about whom providers are asked: what they know of a person, and which tags they see."""

from aws_cdk import Duration, aws_lambda_event_sources, aws_sqs
from constructs import Construct

from infra.constructs.alarms import FIVE_MINUTES, Alarms
from infra.constructs.hop import Hop
from infra.constructs.queues import build_queue
from infra.constructs.undelivered import Undelivered
from infra.deployment import Deployment

_BATCH = 5
_GATHERED_FOR = Duration.seconds(2)
_CALLERS = 2
"""WeCom takes 10,000 calls of an interface in a minute; a person takes one to a handful, of half a second each."""
_ATTEMPTS = 12
"""An outage of the provider of an hour and more is waited out."""
_SYNC_TAKES = 90
"""Seconds that the function may take: five people whose provider is slow."""


class PersonSyncs(Construct):
    """A queue whose requests may come twice and in any order: who is asked about twice is the same."""

    def __init__(self, scope: Construct, *, deployment: Deployment, undelivered: Undelivered, alarms: Alarms) -> None:
        super().__init__(scope, "PersonSyncs")
        self._alarms = alarms
        self.queue = build_queue(
            self,
            "Queue",
            name=f"{deployment.name}-person-syncs",
            visibility_timeout=Duration.seconds(6 * _SYNC_TAKES),
            dead_letter_queue=aws_sqs.DeadLetterQueue(queue=undelivered.queue, max_receive_count=_ATTEMPTS),
        )

    def writable_by(self, hop: Hop) -> None:
        """Let a hop have people asked about."""
        hop.allow("sqs:SendMessage", on=self.queue.queue_arn)

    def asked_by(self, hop: Hop) -> None:
        """Call the hop with people, a batch at a time; it answers which of them are to come again."""
        hop.must_have_time(at_most=_SYNC_TAKES, because="the queue hands a request out again after six times that")
        self._alarms.watch(
            self,
            "Age",
            self.queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES),
            because="People have waited longer than two hours to be asked about at WeChat or WeCom",
            over=Duration.hours(2).to_seconds(),
        )
        hop.function.add_event_source(
            aws_lambda_event_sources.SqsEventSource(
                self.queue,
                batch_size=_BATCH,
                max_batching_window=_GATHERED_FOR,
                report_batch_item_failures=True,
                max_concurrency=_CALLERS,
            )
        )
