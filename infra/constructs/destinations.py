"""Other systems that receive events: for each a rule on the bus, and a queue and a secret or an API destination."""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import (
    ArnFormat,
    Duration,
    RemovalPolicy,
    SecretValue,
    Stack,
    aws_events,
    aws_events_targets,
    aws_secretsmanager,
    aws_sqs,
)
from aws_cdk import aws_lambda_event_sources as event_sources
from constructs import Construct

from infra.constructs.acknowledging import acknowledge
from infra.constructs.alarms import FIVE_MINUTES
from infra.constructs.event_bus import EventBus
from infra.constructs.hop import Hop, Platform
from waypost.authoring.destinations import event_pattern

BATCH = 5
_LONGEST_POST = 30  # seconds; authored timeouts end there
_KEPT = Duration.days(14)
_MOST_RECEIVES = 60
"""Far above the attempts of the function, which gives up a message itself and says why."""
_DAY = Duration.hours(24)
_OWN_SECRETS = "Each destination has a secret of its own under this prefix"
_OWN_QUEUES = "Each destination has a queue of its own under this prefix"
_NOT_ROTATED = "The receiver must know the key; a key is added, the receiver takes it over, then the old one goes"


class Destinations(Construct):
    """``queues`` and ``secrets`` are the names of a destination's queue and secret without that of the destination.

    ``declared`` is the published section: the destinations by name.
    """

    def __init__(
        self, scope: Construct, *, platform: Platform, bus: EventBus, declared: Mapping[str, Mapping[str, Any]]
    ) -> None:
        super().__init__(scope, "Destinations")
        self._platform = platform
        self._bus = bus
        self._declared = declared
        self.queues = f"{platform.deployment.name}-to-"
        self.secrets = f"waypost/{platform.deployment.stage}/destinations/"

    def secrets_readable_by(self, hop: Hop) -> None:
        """Let a hop read the secrets of all destinations."""
        hop.allow(
            "secretsmanager:GetSecretValue",
            on=Stack.of(self).format_arn(
                service="secretsmanager",
                resource="secret",
                resource_name=f"{self.secrets}*",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            wildcard=_OWN_SECRETS,
        )

    def queues_open_to(self, hop: Hop) -> None:
        """Let a hop hide the messages of all destinations for longer, and put them into the dead letters."""
        hop.allow(
            "sqs:GetQueueUrl",
            "sqs:ChangeMessageVisibility",
            "sqs:SendMessage",
            on=Stack.of(self).format_arn(service="sqs", resource=f"{self.queues}*"),
            wildcard=_OWN_QUEUES,
        )

    def read_by(self, hop: Hop) -> None:
        """Call the hop with the events of every destination that takes signed webhooks; AWS posts to the others."""
        hop.must_have_time(at_least=BATCH * _LONGEST_POST, because=f"it posts {BATCH} events, one after the other")
        for name, destination in self._declared.items():
            place = Construct(self, name)
            if not destination["events"]:
                self._secret(place, name, key="signing_keys")  # only journeys call it
            elif destination["kind"] == "standard_webhooks":
                self._signed(place, name, destination, hop)
            else:
                self._with_key(place, name, destination)

    def _signed(self, place: Construct, name: str, destination: Mapping[str, Any], hop: Hop) -> None:
        """Rule → queue → this function, with the dead letters beside the queue."""
        dead_letters = self._dead_letters(place, name)
        queue = aws_sqs.Queue(
            place,
            "Queue",
            queue_name=f"{self.queues}{name}",
            encryption=aws_sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=_KEPT,
            visibility_timeout=Duration.seconds(6 * hop.timeout_seconds),
            dead_letter_queue=aws_sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=_MOST_RECEIVES),
        )
        self._secret(place, name, key="signing_keys")
        hop.function.add_event_source(
            event_sources.SqsEventSource(
                queue,
                batch_size=BATCH,
                report_batch_item_failures=True,
                max_concurrency=int(destination["concurrency"]),
            )
        )
        target = aws_events_targets.SqsQueue(queue, dead_letter_queue=dead_letters)
        self._bus.tell(place, pattern=_pattern(destination), target=target, because=str(destination["description"]))

    def _with_key(self, place: Construct, name: str, destination: Mapping[str, Any]) -> None:
        """Rule → API destination: AWS posts and retries for a day, at the declared rate."""
        secret = self._secret(place, name, key="api_key")
        connection = aws_events.Connection(
            place,
            "Connection",
            connection_name=f"{self.queues}{name}",
            authorization=aws_events.Authorization.api_key(
                str(destination["header"]), SecretValue.secrets_manager(secret.secret_arn, json_field="api_key")
            ),
        )
        endpoint = aws_events.ApiDestination(
            place,
            "Endpoint",
            api_destination_name=f"{self.queues}{name}",
            connection=connection,
            endpoint=str(destination["url"]),
            http_method=aws_events.HttpMethod.POST,
            rate_limit_per_second=int(destination["per_second"]),
        )
        target = aws_events_targets.ApiDestination(
            endpoint,
            event=_body(destination["fields"]),
            dead_letter_queue=self._dead_letters(place, name),
            max_event_age=_DAY,
            retry_attempts=185,  # EventBridge's own most; the age ends them first
        )
        self._bus.tell(place, pattern=_pattern(destination), target=target, because=str(destination["description"]))

    def _dead_letters(self, place: Construct, name: str) -> aws_sqs.Queue:
        queue = aws_sqs.Queue(
            place,
            "DeadLetters",
            queue_name=f"{self.queues}{name}-dead-letters",
            encryption=aws_sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=_KEPT,
        )
        acknowledge(queue, "AwsSolutions-SQS3", because="It is the dead letters of a destination")
        self._platform.alarms.watch(
            place,
            "DeadLetters",
            queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
            because=f"{name} did not take an event for days, refused it, or answered 410 Gone; the reason is with it",
        )
        return queue

    def _secret(self, place: Construct, name: str, *, key: str) -> aws_secretsmanager.Secret:
        """A random key of letters and digits: 48 of them are base64 of 36 bytes, which is a Standard Webhooks secret."""
        deployment = self._platform.deployment
        secret = aws_secretsmanager.Secret(
            place,
            "Secret",
            secret_name=f"{self.secrets}{name}",
            description=f"What the destination {name} knows us by",
            generate_secret_string=aws_secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({}),
                generate_string_key=key,
                password_length=48,
                exclude_punctuation=True,
            ),
            removal_policy=RemovalPolicy.RETAIN if deployment.is_production else RemovalPolicy.DESTROY,
        )
        acknowledge(secret, "AwsSolutions-SMG4", because=_NOT_ROTATED)
        return secret


def _pattern(destination: Mapping[str, Any]) -> aws_events.EventPattern:
    """What the rule lets through: the event types; of an API destination also the condition, which nothing else evaluates."""
    exact = [each for each in destination["events"] if "*" not in each]
    patterns = [aws_events.Match.wildcard(each) for each in destination["events"] if "*" in each]
    where = event_pattern(destination["where"]) if destination["kind"] == "api_key" else {}
    return aws_events.EventPattern(
        source=["waypost"],
        detail_type=aws_events.Match.any_of(*exact, *patterns),
        detail={"properties": where} if where else None,
    )


def _body(fields: Mapping[str, Any]) -> aws_events.RuleTargetInput:
    """The same ``{type, timestamp, data}`` as of a signed webhook."""
    at = aws_events.EventField.from_path
    chosen: Any = {
        name: at(f"$.detail.{path}") if isinstance(path, str) else path["constant"] for name, path in fields.items()
    }
    return aws_events.RuleTargetInput.from_object(
        {"type": at("$.detail.type"), "timestamp": at("$.detail.occurred_at"), "data": chosen or at("$.detail")}
    )
