"""What a thousand entrants of a journey will use and cost. Called by ``waypost journey cost``.

Counted are executions, messages by channel and dollars of each way through the authored journey. Every assumption that is made is
named in the forecast.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from local.forecast.branch_shares import BranchShare
from local.forecast.journey_ways import JourneyWay, journey_ways
from local.forecast.price_list import MILLION, PriceList, ProviderPrice
from local.forecast.step_usage import StepUsage, Used
from waypost.channels.sms.length import sms_length
from waypost.contacts.channels import Channel
from waypost.reports.journey_graph import JourneyGraph, Step
from waypost.reports.step_words import is_notice

ENTRANTS: Final = 1_000
MOST_SHOWN: Final = 12
"""Ways that are listed; of more the ones most taken, and the others together."""

_Name = TypeVar("_Name", bound=str)
_MARKUP: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What is known of a journey's messages: the channels of each in their order, and the parts that are billed of some.

    ``reach`` is the share of contacts that a channel reaches; the next channel gets the others.
    """

    channels: Mapping[str, Sequence[Channel]]
    parts: Mapping[tuple[str, Channel], int]
    reach: Mapping[Channel, float]

    def sent(self, step: Step) -> Iterator[tuple[Channel, float, float]]:
        """By channel, the messages and the parts that one passage of the step sends on average."""
        left = 1.0
        for channel in self.channels.get(step.about, ()):
            share = left * self.reach.get(channel, 1.0)
            left -= share
            if share:
                yield channel, share, share * self.parts.get((step.about, channel), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What so many entrants use: ``steps`` by kind, executions, ``messages`` and their ``parts`` by channel, notices to staff."""

    steps: Mapping[Used, float]
    executions: float
    messages: Mapping[Channel, float]
    parts: Mapping[Channel, float]
    notices_to_staff: float

    def times(self, count: float) -> "Amounts":
        """The same so many times."""
        return Amounts(
            steps={name: amount * count for name, amount in self.steps.items()},
            executions=self.executions * count,
            messages={name: amount * count for name, amount in self.messages.items()},
            parts={name: amount * count for name, amount in self.parts.items()},
            notices_to_staff=self.notices_to_staff * count,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Dollars: of AWS, and of the providers by channel; None where no price is known."""

    aws: float
    providers: Mapping[Channel, float | None]

    @property
    def unknown(self) -> list[Channel]:
        """The channels whose price is not in the sum."""
        return [channel for channel, amount in self.providers.items() if amount is None]

    @property
    def known(self) -> float:
        """The sum of what is known."""
        return self.aws + sum(amount for amount in self.providers.values() if amount is not None)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        providers = {
            channel: None if amount is None else round(amount, 4) for channel, amount in self.providers.items()
        }
        return {
            "aws": round(self.aws, 6),
            "providers": providers,
            "known": round(self.known, 4),
            "unknown": self.unknown,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class WayForecast:
    """A way through the journey, and what ``ENTRANTS`` of the journey use and cost on it."""

    way: JourneyWay
    amounts: Amounts
    bill: Bill

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "share": round(self.way.share, 4),
            "branches": list(self.way.branches),
            "steps": list(self.way.steps),
            "leaves_early": self.way.is_left,
            **_used(self.amounts),
            "dollars": self.bill.to_dict(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The forecast of ``ENTRANTS`` entrants; ``ways`` by share, ``left_out`` the share that is in none of them."""

    journey: str
    shares: Sequence[BranchShare]
    ways: Sequence[WayForecast]
    amounts: Amounts
    bill: Bill
    prices: Mapping[Channel, ProviderPrice]
    price_list: PriceList
    usage: StepUsage
    left_out: float
    assumptions: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "journey": self.journey,
            "entrants": ENTRANTS,
            **_used(self.amounts),
            "dollars": self.bill.to_dict(),
            "shares": [each.to_dict() for each in self.shares],
            "ways": [each.to_dict() for each in self.ways],
            "left_out": round(self.left_out, 4),
            "prices": {
                "as_of": self.price_list.as_of,
                "region": self.price_list.region,
                "channels": {
                    channel: price.model_dump(exclude_defaults=True) for channel, price in self.prices.items()
                },
            },
            "usage_measured": self.usage.measured,
            "assumptions": list(self.assumptions),
        }


def forecast(
    graph: JourneyGraph,
    shares: Sequence[BranchShare],
    sender: Sender,
    *,
    prices: Mapping[Channel, ProviderPrice],
    price_list: PriceList,
    usage: StepUsage,
) -> Forecast:
    """The forecast of a journey whose branches are taken by these shares. Raises LocalError for too many ways."""
    ways, steps = journey_ways(graph, shares), graph.by_name()
    whole = sum(way.share for way in ways)
    single = [_amounts([steps[name] for name in way.steps], sender, usage, is_left=way.is_left) for way in ways]
    counted = [amounts.times(ENTRANTS * way.share / whole) for way, amounts in zip(ways, single, strict=True)]

    def bill(amounts: Amounts) -> Bill:
        used = _added(
            {name: amount * count for name, amount in usage.steps[kind].items()}
            for kind, count in amounts.steps.items()
        )
        return Bill(
            aws=price_list.aws_dollars(used),
            providers={channel: _dollars(prices[channel], count) for channel, count in amounts.parts.items()},
        )

    total = _sum(counted)
    return Forecast(
        journey=graph.journey,
        shares=shares,
        ways=[
            WayForecast(way=way, amounts=amounts, bill=bill(amounts))
            for way, amounts in zip(ways, counted, strict=True)
        ],
        amounts=total,
        bill=bill(total),
        prices={channel: prices[channel] for channel in total.messages},
        price_list=price_list,
        usage=usage,
        left_out=max(0.0, 1 - whole),
        assumptions=list(_assumptions(graph, shares, sender, usage)),
    )


def sms_parts(texts: Iterable[str]) -> int:
    """The parts that an SMS takes at least: of its longest language, without what is filled in."""
    return max((sms_length(_MARKUP.sub("", text)).parts for text in texts), default=1)


def _amounts(entered: Sequence[Step], sender: Sender, usage: StepUsage, *, is_left: bool) -> Amounts:
    kinds = Counter(step.kind for step in entered)
    notices = sum(is_notice(step) for step in entered)
    sent = [each for step in entered if step.kind == "send" and not is_notice(step) for each in sender.sent(step)]
    messages = _added({channel: count} for channel, count, _ in sent)
    awaited = sum(step.kind == "pause" and "or" in step.payload for step in entered)
    return Amounts(
        steps={
            "hop": 1 + kinds["pause"],
            "send": kinds["send"],
            "update": kinds["update"] + kinds["task"],
            "end": 1,
            "event": 1 + awaited + is_left,
            "notice": sum(messages.values()) + notices,
        },
        executions=(1 + kinds["pause"]) * usage.steps["hop"].get("machine_requests", 1.0),
        messages=messages,
        parts=_added({channel: parts} for channel, _, parts in sent),
        notices_to_staff=notices,
    )


def _sum(all_amounts: Sequence[Amounts]) -> Amounts:
    return Amounts(
        steps=_added(each.steps for each in all_amounts),
        executions=sum(each.executions for each in all_amounts),
        messages=_added(each.messages for each in all_amounts),
        parts=_added(each.parts for each in all_amounts),
        notices_to_staff=sum(each.notices_to_staff for each in all_amounts),
    )


def _added(amounts: Iterable[Mapping[_Name, float]]) -> dict[_Name, float]:
    total: dict[_Name, float] = {}
    for each in amounts:
        for name, amount in each.items():
            total[name] = total.get(name, 0.0) + amount
    return total


def _dollars(price: ProviderPrice, count: float) -> float | None:
    return None if price.per_million is None else price.per_million * count / MILLION


def _used(amounts: Amounts) -> dict[str, Any]:
    return {
        "executions": round(amounts.executions, 2),
        "messages": {channel: round(count, 2) for channel, count in amounts.messages.items()},
        "parts": {channel: round(count, 2) for channel, count in amounts.parts.items()},
        "notices_to_staff": round(amounts.notices_to_staff, 2),
    }


def _assumptions(graph: JourneyGraph, shares: Sequence[BranchShare], sender: Sender, usage: StepUsage) -> Iterator[str]:
    """What the forecast takes to be so, beside the shares themselves."""
    if any(each.origin == "even" for each in shares):
        yield "branches without a share are taken evenly: --share state=0.3, or --rehearsed"
    if never := [each.target for each in shares if each.origin == "nobody"]:
        yield f"nobody leaves the journey for {', '.join(map(repr, never))}: --share '{never[0]}=0.2'"
    if any(each.share for each in shares if graph.by_name()[each.source].starts):
        yield "who leaves early does so at one Pause as often as at another"
    several = {channel for channels in sender.channels.values() for channel in channels[:-1]}
    if free := sorted(several - sender.reach.keys()):
        yield f"{', '.join(free)} reaches everybody, so that no message falls back: --reach {free[0]}=0.8"
    yield "every message goes out once, and its provider reports its delivery; none is held back or deferred"
    if any(step.kind == "pause" and "or" in step.payload for step in graph.steps):
        yield "each Pause that may end by an event costs one event"
    if any(step.kind == "task" for step in graph.steps):
        yield "a question, a coupon and any other task use what an update does"
    if any(step.kind == "map" for step in graph.steps):
        yield "a Map has one item"
    if any(step.kind == "send" and step.about not in sender.channels and not is_notice(step) for step in graph.steps):
        yield "a message whose name is computed has no channel, and no price"
    yield (
        f"what a step uses on AWS was counted on {usage.measured} in the journey {usage.journey}; deliveries, openings and clicks "
        "that become events, storage and what a stage costs by the month are not in it"
    )
