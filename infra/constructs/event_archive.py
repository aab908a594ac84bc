"""The archive of events: who writes it, from the table's stream, and how long it is kept."""

import json
from typing import Any

from aws_cdk import Duration, aws_cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.acknowledging import acknowledge
from infra.constructs.alarms import FIVE_MINUTES
from infra.constructs.contacts_table import ContactsTable
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform
from infra.constructs.queues import build_queue
from waypost.aws.event_archive import BY_TIME_TO_LIVE
from waypost.events.archive_events import RETENTION_TAG
from waypost.events.retention import Retention
from waypost.files.folders import EVENTS, LEDGER

BATCH = 1000
WINDOW = Duration.seconds(60)
"""How long a batch gathers: one object a minute and shard at most, so that there are few small objects to read."""

_INSERTED_EVENTS: dict[str, Any] = {
    "eventName": ["INSERT"],
    "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "contact#"}]}, "sk": {"S": [{"prefix": "event#"}]}}},
}
_EXPIRED_ROWS: dict[str, Any] = {
    "eventName": ["REMOVE"],
    "userIdentity": {name: [value] for name, value in BY_TIME_TO_LIVE.items()},
    "dynamodb": {
        "Keys": {
            "pk": {"S": [{"prefix": "contact#"}]},
            "sk": {"S": [{"prefix": "message#"}, {"prefix": "enrolment#past#"}]},
        }
    },
}
_ATTEMPTS = 20
"""With the pauses of Lambda between them this is hours, and far below the 24 hours that a stream remembers."""


class EventArchive(Construct):
    """Hands the stream of the contacts table to a function in batches; one that fails is halved until what cannot be written
    is alone, and set aside.

    ``Lost`` holds for 14 days where in the stream that was (the stream itself remembers 24 hours; the event is in the
    table all the same).
    """

    def __init__(
        self, scope: Construct, *, platform: Platform, contacts: ContactsTable, files: Files, retention: Retention
    ) -> None:
        super().__init__(scope, "Archive")
        self._platform = platform
        self._contacts = contacts
        for each in retention.classes:
            files.forget(EVENTS, tag=RETENTION_TAG, value=each.name, days=each.archive.days)
        passages = retention.passages
        files.forget(LEDGER, tag=RETENTION_TAG, value=passages.name, days=passages.archive.days)

    def written_by(self, hop: Hop) -> None:
        """Call the hop with every stored event, and with every message and journey whose time is over."""
        platform = self._platform
        self._contacts.streamed_to(hop)
        lost = build_queue(
            self,
            "Lost",
            name=f"{platform.deployment.name}-unarchived",
        )
        acknowledge(lost, "AwsSolutions-SQS3", because="It is the dead letters of the stream")
        hop.allow("sqs:SendMessage", on=lost.queue_arn)
        lambda_.CfnEventSourceMapping(
            self,
            "Stream",
            function_name=hop.function.function_arn,
            event_source_arn=self._contacts.stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=BATCH,
            maximum_batching_window_in_seconds=int(WINDOW.to_seconds()),
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=_ATTEMPTS,
            filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
                filters=[
                    lambda_.CfnEventSourceMapping.FilterProperty(pattern=json.dumps(pattern))
                    for pattern in (_INSERTED_EVENTS, _EXPIRED_ROWS)
                ]
            ),
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=lost.queue_arn)
            ),
        ).node.add_dependency(hop.role)
        platform.alarms.watch(
            self,
            "Lost",
            lost.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
            because="Events could not be archived; they are in the table, and their place in the stream in the queue",
        )
        platform.alarms.watch(
            self,
            "Age",
            aws_cloudwatch.Metric(
                namespace="AWS/Lambda",
                metric_name="IteratorAge",
                dimensions_map={"FunctionName": hop.function.function_name},
                period=FIVE_MINUTES,
                statistic="Maximum",
            ),
            because="The archive is more than six hours behind; the stream forgets after 24",
            over=Duration.hours(6).to_milliseconds(),
        )
