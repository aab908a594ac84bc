"""The ways out: what each ``channels/<name>/infra.py`` needs in the account, and the permission to send."""

import json
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from typing import assert_never

from aws_cdk import (
    Duration,
    aws_cloudwatch,
    aws_events,
    aws_events_targets,
    aws_lambda_event_sources,
    aws_secretsmanager,
    aws_sns_subscriptions,
    aws_sqs,
)
from constructs import Construct

from infra.constructs.acknowledging import acknowledge
from infra.constructs.alarms import FIVE_MINUTES, Alarms
from infra.constructs.hop import Hop, Platform
from infra.constructs.queues import build_queue
from infra.constructs.undelivered import Undelivered
from infra.deployment import Deployment
from infra.partition import missing_services
from waypost.authoring.functions import Asked
from waypost.channels.infra_contract import BuildChannel, ChannelInfra, chosen, refuse
from waypost.channels.registry import (
    SOURCE_OF_STAFF,
    callback_channels,
    code_channels,
    people_channels,
    result_channels,
)
from waypost.contacts.channels import CHANNELS, Channel, declared_channels

_BATCH = 100
_GATHERED_FOR = Duration.seconds(10)
"""A bounce closes its address at most this much later."""
_READERS = 10
"""A hundred notices take a second at most, so these take a thousand a second."""
_ATTEMPTS = 5
_READING_TAKES = 30
"""Seconds that the function which records notices may take."""
_OWNED_BY_THE_PROVIDER = "The provider gives the values out, and an operator changes them here when they change there"
_SLOWEST, _FASTEST = 0.1, 10_000
_REJECTED_PERCENT = 2
_FEW = 5
"""So many rejected messages in an hour are a few wrong addresses, whatever their share."""


class Channels(Construct):
    """The resources of every channel that the partition has the services for, each under a construct of its channel's name.

    Raises InvalidInput.

    ``settled`` are the types of ``message_*`` that nothing in this stage listens to.
    """

    def __init__(
        self, scope: Construct, *, deployment: Deployment, settled: Collection[str], undelivered: Undelivered
    ) -> None:
        super().__init__(scope, "Channels")
        self._queue = build_queue(
            self,
            "Notices",
            name=f"{deployment.name}-notices",
            visibility_timeout=Duration.seconds(6 * _READING_TAKES),
            dead_letter_queue=aws_sqs.DeadLetterQueue(queue=undelivered.queue, max_receive_count=_ATTEMPTS),
        )
        self._built: dict[str, ChannelInfra] = {}
        self._rates: dict[str, float] = {}
        self._secrets: dict[str, aws_secretsmanager.Secret] = {}
        missing = missing_services(deployment.partition, self.node.try_get_context)
        for channel in (each for each in CHANNELS if each not in missing):
            build: BuildChannel = import_module(f"waypost.channels.{channel}.infra").build
            per_second = _per_second(self, channel)
            if per_second is not None and not deployment.for_this_machine:  # the embedded cloud takes what comes
                self._rates[channel] = per_second
            scope = Construct(self, channel.title())
            self._built[channel] = build(scope, name=deployment.name, settled=settled)
            if self._built[channel].credentials:
                self._secrets[channel] = _secret(scope, channel, deployment, names=self._built[channel].credentials)

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of the providers; ``sms_origination`` is ``origination`` of the channel ``sms``."""
        return {
            **{
                f"{channel}_{setting}": value
                for channel, each in self._built.items()
                for setting, value in each.settings.items()
            },
            **{f"{channel}_secret": secret.secret_arn for channel, secret in self._secrets.items()},
        }

    def settings_to_ask(self, asked: Asked) -> Mapping[str, str]:
        """The settings of the providers that are asked for this."""
        theirs = tuple(f"{channel}_" for channel in _asked_for(asked))
        return {name: value for name, value in self.settings.items() if name.startswith(theirs)}

    def askable_by(self, hop: Hop, asked: Asked) -> None:
        """Let a hop ask providers for this."""
        for channel in _asked_for(asked):
            if channel in self._secrets:
                hop.allow("secretsmanager:GetSecretValue", on=self._secrets[channel].secret_arn)

    @property
    def notices_url(self) -> str:
        """The queue of what providers report."""
        return self._queue.queue_url

    @property
    def rates(self) -> str:
        """How many messages a second the account's providers take: ``email=14,sms=10``."""
        return ",".join(f"{channel}={rate:g}" for channel, rate in self._rates.items())

    @property
    def outputs(self) -> Mapping[str, str]:
        """Outputs of the stack."""
        return {
            **{name: value for each in self._built.values() for name, value in each.outputs.items()},
            **{f"{channel.title()}ChannelSecret": secret.secret_arn for channel, secret in self._secrets.items()},
        }

    def watched_by(self, alarms: Alarms) -> None:
        """Raise an alarm when a provider's own metric says that it will soon refuse this account."""
        for channel, each in self._built.items():
            for watched in each.watched:
                alarms.watch(
                    self, f"{channel.title()}{watched.name}", watched.metric, because=watched.because, over=watched.over
                )

    def usable_by(self, hop: Hop, *, platform: Platform) -> None:
        """Let a hop send on every channel, and raise one alarm when a provider refuses this account."""
        hop.alarm_on_count(
            "AccountRefusals",
            platform=platform,
            because="A provider takes nothing from this account (paused, over its quota or spend limit, not verified, without "
            "permission); messages wait until their send-by time",
        )
        rejected, sent = (hop.counted(f"Messages{outcome}", platform=platform) for outcome in ("Rejected", "Sent"))
        platform.alarms.watch(
            hop,
            "Rejected",
            aws_cloudwatch.MathExpression(
                expression=f"IF(FILL(rejected, 0) > {_FEW}, 100 * rejected / (rejected + FILL(sent, 0)), 0)",
                using_metrics={"rejected": rejected, "sent": sent},
                label="% rejected",
                period=Duration.hours(1),
            ),
            over=_REJECTED_PERCENT,
            because=f"Providers rejected more than {_REJECTED_PERCENT} % of an hour's messages for good; the log of {hop.folder} "
            "has the reasons",
        )
        for each in self._built.values():
            for permission in each.permissions:
                hop.allow(*permission.actions, on=permission.on, wildcard=permission.wildcard)
        for secret in self._secrets.values():
            hop.allow("secretsmanager:GetSecretValue", on=secret.secret_arn)

    def secrets_readable_by(self, hop: Hop) -> None:
        """Let a hop check what providers post."""
        for channel in self._posted_to():
            hop.allow("secretsmanager:GetSecretValue", on=self._secrets[channel].secret_arn)

    def _posted_to(self) -> list[str]:
        return [channel for channel in callback_channels() if channel in self._secrets]

    def notices_writable_by(self, hop: Hop) -> None:
        """Let a hop put what providers post where their other reports wait."""
        hop.allow("sqs:SendMessage", on=self._queue.queue_arn)

    def tell_notices_to(self, hop: Hop, *, undelivered: Undelivered, alarms: Alarms) -> None:
        """Call the hop with what the providers report about messages, a batch at a time; it answers which of them failed."""
        hop.must_have_time(at_most=_READING_TAKES, because="the queue hands a notice out again after six times that")
        queue = self._queue
        alarms.watch(
            self,
            "Age",
            queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES),
            because="What providers say of messages waits longer than 15 minutes to be recorded",
            over=Duration.minutes(15).to_seconds(),
        )
        hop.function.add_event_source(
            aws_lambda_event_sources.SqsEventSource(
                queue,
                batch_size=_BATCH,
                max_batching_window=_GATHERED_FOR,
                report_batch_item_failures=True,
                max_concurrency=_READERS,
            )
        )
        for each in self._built.values():
            for topic in each.replies:
                topic.add_subscription(
                    aws_sns_subscriptions.SqsSubscription(queue, dead_letter_queue=undelivered.queue)
                )
            for notices in each.notices:
                aws_events.Rule(
                    hop,
                    notices.name,
                    description=notices.description,
                    event_pattern=notices.pattern,
                    targets=[aws_events_targets.SqsQueue(queue, dead_letter_queue=undelivered.queue)],
                )


