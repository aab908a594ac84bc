"""The dead-letter queue of asynchronous calls: from schedules, event rules and functions that kept failing, and of notices."""

from aws_cdk import aws_lambda_destinations
from constructs import Construct

from infra.constructs.acknowledging import acknowledge
from infra.constructs.alarms import FIVE_MINUTES, Alarms
from infra.constructs.hop import Hop
from infra.constructs.queues import build_queue
from infra.deployment import Deployment

_ATTEMPTS_AFTER_THE_FIRST = 2


class Undelivered(Construct):
    """Keeps for 14 days what would otherwise be lost: a call made without waiting for its answer."""

    def __init__(self, scope: Construct, *, deployment: Deployment, alarms: Alarms) -> None:
        super().__init__(scope, "Undelivered")
        self.queue = build_queue(
            self,
            "Queue",
            name=f"{deployment.name}-undelivered",
        )
        acknowledge(self.queue, "AwsSolutions-SQS3", because="It is the dead letters of schedules, rules and functions")
        alarms.watch(
            self,
            "Queue",
            self.queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
            because="A schedule or an event rule could not reach its target, a function failed three times, a notice five times",
        )

    def keep_failures_of(self, hop: Hop) -> None:
        """Keep the events with which the hop, called without waiting, failed at every attempt."""
        hop.function.configure_async_invoke(
            on_failure=aws_lambda_destinations.SqsDestination(self.queue), retry_attempts=_ATTEMPTS_AFTER_THE_FIRST
        )
