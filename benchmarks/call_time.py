"""How much processor time a mail's send and a routed event take, of the least that stock boto3 needs for it. Run by ``benchmarks``.

The handlers run in a process of their own on the built layers, the rival in another one, the services on the embedded cloud in a third;
contestants take turns in every round. Only the contestant's own processor time counts, so waiting and the neighbours do not.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from rich.table import Table

from benchmarks.goals import CHANNELS
from local.cloud.local_cloud import LocalCloud
from waypost.authoring.product import PRODUCT

ROUNDS: Final = 40
WARM_UP: Final = 5
"""Rounds before the measured ones: connections, caches, the first look at published files."""

EVENTS: Final[Mapping[str, int]] = {
    "send": 1,
    "bulk": 50,
    "event": 1,
    "batch": 10,
    "batch of one contact": 10,
    **dict.fromkeys(CHANNELS, 1),
}
"""By step, what the time is divided by."""
RIVALS: Final[Mapping[str, str]] = {
    "send": "send",
    "bulk": "send",
    "event": "event",
    "batch": "event",
    "batch of one contact": "event",
    **dict.fromkeys(CHANNELS, "post"),
}
"""By step of ours, the step of the rival."""


SELDOM: Final[Mapping[str, int]] = {"bulk": 4}
"""Steps that take long to prepare, and in every how many rounds they are measured."""

HOP_STEPS: Final = ("take", "park", "close")
"""Steps without a rival: what pause_journey and close_enrolment take, for ``prices.PROCESSOR_MILLISECONDS``."""


@dataclass(frozen=True, slots=True)
class CallTime:
    """Medians in milliseconds of processor time, of ours per mail or event and of the rival, by step.

    ``memory`` is the peak of our process in MB, with the handlers of all steps in it.
    """

    ours: Mapping[str, float]
    stock: Mapping[str, float]
    memory: float

    def ratio(self, step: str) -> float:
        """Ours of the rival's."""
        return self.ours[step] / self.stock[RIVALS[step]]

    def figures(self) -> dict[str, float]:
        """What has a goal."""
        return {f"calls/{step}": self.ratio(step) for step in EVENTS if step != "bulk"} | {
            "calls/bulk": self.ours["send"] / self.ours["bulk"]
        }

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            step: {
                "milliseconds": round(self.ours[step], 3),
                "stock_milliseconds": round(self.stock[RIVALS[step]], 3),
                "ratio": round(self.ratio(step), 3),
            }
            for step in EVENTS
        } | {
            "hop_milliseconds": {step: round(self.ours[step], 3) for step in HOP_STEPS},
            "peak_megabytes": round(self.memory),
        }


def measure(
    folder: Path, *, layers: Path, functions: Path, site_packages: Path, progress: Callable[[str], None]
) -> CallTime:
    """Deploy into ``folder`` and measure. ``layers`` is what stands for /opt/python, ``functions`` has the handlers."""
    with LocalCloud(folder, progress=progress) as cloud:
        variables = _variables(cloud)
        given = {
            "functions": str(functions),
            "table": cloud.access.contacts_table,
            "sender": "hello@waypost.example",
            "providers": cloud.providers.url,
            "samples": {channel: _sample(channel) for channel in CHANNELS},
        }
        progress("sending and routing in turn")
        with (
            _contestant("ours", {**given, "path": [str(layers)]}, variables) as ours,
            _contestant("stock", {**given, "path": [str(site_packages)]}, variables) as stock,
        ):
            taken: dict[str, list[float]] = {step: [] for step in (*EVENTS, *HOP_STEPS)}
            rivals: dict[str, list[float]] = {step: [] for step in dict.fromkeys(RIVALS.values())}
            for number in range(WARM_UP + ROUNDS):
                for step, times in taken.items():
                    if number % SELDOM.get(step, 1):
                        continue
                    times.append(1000 * ours(step) / EVENTS.get(step, 1))
                for step, times in rivals.items():
                    times.append(1000 * stock(step))
            memory = ours("memory")
    return CallTime(ours=_medians(taken), stock=_medians(rivals), memory=memory)


def call_time_table(measured: CallTime) -> Table:
    """Each step beside its rival."""
    table = Table(title="Processor time of a call", title_justify="left")
    for name in ("step", "rival", "ms", "rival's ms", "ratio"):
        table.add_column(name, justify="left" if name in {"step", "rival"} else "right")
    names = {"send": "SendEmail + PutItem", "event": "GetItem + 2 PutItem", "post": "signed POST + 2 PutItem"}
    for step in EVENTS:
        rival = RIVALS[step]
        cells = (f"{measured.ours[step]:.2f}", f"{measured.stock[rival]:.2f}", f"{measured.ratio(step):.2f}")
        table.add_row(step, names[rival], *cells)
    for step in HOP_STEPS:
        table.add_row(step, "", f"{measured.ours[step]:.2f}", "", "")
    table.caption = f"The process with all these handlers took {measured.memory:.0f} MB at most."
    return table


def _sample(channel: str) -> dict[str, Any]:
    """The message of a channel that its contract suite sends."""
    path = PRODUCT / "layers" / "waypost" / "python" / "waypost" / "channels" / channel / "samples" / "message.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    return {step: statistics.median(each[WARM_UP // SELDOM.get(step, 1) :]) for step, each in times.items()}


def _variables(cloud: LocalCloud) -> dict[str, str]:
    """The environment of both functions on the embedded cloud."""
    service = cloud.client("lambda")
    variables: dict[str, str] = {}
    for name in ("route-events", "send-message", "send-deferred", "pause-journey", "close-enrolment"):
        deployed = service.get_function_configuration(FunctionName=f"waypost-{cloud.access.stage}-{name}")
        variables |= deployed.get("Environment", {}).get("Variables", {})
    return {
        **variables,
        **cloud.providers.endpoints,
        "AWS_ENDPOINT_URL": cloud.emulator.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "token" * 60,  # as long as Lambda's
        "AWS_DEFAULT_REGION": "us-east-1",
        "WAYPOST_CLOCK_FILE": str(cloud.clock.path.resolve()),
        "POWERTOOLS_METRICS_NAMESPACE": "Waypost",
        "WAYPOST_LOOPBACK_RECEIVERS": "1",
    }


@contextmanager
def _contestant(which: str, given: Mapping[str, Any], variables: Mapping[str, str]) -> Iterator[Callable[[str], float]]:
    """A process that does a step and says how many seconds of the processor it took."""
    program = Path(__file__).with_name("call_contestant.py")
    command = [sys.executable, "-S", "-I", "-B", str(program), which, json.dumps(given)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(variables), bufsize=1
    ) as process:
        asked, answers = _pipes(process)
        _line(answers, which)

        def step(name: str) -> float:
            asked.write(f"{name}\n")
            return float(_line(answers, which))

        try:
            yield step
        finally:
            asked.close()


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a contestant has no pipes")
    return process.stdin, process.stdout


def _line(answers: IO[str], which: str) -> str:
    line = answers.readline()
    if not line:
        raise RuntimeError(f"the contestant {which} has ended; its error stands above")
    return line
