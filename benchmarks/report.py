"""The figures as tables. Used by the command."""

from collections.abc import Iterator

from rich.table import Table

from benchmarks.import_time import RIVAL, ImportTimes, Ratio
from benchmarks.journey_cost import ORCHESTRATION_GOAL, JourneyCost, Passage, summed
from benchmarks.prices import AS_OF, EMAILS, GB_SECONDS, PRICES, REGION, Quantities, dollars

_SHORT = {
    "machine_requests": "hops",
    "write_units": "write units",
    "read_units": "read units",
    "function_requests": "invocations",
    "schedules_fired": "schedules",
    "bus_events": "bus events",
    "queue_requests": "queue requests",
    "log_bytes": "log bytes",
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
    """Dollars per million messages, by part of the system and by what is billed."""
    table = _table(
        f"Dollars per million messages ({REGION} list prices of {AS_OF}, no free tier)",
        f"{cost.hops} hops for {cost.messages} messages: ${cost.orchestration():.2f} of executions per million messages, "
        f"where at most ${ORCHESTRATION_GOAL:.2f} is the goal.",
    )
    table.add_column("part")
    for name in (*_SHORT.values(), "sum"):
        table.add_column(name, justify="right")
    parts = cost.parts_per_message()
    for part, used in sorted(parts.items(), key=lambda each: -dollars(each[1])):
        table.add_row(part, *_costs(used), f"{1e6 * dollars(used):.2f}")
    table.add_section()
    total = summed(parts.values())
    table.add_row("[bold]counted[/bold]", *_costs(total), f"[bold]{1e6 * dollars(total):.2f}")
    table.add_section()
    empty = [""] * len(_SHORT)
    memory_time = GB_SECONDS.per_million * cost.memory_time_per_message()
    table.add_row("estimated: Lambda memory time", *empty, f"{memory_time:.2f}")
    notice = cost.per_notice()
    table.add_row("a provider's notice (SES: two a mail)", *_costs(notice), f"{1e6 * dollars(notice):.2f}")
    table.add_row("SES itself", *empty, f"{EMAILS.per_million:.2f}")
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
    prices = ((name, 1e6 * dollars({name: quantities.get(name, 0)})) for name in PRICES)
    return ("" if abs(cost) < 0.005 else f"{cost:.2f}" for _, cost in prices)
