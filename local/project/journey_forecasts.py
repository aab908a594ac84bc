"""The forecast of a journey of the project, from its files and what is given beside them. Called by ``waypost journey cost``."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from local.forecast.branch_shares import branch_shares, share_of
from local.forecast.journey_forecast import Forecast, Sender, forecast, sms_parts
from local.forecast.price_list import MILLION, PriceList, ProviderPrice, price_list
from local.forecast.step_usage import step_usage
from local.problems import LocalError
from local.project.current_project import current_project
from local.project.journey_files import read_journey
from waypost.contacts.channels import CHANNELS, Channel, channel_named
from waypost.errors import InvalidInput
from waypost.reports.journey_counts import JourneyCounts

_SMS: Final = Channel("sms")
"""The channel whose messages are billed by the part."""


def forecast_of(
    journey: str,
    *,
    shares: Iterable[str] = (),
    reach: Mapping[str, str],
    prices: Mapping[str, str],
    rehearsed: JourneyCounts | None = None,
) -> Forecast:
    """The forecast; ``shares`` as ``branch_shares`` reads them, ``reach`` and ``prices`` by channel, as they were written.

    Raises LocalError for a journey that is missing or wrong, and for what names no branch, no channel or no number.
    """
    found = read_journey(journey)
    messages = found.messages
    sender = Sender(
        channels={name: [channel_named(each) for each in message["channels"]] for name, message in messages.items()},
        parts={(name, _SMS): _parts(texts) for name, each in messages.items() if (texts := each["variants"].get(_SMS))},
        reach={_channel(name): share_of(number, f"{name}={number}") for name, number in reach.items()},
    )
    return forecast(
        found.graph,
        branch_shares(found.graph, given=shares, rehearsed=rehearsed),
        sender,
        prices=_prices(price_list(), current_project().choices, prices),
        price_list=price_list(),
        usage=step_usage(),
    )


def _parts(variants: Mapping[str, Mapping[str, str]]) -> int:
    return sms_parts([text for variant in variants.values() for name, text in variant.items() if name == "text"])


def _prices(listed: PriceList, choices: Mapping[str, Any], given: Mapping[str, str]) -> dict[Channel, ProviderPrice]:
    found = {channel: listed.of_channel(channel, choices) for channel in CHANNELS}
    for name, number in given.items():
        try:
            per_million = float(number.removeprefix("$")) * MILLION
        except ValueError:
            per_million = -1.0
        if not 0 <= per_million < float("inf"):
            raise LocalError(f"{name}={number} gives no price", "write dollars for a message, such as sms=0.01")
        found[_channel(name)] = ProviderPrice(what="as given", per_million=per_million, source="the command line")
    return found


def _channel(name: str) -> Channel:
    try:
        return channel_named(name)
    except InvalidInput as unknown:
        raise LocalError(f"there is no channel {name!r}", f"channels: {', '.join(CHANNELS)}") from unknown
