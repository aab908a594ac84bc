"""What an entrant of each journey of the library uses and costs on AWS, and how soon a message follows its event. Run by ``benchmarks``.

The scenarios of each journey are rehearsed on one deployment, a journey after the other, each from the same state, behind the counting
proxy. Counted is what the functions do that events, messages and hops call; the sweep, the nightly refresh and the operations belong to
the hour and to the base. Then contacts have an event one after the other, and what passes until their message is with the provider is real time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from rich.table import Table

from benchmarks.counting_proxy import CountingProxy
from benchmarks.journey_cost import CAUSED_BY_MESSAGES, PARTS, Counted, Usage, divided, rounded, summed
from benchmarks.prices import dollars
from benchmarks.rehearsal_time import CORES, spent_on
from local.cloud.local_cloud import LocalCloud
from local.problems import LocalError
from local.rehearsal.journey_scenarios import read_all_scenarios
from local.rehearsal.rehearsal import Rehearsal
from local.rehearsal.scenario_file import ScenarioFile

FIRST_MESSAGE_OF: Final = ("level_reached", {"level": 2, "level_name": "Gold"})
"""The event of ``level-up``, whose first step is its message."""
ROUNDS: Final = 60
LONGEST_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.002
_STARTED: Final = 5
"""Rounds that only warm the functions up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrantCost:
    """What the scenarios of a journey used, of which so many contacts entered it and so many messages went out."""

    journey: str
    entrants: int
    messages: int
    usage: Usage

    def per_entrant(self) -> dict[str, float]:
        """The billed quantities of one entrant."""
        return divided(self.usage.total(), self.entrants)

    @property
    def calls(self) -> float:
        """Calls of services for one entrant."""
        return len(self.usage.calls) / self.entrants

    @property
    def caused(self) -> float:
        """Dollars per million messages of all that messages cause, without the providers' notices."""
        parts = self.usage.parts()
        return 1e6 * dollars(summed(parts.get(part, {}) for part in CAUSED_BY_MESSAGES)) / max(self.messages, 1)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "journey": self.journey,
            "entrants": self.entrants,
            "messages": self.messages,
            "hops": self.usage.hops,
            "per_entrant": rounded(self.per_entrant()),
            "calls_per_entrant": round(self.calls, 1),
            "dollars_per_thousand_entrants": round(1e3 * dollars(self.per_entrant()), 4),
            "caused_by_messages_per_million": round(self.caused, 2),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryCost:
    """Each journey; the processor seconds that rehearsing all of them together took; seconds from events to their messages."""

    journeys: list[EntrantCost]
    scenarios: int
    rehearsed_seconds: float
    until_message: list[float]

    @property
    def minutes(self) -> float:
        """Minutes that the rehearsal of the whole library takes on two cores which do nothing else and are both busy."""
        return self.rehearsed_seconds / CORES / 60

    def seconds_until_message(self, percentile: int) -> float:
        """Seconds from an event to its message, which so many percent keep."""
        return quantiles(self.until_message, n=100, method="inclusive")[percentile - 1]

    def figures(self) -> dict[str, float]:
        """What has a goal."""
        return {"library/rehearsal": self.minutes}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "journeys": [each.to_dict() for each in self.journeys],
            "scenarios": self.scenarios,
            "rehearsed_processor_seconds": round(self.rehearsed_seconds, 1),
            "rehearsed_minutes_on_two_cores": round(self.minutes, 2),
            "seconds_until_message": {
                f"p{percentile}": round(self.seconds_until_message(percentile), 3) for percentile in (50, 95)
            },
        }


def measure(folder: Path, *, progress: Callable[[str], None]) -> LibraryCost:
    """Rehearse every journey and count. ``progress`` gets each step.

    Raises LocalError when a scenario does not turn out as its file says: then the figures would mean nothing.
    """
    files = read_all_scenarios()
    with LocalCloud(folder, progress=progress) as cloud:
        cloud.remember()
        progress("rehearsing the whole library")
        together = _together(cloud, files)
        progress("counting seconds until a message")
        cloud.reset()
        until_message = _until_message(cloud)
        with CountingProxy(cloud.emulator.url) as proxy:
            cloud.reset()
            counted = Counted(cloud, proxy, list(files))
            cloud.remember()
            journeys = []
            for journey, file in files.items():
                progress(f"counting {journey}")
                journeys.append(_entrants(cloud, counted, journey, file))
    return LibraryCost(
        journeys=journeys,
        scenarios=sum(len(file.scenarios) for file in files.values()),
        rehearsed_seconds=together,
        until_message=until_message,
    )


