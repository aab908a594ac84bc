"""How fast a bulk run reads and asks contacts, against the plain use of boto3, and what a whole run costs. Run by ``benchmarks``.

Every contestant is a process of its own that scans the same page from loopback and asks the same rule of everybody on it;
they take turns, and processor time is measured, so that a busy machine slows nobody alone. The rival is a stock boto3
client: ``client.scan``, boto3's own conversion of the items, the same compiled rule.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from rich.table import Table

from benchmarks.bulk_page import NOW, PAGE_BYTES, profiles
from benchmarks.goals import goal_of
from benchmarks.prices import AS_OF, REGION
from infra.project import ROOT
from waypost.audiences.plan_audience import BASE_FOR_CARD, SLICES
from waypost.bulk.costs import SLICE_GB, RunCost
from waypost.bulk.pages import BaseSize

ROUNDS: Final = 15
RIVAL: Final = "boto3"
JUDGED: Final = ("raw", "projected")
"""Contestants whose ratio has a goal."""
CONTESTANTS: Final[Mapping[str, str]] = {
    RIVAL: "client.scan, TypeDeserializer, the rule",
    "boto3-raw": "client.scan, the rule on raw attribute values",
    "raw": "orjson in before-parse, the rule on raw attribute values",
    "projected": "the same with a projection of what the rule reads",
    "audience": "build-audience without a card",
    "audience-drawn": "build-audience, its card of a base drawn by hash",
    "audience-card": "build-audience, its card of everybody",
}

RULE: Final[Mapping[str, Any]] = {
    "all": [
        {"attribute": "gender", "equals": "female"},
        {"attribute": "city", "equals": "上海市"},
        {"attribute": "birthday", "at_least": "1995-01-01"},
        {"tag": "interest-beauty"},
        {"consent": "email"},
        {"attribute": "level", "at_least": 2},
    ]
}

SLICES_AT_ONCE: Final = 10
"""``MaxConcurrency`` of the machine."""

WAIT_MILLISECONDS: Final = 30
"""Of a page, beside the processor time: an assumption for DynamoDB to gather 1 MB and to send it."""

LAMBDA_FACTOR: Final = 1.5
"""How much longer a core of Lambda (Graviton) is assumed to take than the one that measured."""

BASES: Final = (1_000_000, 100_000_000)


@dataclass(frozen=True, slots=True)
class FullRun:
    """A whole run over so many contacts, by the assumptions above."""

    contacts: int
    slices: int
    minutes: float
    read_units: float
    dollars: float


@dataclass(frozen=True, slots=True)
class BulkSpeed:
    """``milliseconds`` of processor time per page by contestant, medians; ``ratios`` to the rival, medians of each round's."""

    contacts_per_page: int
    rounds: int
    milliseconds: Mapping[str, float]
    ratios: Mapping[str, float]
    members: int

    @property
    def bytes_per_contact(self) -> float:
        """As DynamoDB counts them."""
        return PAGE_BYTES / self.contacts_per_page

    @property
    def units_per_contact(self) -> float:
        """Half a unit for 4 KB: the index is read eventually consistent."""
        return PAGE_BYTES / 4096 / 2 / self.contacts_per_page

    def contacts_per_second(self, contestant: str) -> float:
        """Of one core that does nothing else."""
        return self.contacts_per_page / self.milliseconds[contestant] * 1000

    def full_run(self, contacts: int) -> FullRun:
        """A run of build-audience with its card, over a base of this size whose members are few."""
        pages = contacts / self.contacts_per_page
        slices = SLICES.slices(BaseSize(contacts, int(contacts * self.bytes_per_contact)))
        part = min(1.0, BASE_FOR_CARD / contacts)  # of the base is counted for the card
        drawn, counted = self.milliseconds["audience-drawn"], self.milliseconds["audience-card"]
        processor = drawn + part * (counted - drawn)
        page = LAMBDA_FACTOR * processor + WAIT_MILLISECONDS
        cost = RunCost(
            read_units=contacts * self.units_per_contact,
            milliseconds=int(pages * page),
            calls=slices,
            files=2 * slices,
            slices=slices,
        )
        minutes = pages * page / 60_000 / min(slices, SLICES_AT_ONCE)
        return FullRun(contacts, slices, minutes, cost.read_units, cost.dollars)

    def figures(self) -> dict[str, float]:
        """What has a goal."""
        return {f"bulk/{name}": self.ratios[name] for name in JUDGED}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self) | {
            "bytes_per_contact": self.bytes_per_contact,
            "units_per_contact": self.units_per_contact,
            "contacts_per_second": {name: self.contacts_per_second(name) for name in self.milliseconds},
            "full_runs": [asdict(self.full_run(contacts)) for contacts in BASES],
        }


