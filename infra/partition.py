"""What AWS offers in a partition, by botocore's own table of endpoints. Read by the app before it makes a resource."""

import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, Final

import botocore.session

from waypost.authoring.discovery import Library
from waypost.authoring.problems import InvalidJourney, Problem
from waypost.channels.infra_contract import providers_of
from waypost.contacts.channels import Channel, declared_channels
from waypost.errors import InvalidInput

Context = Callable[[str], Any]
"""The value of a key of the CDK context, or None."""

PARTITIONS: Final = ("aws", "aws-cn")
_NAMED_IN_TASKS: Final = re.compile(r"\barn:aws:states:::")
"""An integration of Step Functions, the one ARN that authors write."""


@cache
def is_offered(service: str, partition: str) -> bool:
    """Whether any region of the partition has the service, by its name in botocore (``sesv2``).

    A newer service may stand in no partition of the table: it counts as one of the first partition alone.
    """
    session = botocore.session.get_session()
    listed = {each for each in PARTITIONS if session.get_available_regions(service, partition_name=each)}
    if listed or service not in session.get_available_services():
        return partition in listed
    return partition == PARTITIONS[0]


@cache
def partition_of(region: str) -> str:
    """The partition of a region: ``aws-cn`` of ``cn-north-1``."""
    return str(botocore.session.get_session().get_partition_for_region(region))


def missing_services(partition: str, context: Context) -> Mapping[Channel, Collection[str]]:
    """The channels that cannot be deployed there, with what their providers need of AWS and do not find.

    Raises InvalidInput for a provider that was chosen and cannot be there, with those that can.
    """
    missing = {
        name: found
        for name in declared_channels()
        if (found := _lacking(name, providers_of(name, context), partition=partition))
    }
    for name, services in missing.items():
        if context(f"{name}_provider"):
            reason = f"AWS has no {', '.join(services)} in {partition}{_way_out(name, partition)}"
            raise InvalidInput(f"context {name}_provider", reason)
    return missing


def _lacking(name: Channel, providers: Collection[str], *, partition: str) -> list[str]:
    channel = declared_channels()[name]
    needed = {service for provider in providers for service in channel.providers[provider]}
    absent = {service for service in needed if not is_offered(service, partition)}
    return sorted(absent | {lacking for where, lacking in channel.absent.items() if where == partition})


def _way_out(name: Channel, partition: str) -> str:
    """The providers of a channel that can be in the partition, as an advice; "" where there are none."""
    others = [each for each in declared_channels()[name].providers if not _lacking(name, [each], partition=partition)]
    return f"; choose -c {name}_provider={' or '.join(others)}" if others else ""


def refuse_unsendable(library: Library, *, partition: str, context: Context) -> None:
    """Refuse the messages that no provider takes in the partition. Raises InvalidJourney, which names each and the way out."""
    missing = missing_services(partition, context)
    problems = [
        Problem(
            file=f"statemachines/journeys/{journey.name}/messages/{message}",
            field=channel,
            reason=f"the journey {journey.name} sends {message} by {channel}, and AWS has no {', '.join(missing[channel])} in "
            f"{partition}{_way_out(channel, partition)}; or take the channel out of the message, or deploy this journey in a region "
            "of another partition",
        )
        for journey in library.journeys
        for message, published in journey.messages.items()
        for channel in published["channels"]
        if channel in missing
    ]
    if problems:
        raise InvalidJourney(problems)


def in_partition(definition: str, partition: str) -> str:
    """A state machine's text with its tasks as they are called in the partition (``arn:aws-cn:states:::lambda:invoke``)."""
    return _NAMED_IN_TASKS.sub(f"arn:{partition}:states:::", definition)


def chosen_partition(chosen: Any, region: str) -> str:
    """The partition of a deployment: of the ``region`` that it goes to, else as ``chosen``, else ``aws``.

    Raises ValueError where both say something else.
    """
    found = partition_of(region) if region else ""
    named = str(chosen or found or PARTITIONS[0])
    if named not in PARTITIONS:
        raise ValueError(f"must be one of {', '.join(PARTITIONS)}, not {named!r}")
    if found and found != named:
        raise ValueError(f"is {named}, and the deployment goes to {region}, which is in {found}")
    return named
