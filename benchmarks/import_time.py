"""How long each handler takes to start, as a ratio to ``import boto3`` plus one DynamoDB client. Run by ``benchmarks``.

Every round starts one fresh process per handler and one for the rival, in turn, so that a machine that slows down slows
both. The rival is the stock boto3 of the virtual environment with its bytecode, as a Lambda runtime brings it.

Two moments of a start are taken: the handler is imported; and it is ready for its first event, which includes the
published journeys, everything its cached factories wire, and the clients that a usual first event calls.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.goals import Goal, goal_of

RIVAL: Final = "import boto3 + one DynamoDB client"

FIRST_CALLS: Final[Mapping[str, tuple[str, ...]]] = {
    "answer_task": ("dynamodb", "scheduler", "secretsmanager", "sqs"),
    "archive_events": ("s3",),
    "ask_task_results": ("dynamodb", "scheduler", "sqs"),
    "assign_task": ("dynamodb", "scheduler", "secretsmanager", "sesv2", "sqs"),
    "build_audience_slice": ("dynamodb", "s3"),
    "change_policy": ("dynamodb",),
    "close_enrolment": ("dynamodb", "sqs"),
    "call_webhook": ("dynamodb", "secretsmanager"),
    "count_purchases": ("dynamodb", "s3"),
    "decide_approval": ("dynamodb", "s3", "secretsmanager"),
    "control_journey": ("dynamodb",),
    "deliver_event": ("dynamodb", "secretsmanager"),
    "evaluate_segment": ("dynamodb",),
    "explain_contact": ("dynamodb", "s3"),
    "export_slice": ("dynamodb", "s3"),
    "finish_export": ("s3",),
    "finish_import": ("s3",),
    "follow_link": ("dynamodb", "secretsmanager", "sqs"),
    "gather_audience": ("s3",),
    "import_part": ("dynamodb", "s3"),
    "inspect_import": ("s3",),
    "import_coupons": ("dynamodb", "s3"),
    "import_staff": ("dynamodb", "events", "s3"),
    "issue_coupon": ("dynamodb", "sqs"),
    "leave_list": ("dynamodb", "s3"),
    "make_codes": ("dynamodb", "s3", "secretsmanager"),
    "sync_person": ("dynamodb", "secretsmanager", "sqs"),
    "sync_staff": ("dynamodb", "events", "secretsmanager"),
    "show_customers": ("dynamodb", "s3", "secretsmanager"),
    "merge_contacts": ("dynamodb", "sqs"),
    "notify_staff": ("dynamodb", "secretsmanager", "sesv2"),
    "pause_journey": ("dynamodb", "scheduler"),
    "lift_suppression": ("dynamodb", "sqs"),
    "mark_test_contact": ("dynamodb", "sqs"),
    "plan_audience": ("dynamodb", "s3"),
    "plan_export": ("dynamodb", "s3"),
    "plan_refresh": ("dynamodb",),
    "preview_segment": ("dynamodb", "s3"),
    "rank_customers": ("s3",),
    "relate_products": ("dynamodb", "s3"),
    "notify_watchers": ("dynamodb", "sqs"),
    "update_products": ("dynamodb", "s3"),
    "receive_callback": ("secretsmanager", "sqs"),
    "receive_webhook": ("secretsmanager", "sqs"),
    "reconcile_import": ("dynamodb", "s3"),
    "record_delivery": ("sqs",),
    "refresh_contacts": ("dynamodb", "s3"),
    "rescore_engagement": ("dynamodb", "s3"),
    "ask_for_approval": ("dynamodb", "secretsmanager", "sesv2"),
    "resume_journey": ("dynamodb", "stepfunctions"),
    "route_events": ("dynamodb", "events", "sqs", "stepfunctions"),
    "send_message": ("dynamodb", "secretsmanager", "sesv2"),
    "send_deferred": ("dynamodb", "secretsmanager", "sesv2"),
    "publish_message": ("dynamodb", "s3", "secretsmanager", "sesv2"),
    "send_test": ("dynamodb", "secretsmanager", "sesv2"),
    "serve_inbox": ("dynamodb", "secretsmanager", "sqs"),
    "serve_page": ("dynamodb", "secretsmanager", "sqs"),
    "show_contact": ("dynamodb", "s3"),
    "show_task_results": ("dynamodb",),
    "split_import": ("s3",),
    "start_journey": ("dynamodb", "sqs"),
    "start_other_journey": ("dynamodb", "sqs"),
    "spread_event": ("dynamodb", "sqs"),
    "stop_journey": ("dynamodb", "sqs"),
    "stop_other_journey": ("dynamodb", "sqs"),
    "sweep_journeys": ("dynamodb",),
    "unsubscribe_contact": ("secretsmanager", "sqs"),
    "update_contact": ("dynamodb", "sqs"),
}
"""The services that a usual first event calls: an event that starts a journey, a pause that has to wait, a mail.

The count of calls on the embedded cloud (``journey_cost``) shows the same; a function that is not here calls DynamoDB.
"""

_TIMED = """
import json, sys, time
sys.path[:0] = {path!r}
def clocks():
    return time.perf_counter(), time.process_time()