def measure(*, rounds: int = ROUNDS, progress: Callable[[], object] = lambda: None) -> BulkSpeed:
    """Let all contestants take turns. Raises RuntimeError when they do not find the same contacts."""
    with ExitStack() as stack:
        server = stack.enter_context(_Worker(["benchmarks.bulk_page"]))
        port = server.line()
        workers = {name: stack.enter_context(_Worker(["benchmarks.bulk_scan", name, port])) for name in CONTESTANTS}
        found = {name: int(worker.line()) for name, worker in workers.items()}
        if len(set(found.values())) != 1:
            raise RuntimeError(f"the contestants do not agree: {found}")
        times: dict[str, list[float]] = {name: [] for name in workers}
        for _ in range(rounds):
            for name, worker in workers.items():
                times[name].append(float(worker.ask("go")))
            progress()
    return BulkSpeed(
        contacts_per_page=len(profiles()),
        rounds=rounds,
        milliseconds={name: statistics.median(each) * 1000 for name, each in times.items()},
        ratios={
            name: statistics.median(rival / ours for rival, ours in zip(times[RIVAL], each, strict=True))
            for name, each in times.items()
        },
        members=next(iter(found.values())),
    )


class _Worker:
    """A process of this virtual environment that answers lines."""

    def __init__(self, arguments: list[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=10)
        if self._process.stdout:
            self._process.stdout.close()

    def line(self) -> str:
        """The next line it writes. Raises RuntimeError when it has ended."""
        text = self._process.stdout.readline().strip() if self._process.stdout else ""
        if not text:
            raise RuntimeError(f"a contestant ended with {self._process.poll()}")
        return text

    def ask(self, line: str) -> str:
        """Its answer to a line."""
        if self._process.stdin:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        return self.line()


def contest(name: str, port: str) -> None:
    """Be a contestant: write the count once, then for each line the processor time of one page."""
    run = _contestant(name, f"http://127.0.0.1:{port}")
    sys.stdout.write(f"{run()}\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        begun = time.process_time()
        run()
        sys.stdout.write(f"{time.process_time() - begun}\n")
        sys.stdout.flush()


def _contestant(name: str, url: str) -> Callable[[], int]:
    match name:
        case "boto3" | "boto3-raw":
            return _stock(url, raw=name.endswith("raw"))
        case "raw" | "projected":
            return _ours(url, projects=name == "projected")
        case _:
            return _audience(url, base_one_in={"audience": 0, "audience-drawn": 1_000_000}.get(name, 1))


def _stock(url: str, *, raw: bool) -> Callable[[], int]:
    """As it is done without us, or with nothing of ours but the conversion."""
    import boto3
    from boto3.dynamodb.types import TypeDeserializer

    from waypost.aws.profile_view import viewer
    from waypost.contacts.profile import Contact
    from waypost.segments.compile import compile_rule
    from waypost.segments.dependencies import reads
    from waypost.segments.subject import subject_of

    class Numbers(TypeDeserializer):  # type: ignore[misc]
        """As most people use it: a number is an int or a float, not a Decimal."""

        def _deserialize_n(self, value: str) -> int | float:
            return float(value) if "." in value else int(value)

    client = boto3.client("dynamodb", endpoint_url=url, **_NOWHERE)
    holds, deserialize = compile_rule(RULE), Numbers().deserialize
    view = viewer(reads(RULE), now=NOW, default_zone=_ZONE)

    def run() -> int:
        items = client.scan(TableName="contacts-profiles", Segment=0, TotalSegments=1)["Items"]
        if raw:
            return sum(holds(view(item)) for item in items)
        whole = ({name: deserialize(value) for name, value in item.items()} for item in items)
        return sum(holds(subject_of(Contact.from_dict(each), now=NOW, default_zone=_ZONE)) for each in whole)

    return run


def _ours(url: str, *, projects: bool) -> Callable[[], int]:
    """As our adapter does it; without a projection by asking for everything."""
    from waypost.aws.profile_scan import DynamoProfileScan
    from waypost.segments.compile import compile_rule
    from waypost.segments.dependencies import reads

    scan, asked, holds = DynamoProfileScan(_client(url), "contacts"), reads(RULE), compile_rule(RULE)
    view = scan.viewer(asked, now=NOW, default_zone=_ZONE)

    def run() -> int:
        pages = scan.stored(0, 1, reads=asked) if projects else scan.whole(0, 1)
        return sum(holds(view(stored)) for page in pages for stored in page)

    return run


def _audience(url: str, *, base_one_in: int) -> Callable[[], int]:
    """As build_audience_slice does it, everything but the files."""
    from waypost.audiences.build_audience_slice import AudienceWork, ContactReader, NoSink, new_found
    from waypost.audiences.plan_audience import AudiencePlan
    from waypost.aws.profile_scan import DynamoProfileScan
    from waypost.bulk.run_slice import SliceRunner
    from waypost.bulk.state import SliceState
    from waypost.segments.history_lookup import HistoryLookup

    scan = DynamoProfileScan(_client(url), "contacts")
    nothing: Any = None  # no rule here needs the past
    reader = ContactReader(scan=scan, history_lookup=HistoryLookup(history=nothing, enrolments=nothing))
    plan = AudiencePlan(
        audience="bench", run="bench", segment="", rule=RULE, at=NOW, zone=_ZONE.key, slices=1, sample=10, salt="bench",
        base_one_in=base_one_in,
    )  # fmt: skip

    def run() -> int:
        state = SliceState(new_found(plan))
        work = AudienceWork(reader, plan, 0, lambda _: NoSink())
        SliceRunner().run(state, 0, work, remaining=lambda: 900_000, store=lambda: True)
        return state.found.members.contacts

    return run


def _client(url: str) -> Any:
    """The client of a bulk run in a process as Lambda has it."""
    import os

    os.environ.update(AWS_ENDPOINT_URL=url, AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1")
    os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")  # noqa: S106 - opens nothing
    from waypost.aws.clients import bulk_client

    return bulk_client("dynamodb")


_ZONE: Final = ZoneInfo("Asia/Shanghai")
_NOWHERE: Final = {"region_name": "us-east-1", "aws_access_key_id": "none", "aws_secret_access_key": "none"}


def scan_table(speed: BulkSpeed) -> Table:
    """Each contestant's time and ratio."""
    table = Table(
        title=f"A page of 1 MB ({speed.contacts_per_page} contacts), parsed and asked a rule of six conditions",
        title_justify="left",
        caption=f"Processor time of one core, medians of {speed.rounds} rounds; ratio: the median of each round's.",
        caption_justify="left",
    )
    for name in ("how", "ms a page", "contacts/s", "times as fast", "goal"):
        table.add_column(name, justify="left" if name == "how" else "right")
    for name, how in CONTESTANTS.items():
        goal = goal_of(f"bulk/{name}") if name in JUDGED else None
        mark = "[red]" if goal and not goal.reached(speed.ratios[name]) else ""
        figures = (f"{speed.milliseconds[name]:.1f}", f"{speed.contacts_per_second(name):,.0f}")
        table.add_row(how, *figures, f"{mark}{speed.ratios[name]:.1f}", str(goal or ""))
    return table


def runs_table(speed: BulkSpeed) -> Table:
    """What whole runs take."""
    table = Table(
        title=f"build-audience over everybody ({REGION} list prices of {AS_OF}, no free tier)",
        title_justify="left",
        caption=f"{speed.bytes_per_contact:,.0f} bytes and {speed.units_per_contact:.3f} read units a contact. Assumed: "
        f"{SLICES_AT_ONCE} slices at once, {WAIT_MILLISECONDS} ms of waiting a page, Lambda's core ({SLICE_GB:.2f} GB) "
        f"{LAMBDA_FACTOR} times as slow as this one, few members, no events read.",
        caption_justify="left",
    )
    for name in ("contacts", "slices", "minutes", "read units", "$"):
        table.add_column(name, justify="right")
    for contacts in BASES:
        run = speed.full_run(contacts)
        table.add_row(
            f"{contacts:,}", f"{run.slices:,}", f"{run.minutes:,.1f}", f"{run.read_units:,.0f}", f"{run.dollars:,.2f}"
        )
    return table


if __name__ == "__main__":
    contest(sys.argv[1], sys.argv[2])
