"""What the providers that a deployment has chosen will not take of its messages, reported at synth."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from waypost.authoring.channels import authored_channels
from waypost.authoring.discovery import Library
from waypost.authoring.problems import InvalidJourney, Problem
from waypost.channels.infra_contract import providers_of


def provider_warnings(library: Library, *, context: Callable[[str], Any]) -> list[str]:
    """What some provider will not take, a line each. Raises InvalidJourney for a message that none of a channel's takes."""
    warnings: list[str] = []
    problems: list[Problem] = []
    for file, channel, variants in _messages(library):
        authored, chosen = authored_channels()[channel], providers_of(channel, context)
        lacking = {provider: reason for provider in chosen if (reason := authored.lacks(provider, variants))}
        if lacking and len(lacking) == len(chosen):
            problems += [Problem(file=file, field=channel, reason=reason) for reason in lacking.values()]
        else:
            warnings += [f"{file}: {channel}: {reason}" for reason in lacking.values()]
        warnings += [f"{file}: {channel}: {warning}" for warning in authored.warnings(variants)]
    if problems:
        raise InvalidJourney(problems)
    return warnings


def _messages(library: Library) -> Iterator[tuple[str, str, Mapping[str, Mapping[str, str]]]]:
    """Each message's folder with a channel it goes by and its templates by locale."""
    for journey in library.journeys:
        for message, published in journey.messages.items():
            for channel in published["channels"]:
                file = f"statemachines/journeys/{journey.name}/messages/{message}"
                yield file, channel, published["variants"][channel]