def _secret(
    scope: Construct, channel: Channel, deployment: Deployment, *, names: Sequence[str]
) -> aws_secretsmanager.Secret:
    """The secret of a channel, empty until an operator fills it in."""
    *others, generated = names
    secret = aws_secretsmanager.Secret(
        scope,
        "Secret",
        secret_name=f"waypost/{deployment.stage}/{channel}",
        description=f"What the provider of {channel} wants to be called with: {', '.join(names)}",
        generate_secret_string=aws_secretsmanager.SecretStringGenerator(
            secret_string_template=json.dumps(dict.fromkeys(others, "")),
            generate_string_key=generated,
            password_length=48,
            exclude_punctuation=True,  # keys of ours are base64
        ),
        removal_policy=deployment.removal_policy,
    )
    acknowledge(secret, "AwsSolutions-SMG4", because=_OWNED_BY_THE_PROVIDER)
    return secret


def _per_second(scope: Construct, channel: Channel) -> float | None:
    """What the context key ``email_per_second`` says, else the channel's own declaration. Raises InvalidInput."""
    key = f"{channel}_per_second"
    text = chosen(scope, key)
    if not text:
        return declared_channels()[channel].per_second
    try:
        rate = float(text)
    except ValueError:
        rate = 0
    if not _SLOWEST <= rate <= _FASTEST:
        raise refuse(key, f"must be a number of messages a second from {_SLOWEST} to {_FASTEST:,}, not {text!r}")
    return rate


def _asked_for(asked: Asked) -> Sequence[str]:
    match asked:
        case "codes":
            return code_channels()
        case "people":
            return people_channels()
        case "results":
            return result_channels()
        case "staff":
            return [SOURCE_OF_STAFF]
        case _:
            assert_never(asked)
