"""The figures as tables. Used by the command."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from benchmarks.goals import GOALS
from benchmarks.import_time import RIVAL, ImportTimes, Ratio
from benchmarks.journey_cost import CAUSED_BY_MESSAGES, EVENTS_AROUND, STEPS, JourneyCost, Passage, summed
from benchmarks.prices import AS_OF, MAILS_OF_SES, REGION, Quantities, dollars
from benchmarks.quotas import LOADS, Headroom

_SHORT = {
    "machine_requests": "hops",
    "machine_gb_seconds": "GB-s of hops",
    "write_units": "write units",
    "read_units": "read units",
    "function_requests": "invocations",
    "function_gb_seconds": "GB-s of functions",
    "schedules_fired": "schedules",
    "bus_events": "bus events",
    "queue_requests": "FIFO requests",
    "standard_queue_requests": "SQS requests",
    "log_bytes": "log bytes",
    "traces": "traces",
    "puts": "S3",
    "api_requests": "API requests",
}


def import_table(times: ImportTimes) -> Table:
    """Each handler's ratio to the rival."""
    table = _table(
        f"Start of each handler over {RIVAL}",
        f"The rival takes {times.rival_median:.0f} ms (median of {times.rounds} rounds; {times.rival_minimum:.0f} ms at "
        "best). processor: the median ratio of processor time, which a busy machine does not lengthen; goals go by it.",
    )
    table.add_column("handler")
    for name in ("import: minima", "median", "processor", "goal", "with first wiring: minima", "median", "processor"):
        table.add_column(name, justify="right")
    for each in times.handlers:
        mark = "" if each.reached else "[red]"
        goal = f"{mark}{each.goal}"
        table.add_row(each.handler, *_ratio(each.imported, mark), goal, *_ratio(each.ready, ""))
    return table


def passages_table(cost: JourneyCost) -> Table:
    """What each scenario used, counted."""
    table = _table("The new-user journey, counted on the embedded cloud")
    table.add_column("scenario")
    for name in ("sent", *_SHORT.values(), "$ per million"):
        table.add_column(name, justify="right")
    for passage in cost.passages:
        table.add_row(passage.scenario, str(passage.messages), *_passage(passage))
    used = summed(cost.parts_per_message().values())
    table.add_section()
    table.add_row("[bold]per message sent[/bold]", "1", *_amounts(used), f"[bold]{1e6 * dollars(used):.2f}")
    return table


def dollars_table(cost: JourneyCost) -> Table:
    """Dollars per million messages, by part of the system and by what is billed: one sum for messages, one for events."""
    table = _table(
        f"Dollars per million messages ({REGION} list prices of {AS_OF}, no free tier)",
        f"{cost.hops} hops for {cost.messages} messages. With a notice of delivery for each message; GB-seconds with assumed "
        "waits; notices and archive in batches, everything else alone.",
    )
    table.add_column("part")
    for name in (*_SHORT.values(), "sum", "goal"):
        table.add_column(name, justify="right")
    bill = cost.bill()
    for title, figure, parts in (
        ("what messages cause", "cost/messages", CAUSED_BY_MESSAGES),
        ("the events around", "cost/events", EVENTS_AROUND),
    ):
        known = {part: bill[part] for part in parts if part in bill}
        for part, used in sorted(known.items(), key=lambda each: -dollars(each[1])):
            goal = f"{GOALS['cost/orchestration'].limit:.2f}" if part == STEPS else ""
            table.add_row(part, *_costs(used), f"{1e6 * dollars(used):.2f}", goal)
        total = summed(known.values())
        goal = f"{GOALS[figure].limit:.2f}"
        table.add_row(f"[bold]{title}[/bold]", *_costs(total), f"[bold]{1e6 * dollars(total):.2f}", goal)
        table.add_section()
    table.add_row("SES itself", *[""] * len(_SHORT), f"{MAILS_OF_SES:.2f}", "")
    return table


def quotas_table(found: Sequence[Headroom]) -> Table:
    """Every quota at each load, the first to break on top."""
    table = _table(
        "Quotas and touches an hour (AWS's defaults of us-east-1, averages over the hour)",
        "At 10:00 the local hour is a burst: pauses of one minute are started at 4,800 a second. Timers are counted as if no "
        "two pauses shared one.",
    )
    for name in ("quota", "limit", "a touch takes", *(f"{load:,}/h" for load in LOADS), "breaks at", "what lifts it"):
        table.add_column(name, justify="left" if name in {"quota", "what lifts it"} else "right")
    for each in found:
        needed = (
            f"[red]{each.needed(load):,.0f}[/red]" if each.share(load) > 1 else f"{each.needed(load):,.0f}"
            for load in LOADS
        )
        breaks = "never" if each.breaks_at is None else f"{each.breaks_at:,.0f}"
        table.add_row(
            each.quota.what, f"{each.quota.limit:,.0f}", f"{each.per_touch:.3f}", *needed, breaks, each.quota.lift
        )
    return table


def _table(title: str, caption: str | None = None) -> Table:
    return Table(title=title, title_justify="left", caption=caption, caption_justify="left")


def _ratio(ratio: Ratio, mark: str) -> Iterator[str]:
    return (f"{mark}{value:.2f}" for value in (ratio.minimum, ratio.median, ratio.processor))


def _passage(passage: Passage) -> list[str]:
    used = passage.usage.total()
    return [*_amounts(used), f"{1e6 * dollars(used):.2f}"]


def _amounts(quantities: Quantities) -> Iterator[str]:
    return (f"{quantities.get(name, 0):,.2f}".removesuffix(".00") for name in _SHORT)


def _costs(quantities: Quantities) -> Iterator[str]:
    prices = ((name, 1e6 * dollars({name: quantities.get(name, 0)})) for name in _SHORT)
    return ("" if abs(cost) < 0.005 else f"{cost:.2f}" for _, cost in prices)
