"""What a channel needs in the account. Built by ``channels/<name>/infra.py``, used by the app's construct; not shipped.

``infra.py`` has a function ``build(scope, *, name, settled)`` that makes the channel's resources under ``scope`` and returns
a ChannelInfra; ``name`` is the deployment's (``waypost-dev``), ``settled`` the types of ``message_*`` that nothing listens
to. It reads its choices from the CDK context. One that is ``branded`` is given ``brands`` besides, the published section.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import aws_cloudwatch, aws_events, aws_sns
from constructs import Construct

from waypost.contacts.channels import Channel, declared_channels
from waypost.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What the sending function may do; ``wildcard`` is the reason for an ARN that holds a ``*``."""

    actions: Sequence[str]
    on: Sequence[str]
    wildcard: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """Events on the account's default bus that record_delivery reads; ``name`` is the id of their rule."""

    name: str
    description: str
    pattern: aws_events.EventPattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A metric of the provider with an alarm when it is over ``over``; ``name`` is the id of the alarm, ``because`` its text."""

    name: str
    metric: aws_cloudwatch.IMetric
    over: float
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelInfra:
    """``settings`` reach the provider without the channel's name; ``outputs`` are outputs of the stack.

    ``credentials`` are the names in the channel's secret, which an operator fills in and the sender may read; the provider
    finds it by the setting ``secret``. Without them there is none. ``replies`` are topics to which a provider publishes what
    people send back.
    """

    permissions: Sequence[Permission]
    settings: Mapping[str, str] = field(default_factory=dict)
    notices: Sequence[Notices] = ()
    watched: Sequence[Watched] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    credentials: Sequence[str] = ()
    replies: Sequence[aws_sns.ITopic] = ()


BuildChannel = Callable[..., ChannelInfra]

OUR_MESSAGE = {"message_key": [{"exists": True}]}
"""In an event pattern: a tag that every message of ours carries."""


def chosen(scope: Construct, key: str, default: str = "") -> str:
    """A choice of the CDK context."""
    value = scope.node.try_get_context(key)
    return default if value is None else str(value)


def providers_of(channel: str, context: Callable[[str], Any]) -> tuple[str, ...]:
    """The providers of a channel: the context key ``email_provider``, or the usual one. Raises InvalidInput.

    A channel that routes its messages may have several, with commas.
    """
    declared = declared_channels()[Channel(channel)]
    key = f"{channel}_provider"
    text = str(context(key) or next(iter(declared.providers)))
    names = tuple(dict.fromkeys(text.split(","))) if declared.routed else (text,)
    if any(name not in declared.providers for name in names):
        several = ", or several with commas" if declared.routed else ""
        raise refuse(key, f"must be one of {', '.join(declared.providers)}{several}, not {text!r}")
    return names


def refuse(key: str, reason: str) -> InvalidInput:
    """The error for a choice that cannot be used."""
    return InvalidInput(f"context {key}", reason)