started = clocks()
{imported}
imported = clocks()
{ready}
ready = clocks()
print(json.dumps([[end - begin for begin, end in zip(started, moment)] for moment in (imported, ready)]))
"""
_RIVAL = "import boto3; boto3.client('dynamodb')"
_READY = """
import inspect, re
for name in re.findall(r"wiring\\.(\\w+)\\(\\)", open(handler.__file__).read()):
    getattr(handler.wiring, name)()
for factory in [each for each in vars(handler).values() if hasattr(each, "cache_clear")]:
    if not inspect.signature(factory).parameters:
        factory()
from waypost.aws.clients import client
for service in {services!r}:
    client(service).meta
"""
_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "POWERTOOLS_METRICS_NAMESPACE": "Waypost",
}


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds of one start: by the clock on the wall, and of the processor."""

    wall: float
    processor: float


@dataclass(slots=True)
class Starts:
    """The starts of one program, a pair per round: until it was imported, and until it was ready."""

    imported: list[Start] = field(default_factory=list)
    ready: list[Start] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A program's seconds over the rival's.

    ``minimum`` is the ratio of the minima, ``median`` the median of the ratios of each round (both ran within seconds of
    each other), ``processor`` the same of processor time, which other programs on the machine do not lengthen.
    """

    minimum: float
    median: float
    processor: float

    @classmethod
    def of(cls, starts: list[Start], rival: list[Start]) -> "Ratio":
        """The ratio of two series of the same rounds."""
        return cls(
            minimum=min(start.wall for start in starts) / min(start.wall for start in rival),
            median=statistics.median(ours.wall / theirs.wall for ours, theirs in zip(starts, rival, strict=True)),
            processor=statistics.median(
                ours.processor / theirs.processor for ours, theirs in zip(starts, rival, strict=True)
            ),
        )

    def to_dict(self) -> dict[str, float]:
        """The JSON form."""
        return {
            "ratio_of_minima": round(self.minimum, 3),
            "median_ratio": round(self.median, 3),
            "median_ratio_of_processor_time": round(self.processor, 3),
        }


@dataclass(frozen=True, slots=True)
class ImportTime:
    """A handler's ratios to the rival until it is imported and until it is ready."""

    handler: str
    imported: Ratio
    ready: Ratio

    @property
    def goal(self) -> Goal:
        """What is aimed at for the import, by processor time: a busy machine does not change the verdict."""
        return goal_of(f"start/{self.handler}")

    @property
    def reached(self) -> bool:
        """Whether the import is within the goal."""
        return self.goal.reached(self.imported.processor)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "handler": self.handler,
            **self.imported.to_dict(),
            "goal": self.goal.limit,
            "reached": self.reached,
            "with_first_wiring": self.ready.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class ImportTimes:
    """All handlers, and the rival's own time in milliseconds (minimum and median)."""

    rounds: int
    rival_minimum: float
    rival_median: float
    handlers: list[ImportTime]

    def figures(self) -> dict[str, float]:
        """What has a goal."""
        return {f"start/{each.handler}": each.imported.processor for each in self.handlers}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "rival": RIVAL,
            "rounds": self.rounds,
            "rival_milliseconds": {"minimum": round(self.rival_minimum, 1), "median": round(self.rival_median, 1)},
            "handlers": [handler.to_dict() for handler in self.handlers],
        }


def measure(
    functions: Mapping[str, Path], *, layers: Path, site_packages: Path, rounds: int, progress: Callable[[], None]
) -> ImportTimes:
    """Start every function ``rounds`` times. ``functions`` are their folders, ``layers`` is what stands for /opt/python.

    ``progress`` is called after every round.
    """
    programs = {RIVAL: _TIMED.format(path=[str(site_packages)], imported=_RIVAL, ready="")}
    for name, folder in functions.items():
        programs[name] = _TIMED.format(
            path=[str(folder), str(layers)],
            imported="import handler",
            ready=_READY.format(services=FIRST_CALLS.get(name, ("dynamodb",))),
        )
    for program in programs.values():
        _run(program)  # warms the file cache
    starts = {name: Starts() for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            imported, ready = _run(program)
            starts[name].imported.append(imported)
            starts[name].ready.append(ready)
        progress()
    return summarize(starts, rounds=rounds)


def summarize(starts: Mapping[str, Starts], *, rounds: int) -> ImportTimes:
    """The ratios of every program but the rival to the rival."""
    rival = starts[RIVAL].imported
    return ImportTimes(
        rounds=rounds,
        rival_minimum=1000 * min(start.wall for start in rival),
        rival_median=1000 * statistics.median(start.wall for start in rival),
        handlers=[
            ImportTime(
                handler=name,
                imported=Ratio.of(taken.imported, rival),
                ready=Ratio.of(taken.ready, rival),
            )
            for name, taken in starts.items()
            if name != RIVAL
        ],
    )


def _run(program: str) -> tuple[Start, Start]:
    """A fresh process that sees neither site-packages nor the environment, and writes no bytecode."""
    answer = subprocess.run(
        [sys.executable, "-S", "-I", "-B", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=dict(_ENVIRONMENT),
    )
    if answer.returncode:
        raise RuntimeError(f"a handler does not start:\n{answer.stderr[-2000:]}")
    imported, ready = json.loads(answer.stdout)
    return Start(*imported), Start(*ready)