def _together(cloud: LocalCloud, files: dict[str, ScenarioFile]) -> float:
    """The processor seconds of all scenarios on one timeline."""
    cloud.reset(min(file.start for file in files.values()))
    with spent_on(cloud) as spent:
        results = Rehearsal(cloud, files).run()
    _refuse_others(cloud, [each.scenario.name for each in chain(*results.values()) if not each.as_expected])
    return spent().seconds


def _entrants(cloud: LocalCloud, counted: Counted, journey: str, file: ScenarioFile) -> EntrantCost:
    cloud.reset(file.start)
    counted.forget()
    [results] = Rehearsal(cloud, {journey: file}).run().values()
    cloud.time.settle()
    _refuse_others(cloud, [each.scenario.name for each in results if not each.as_expected])
    return EntrantCost(
        journey=journey,
        entrants=sum(bool(each.passages) for each in results),
        messages=sum(decision.outcome == "sent" for each in results for decision in each.decisions),
        usage=_around_journeys(counted.take()),
    )


def _refuse_others(cloud: LocalCloud, wrong: list[str]) -> None:
    if wrong:
        raise LocalError(f"not as expected: {', '.join(wrong)}", f"see {cloud.emulator.log}")


def _around_journeys(usage: Usage) -> Usage:
    """What the functions did that events, messages and hops call."""
    return replace(
        usage,
        invocations={name: count for name, count in usage.invocations.items() if name in PARTS},
        log_bytes={name: size for name, size in usage.log_bytes.items() if name in PARTS},
        calls=[call for call in usage.calls if call.function in PARTS],
    )


def _until_message(cloud: LocalCloud) -> list[float]:
    """Seconds of real time from the call that brings an event until its message is with the provider, contact by contact."""
    event, properties = FIRST_MESSAGE_OF
    cloud.clock.stop_at(cloud.clock.now().replace(hour=4))  # noon in Shanghai: no window holds anything back
    found = []
    for number in range(_STARTED + ROUNDS):
        user, known = f"soon-{number}", {"email": f"soon-{number}@example.com", "consent": {"email": True}}
        cloud.tracking.identify(user, known, at=cloud.clock.now())
        cloud.time.settle()
        before, begun = len(cloud.providers.accepted), time.monotonic()
        cloud.tracking.track(user, event, properties, at=cloud.clock.now())
        while len(cloud.providers.accepted) == before:
            if time.monotonic() - begun > LONGEST_SECONDS:
                raise LocalError(f"no message followed {event}", f"see {cloud.emulator.log}")
            time.sleep(LOOK_SECONDS)
        found.append(time.monotonic() - begun)
        cloud.time.settle()
    return found[_STARTED:]


def library_table(found: LibraryCost) -> Table:
    """A row for each journey, and what rehearsing all of them takes."""
    p50, p95 = (found.seconds_until_message(percentile) for percentile in (50, 95))
    table = Table(
        title=f"The library: {found.scenarios} scenarios rehearsed in {found.minutes:.1f} min of {CORES} quiet cores; "
        f"{p50:.2f} s from event to message (p95 {p95:.2f} s)",
        title_justify="left",
    )
    table.add_column("journey")
    for name in (
        "entrants",
        "messages",
        "hops",
        "calls",
        "read units",
        "write units",
        "$ per 1,000",
        "caused, $ per M messages",
    ):
        table.add_column(name, justify="right")
    for each in found.journeys:
        used = each.per_entrant()
        table.add_row(
            each.journey,
            str(each.entrants),
            f"{each.messages / each.entrants:.2f}",
            f"{each.usage.hops / each.entrants:.2f}",
            f"{each.calls:.1f}",
            f"{used.get('read_units', 0):.1f}",
            f"{used.get('write_units', 0):.1f}",
            f"{1e3 * dollars(used):.4f}",
            f"{each.caused:.2f}",
        )
    return table
