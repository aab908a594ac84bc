"""What a contact of a rehearsal costs in processor time, and whether it costs more in a crowd. Run by ``benchmarks``.

The scenarios of the new-user journey are played by crowds of three sizes, each on an embedded cloud of its own. Counted is the
processor time of this process, the emulator and all workers; what the start of a cloud takes drops out between two sizes.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from infra.project import ROOT
from local.cloud.local_cloud import LocalCloud
from local.problems import LocalError
from local.rehearsal.many_contacts import crowd
from local.rehearsal.rehearsal import Rehearsal
from local.rehearsal.scenario_draws import Draws
from local.rehearsal.scenario_file import ScenarioFile, read_scenarios

JOURNEY: Final = "new-user-nurture"
SIZES: Final = (40, 140, 340)
PROMISED: Final = 5000
"""Contacts that two cores are to rehearse within ten minutes."""
CORES: Final = 2
LOOK_SECONDS: Final = 0.2
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PROCESSES: Final = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Processor seconds of a rehearsal of ``contacts``: of the command, and of the emulator with its workers."""

    contacts: int
    command: float
    emulator: float
    workers: float

    @property
    def seconds(self) -> float:
        """Of all of them."""
        return self.command + self.emulator + self.workers


@dataclass(frozen=True, slots=True)
class RehearsalTime:
    """Crowds of growing sizes."""

    crowds: tuple[Spent, ...]

    def per_contact(self, index: int) -> float:
        """Processor seconds of each contact that crowd ``index`` has more than the one before it."""
        fewer, more = self.crowds[index - 1], self.crowds[index]
        return (more.seconds - fewer.seconds) / (more.contacts - fewer.contacts)

    @property
    def growth(self) -> float:
        """What a contact costs in the largest crowd, over what it costs in the one before it."""
        last = len(self.crowds) - 1
        return self.per_contact(last) / self.per_contact(last - 1)

    @property
    def promised_minutes(self) -> float:
        """Minutes that the promised number takes on two cores which do nothing else and are both busy."""
        first = self.crowds[0]
        seconds = first.seconds + (PROMISED - first.contacts) * self.per_contact(len(self.crowds) - 1)
        return seconds / CORES / 60

    def figures(self) -> dict[str, float]:
        """What has a goal."""
        return {"rehearsal/growth": self.growth}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "crowds": [
                {
                    "contacts": each.contacts,
                    "command_seconds": round(each.command, 2),
                    "emulator_seconds": round(each.emulator, 2),
                    "workers_seconds": round(each.workers, 2),
                }
                for each in self.crowds
            ],
            "growth": round(self.growth, 3),
            "promised_contacts": PROMISED,
            "promised_minutes": round(self.promised_minutes, 1),
        }


def measure(folder: Path, *, progress: Callable[[str], None] = lambda _: None) -> RehearsalTime:
    """Rehearse each crowd. Raises LocalError where there is no ``/proc``, or when a contact does otherwise than expected."""
    if not _PROCESSES.exists():
        raise LocalError("processor time of other processes is read from /proc", "run this on Linux")
    file = read_scenarios(ROOT / "statemachines" / "journeys" / JOURNEY / "scenarios.yaml")
    spent = []
    for contacts in SIZES:
        progress(f"rehearsing {contacts} contacts")
        spent.append(_rehearsed(folder, crowd(file, contacts, Draws.named(JOURNEY))))
    return RehearsalTime(tuple(spent))


def _rehearsed(folder: Path, file: ScenarioFile) -> Spent:
    with LocalCloud(folder, start=file.start) as cloud, spent_on(cloud) as spent:
        [results] = Rehearsal(cloud, {JOURNEY: file}).run().values()
    shutil.rmtree(folder)
    wrong = [result.scenario.name for result in results if not result.as_expected]
    if wrong:
        raise LocalError(
            f"{len(wrong)} contacts did otherwise than expected, such as {wrong[0]!r}", "waypost rehearse shows it"
        )
    return replace(spent(), contacts=len(results))


@contextmanager
def spent_on(cloud: LocalCloud) -> Iterator[Callable[[], Spent]]:
    """A function that gives, after the block, what was spent in it."""
    pid, begun, before = cloud.emulator.pid or 0, time.process_time(), dict(_of_group(cloud.emulator.pid or 0))
    ended: list[float] = []
    with _watched(pid) as seconds:
        yield lambda: Spent(
            contacts=0,
            command=ended[0] - begun,
            emulator=seconds.get(pid, 0.0) - before.get(pid, 0.0),
            workers=sum(each - before.get(process, 0.0) for process, each in seconds.items() if process != pid),
        )
    ended.append(time.process_time())


@contextmanager
def _watched(group: int) -> Iterator[Mapping[int, float]]:
    """Process id → processor seconds of the processes of a group, as last seen; a worker may end before the others."""
    seen: dict[int, float] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            seen.update(_of_group(group))

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield seen
    finally:
        over.set()
        watching.join()
        seen.update(_of_group(group))


def _of_group(group: int) -> Iterator[tuple[int, float]]:
    """Source: proc(5), the fields of ``stat`` behind the name: 3 the group, 12 and 13 the ticks in user and system mode."""
    for folder in _PROCESSES.iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            if int(fields[2]) == group:
                yield int(folder.name), (int(fields[11]) + int(fields[12])) / _TICKS


def rehearsal_table(found: RehearsalTime) -> Table:
    """Each crowd, what a contact more costs, and what that says of the promised number."""
    table = Table(
        title=f"Rehearsals: {PROMISED:,} contacts would take {found.promised_minutes:.1f} min of {CORES} quiet cores"
    )
    for name in ("contacts", "command s", "emulator s", "workers s", "s per contact more"):
        table.add_column(name, justify="right")
    for index, each in enumerate(found.crowds):
        more = f"{found.per_contact(index):.3f}" if index else ""
        table.add_row(f"{each.contacts:,}", f"{each.command:.1f}", f"{each.emulator:.1f}", f"{each.workers:.1f}", more)
    return table
