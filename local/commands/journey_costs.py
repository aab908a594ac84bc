"""``waypost journey cost``: what a journey will use and cost, before it is launched. Added to the commands of ``waypost``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.commands.output import AsJson, print_json
from local.commands.rehearsed_journey import rehearsed_journey
from local.commands.tables import console_for
from local.problems import LocalError

if TYPE_CHECKING:
    from local.forecast.journey_forecast import Bill, Forecast, WayForecast
    from waypost.reports.journey_counts import JourneyCounts

app = typer.Typer()


@app.command()
def cost(
    journey: Annotated[str, typer.Argument(help="The folder of the journey under statemachines/journeys/.")],
    share: Annotated[
        list[str] | None,
        typer.Option(help="The share that takes a branch, by the state it leads to: --share 'Tag the interest=0.3'."),
    ] = None,
    reach: Annotated[
        list[str] | None, typer.Option(help="The share of contacts that a channel reaches: --reach email=0.8.")
    ] = None,
    price: Annotated[
        list[str] | None,
        typer.Option(help="Dollars for a message of a channel (of SMS for a part) by your contract: --price sms=0.01."),
    ] = None,
    rehearsed: Annotated[
        bool,
        typer.Option("--rehearsed", help="Take the shares as the scenarios do, one contact each; takes half a minute."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Forecast executions, messages and dollars of a thousand entrants, by way through the journey."""

    from local.project.journey_forecasts import forecast_of  # noqa: PLC0415 - the language of journeys takes a second to load

    console = console_for(machine=as_json)
    counts = _rehearsed(journey, console) if rehearsed else None
    found = forecast_of(
        journey,
        shares=share or (),
        reach=_numbers(reach, "--reach email=0.8"),
        prices=_numbers(price, "--price sms=0.01"),
        rehearsed=counts,
    )
    if as_json:
        print_json(found.to_dict())
    else:
        _show(console, found)


def _rehearsed(journey: str, console: Console) -> "JourneyCounts":
    """The ways that the contacts of the scenarios took."""
    from local.rehearsal.journey_scenarios import counts_of  # noqa: PLC0415 - it has a cloud of its own

    results = rehearsed_journey(journey)
    if wrong := [each.scenario.name for each in results if not each.as_expected]:
        console.print(
            f"[yellow]not as expected, and counted all the same:[/yellow] {', '.join(wrong)}", highlight=False
        )
    return counts_of(journey, results)


def _numbers(given: Sequence[str] | None, example: str) -> dict[str, str]:
    found = {}
    for text in given or ():
        name, sign, number = text.partition("=")
        if not sign:
            raise LocalError(f"{text!r} gives no number", f"write {example}")
        found[name.strip()] = number.strip()
    return found


def _show(console: Console, found: "Forecast") -> None:
    from local.forecast.journey_forecast import ENTRANTS, MOST_SHOWN  # noqa: PLC0415 - the same

    table = Table(title=f"{found.journey}: {ENTRANTS:,} entrants", title_justify="left", title_style="bold")
    table.add_column("")
    table.add_column("count", justify="right")
    table.add_column("$", justify="right")
    table.add_row("executions, and all else on AWS", _count(found.amounts.executions), _dollars(found.bill.aws))
    for channel, count in found.amounts.messages.items():
        parts = found.amounts.parts[channel]
        shown = _count(count) if parts == count else f"{_count(count)} ({_count(parts)} parts)"
        table.add_row(f"messages by {channel}", shown, _dollars(found.bill.providers[channel]))
    if found.amounts.notices_to_staff:
        table.add_row("notices to staff", _count(found.amounts.notices_to_staff), "")
    table.add_section()
    table.add_row(_sum_of(found.bill), "", _dollars(found.bill.known))
    console.print("", table, "")
    ways = Table(title="By way", title_justify="left", title_style="bold")
    for column in ("of the entrants", "executions", "messages", "$"):
        ways.add_column(column, justify="right")
    ways.add_column("branches")
    for each in found.ways[:MOST_SHOWN]:
        ways.add_row(*_row([each]), Text("\n".join(each.way.branches) or "straight to the end"))
    if others := found.ways[MOST_SHOWN:]:
        ways.add_row(*_row(others), f"{len(others)} other ways")
    console.print(ways, "")
    for branch in found.shares:
        console.print(f"share {branch.share:.1%} ({branch.origin}): {branch.source} → {branch.target}", highlight=False)
    for channel in found.bill.unknown:
        console.print(
            f"[yellow]the price by {channel} is not known[/yellow] ({found.prices[channel].unknown}): --price {channel}=…",
            highlight=False,
        )
    console.print(
        f"list prices of {found.price_list.region}, {found.price_list.as_of}, without free tiers; assumed:",
        highlight=False,
    )
    for assumption in found.assumptions:
        console.print(f"  · {assumption}", highlight=False)
    if found.left_out >= 0.005:
        console.print(f"{found.left_out:.1%} of the entrants take ways too rare to follow; the others stand for them")


def _row(ways: "Sequence[WayForecast]") -> tuple[str, str, str, str]:
    return (
        f"{sum(each.way.share for each in ways):.1%}",
        _count(sum(each.amounts.executions for each in ways)),
        _count(sum(count for each in ways for count in each.amounts.messages.values())),
        _dollars(sum(each.bill.known for each in ways)),
    )


def _sum_of(bill: "Bill") -> str:
    return f"sum without what {', '.join(bill.unknown)} costs" if bill.unknown else "sum"


def _count(count: float) -> str:
    return f"{count:,.0f}"


def _dollars(amount: float | None) -> str:
    return "not known" if amount is None else f"{amount:,.4f}"
