"""How many touches an hour each quota carries, from the calls that ``journey_cost`` counted in the same run. Run by ``benchmarks``.

A touch is a message that goes out, with the notice about it and the events around it. Quotas are AWS's defaults of us-east-1
and our own choices; rates are averages over the hour.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.journey_cost import JourneyCost, Usage, divided, summed
from infra.deployment import Deployment
from waypost.journeys.ports import SHARDS

LOADS: Final = (100_000, 1_000_000, 10_000_000)
"""Touches an hour."""
_HOUR: Final = 3600
_SFN: Final = "Step Functions, Service quotas"
_SCHEDULER: Final = "EventBridge Scheduler, Quotas"
_DYNAMODB: Final = "DynamoDB, On-demand capacity, and Service quotas"
_LAMBDA: Final = "Lambda, Quotas"
_OURS: Final = "our own choice, docs/operating.md"
FARTHEST_PAUSE: Final = 30 * 24 * 60
"""Minutes; schedules are shared by minute and shard, so that no more are open than these times the shards."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit of ``what`` (by the second, or at a time); ``source`` is the page that says it, ``lift`` what raises it."""

    what: str
    limit: float
    source: str
    lift: str


QUOTAS: Final[Mapping[str, Quota]] = {
    "express_starts": Quota("StartExecution of Express machines a second", 6_000, _SFN, "ask AWS; then cells"),
    "standard_starts": Quota("StartExecution of Standard machines a second", 300, _SFN, "no message starts one"),
    "open_executions": Quota("open Standard executions", 1_000_000, _SFN, "no contact waits in one"),
    "transitions": Quota("state transitions of Standard machines a second", 5_000, _SFN, "Express has none"),
    "task_answers": Quota("SendTaskSuccess and SendTaskFailure a second", 500, _SFN, "there are no tokens"),
    "schedules_created": Quota("CreateSchedule a second", 5_000, _SCHEDULER, "ask AWS; then cells"),
    "schedules_fired": Quota("schedules fired a second", 1_000, _SCHEDULER, "ask AWS; timers share 16 a minute"),
    "schedules_open": Quota("schedules", 10_000_000, _SCHEDULER, "ask AWS; timers are 16 a minute"),
    "bus_events": Quota(
        "entries of PutEvents a second", 10_000, "EventBridge, Quotas", "ask AWS; name fewer in bus.yaml"
    ),
    "readers": Quota("batches of events routed at a time", Deployment.readers, _OURS, "context readers, up to 1,000"),
    "concurrency": Quota("invocations of functions at a time", 1_000, _LAMBDA, "ask AWS; then cells"),
    "api_throttle": Quota(
        "requests that the API lets in a second", Deployment.requests_per_second, _OURS, "context requests_per_second"
    ),
    "api_requests": Quota("requests of HTTP APIs a second", 10_000, "API Gateway, Quotas", "ask AWS; batch calls"),
    "new_table_writes": Quota(
        "write units a second of a new table", 4_000, _DYNAMODB, "warm throughput, before the load"
    ),
    "new_table_reads": Quota(
        "read units a second of a new table", 12_000, _DYNAMODB, "warm throughput, before the load"
    ),
    "table_writes": Quota("write units a second of a table", 40_000, _DYNAMODB, "ask AWS; then cells"),
    "table_reads": Quota("read units a second of a table", 40_000, _DYNAMODB, "ask AWS; then cells"),
    "due_shard_writes": Quota(
        "write units a second of one shard of the index due", 1_000, _DYNAMODB, "more shards (journeys/ports.py)"
    ),
    "mails": Quota(
        "mails a second", 14, "SES, Sending quotas (production access, first days)", "ask SES; it grows by use"
    ),
}
"""The default quotas, by the name of what is counted against them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """What one touch takes of a quota. ``fixed`` is what is needed however many touches there are.

    ``per_touch`` is by touch of what the quota limits: calls, or seconds of something that runs.
    """

    name: str
    quota: Quota
    per_touch: float
    fixed: float = 0.0

    def needed(self, touches_an_hour: float) -> float:
        """What this load takes: a rate by the second, or a number at a time (arrivals a second × seconds each)."""
        return self.fixed + self.per_touch * touches_an_hour / _HOUR

    def share(self, touches_an_hour: float) -> float:
        """Of the quota; above 1 it breaks."""
        return self.needed(touches_an_hour) / self.quota.limit

    @property
    def breaks_at(self) -> float | None:
        """Touches an hour up to which the quota holds; None where no load reaches it."""
        if self.per_touch <= 0:
            return None
        return max(0.0, self.quota.limit - self.fixed) * _HOUR / self.per_touch

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "what": self.quota.what,
            "limit": self.quota.limit,
            "source": self.quota.source,
            "per_touch": round(self.per_touch, 4),
            "breaks_at": None if self.breaks_at is None else round(self.breaks_at),
            "lift": self.quota.lift,
            **{f"{load}_an_hour": round(self.needed(load), 2) for load in LOADS},
        }


def arithmetic(per_touch: Mapping[str, float]) -> list[Headroom]:
    """Every quota with what a touch takes of it, the first to break first. Raises KeyError for what was not counted."""
    fixed = {"schedules_open": float(SHARDS * FARTHEST_PAUSE)}
    found = [
        Headroom(name=name, quota=quota, per_touch=per_touch[name], fixed=fixed.get(name, 0.0))
        for name, quota in QUOTAS.items()
    ]
    return sorted(found, key=lambda each: float("inf") if each.breaks_at is None else each.breaks_at)


def per_touch(cost: JourneyCost) -> dict[str, float]:
    """What one touch takes of each quota: the passages through the journey, and a notice about each message.

    A timer is counted as if no other pause shared it. What the journeys' former Standard machines took is nothing.
    """
    usages = [passage.usage for passage in cost.enrolled]
    quantities = summed([*cost.parts_per_message().values(), cost.per_notice()])
    seconds = divided(summed(usage.seconds() for usage in usages), cost.messages)
    noticed = cost.noticed.usage.in_batches(cost.notices).seconds().get("record_delivery", 0.0) / max(cost.notices, 1)
    created = _calls(usages, "scheduler", "CreateSchedule") / cost.messages
    notes = sum(call.notes for usage in usages for call in usage.calls) / cost.messages
    return {
        "express_starts": quantities["machine_requests"],
        "standard_starts": 0.0,
        "open_executions": 0.0,
        "transitions": 0.0,
        "task_answers": 0.0,
        "schedules_created": created,
        "schedules_fired": created,
        "schedules_open": 0.0,
        "bus_events": quantities.get("bus_events", 0.0),
        "readers": seconds.get("route_events", 0.0),
        "concurrency": sum(seconds.values()) + noticed,
        "api_throttle": quantities.get("api_requests", 0.0),
        "api_requests": quantities.get("api_requests", 0.0),
        "new_table_writes": quantities["write_units"],
        "new_table_reads": quantities["read_units"],
        "table_writes": quantities["write_units"],
        "table_reads": quantities["read_units"],
        "due_shard_writes": notes / SHARDS,
        "mails": 1.0,
    }


def first_to_break(found: Sequence[Headroom], touches_an_hour: float) -> list[Headroom]:
    """The quotas that this load breaks, the tightest first."""
    return [each for each in found if each.share(touches_an_hour) > 1]


def _calls(usages: Iterable[Usage], service: str, operation: str) -> int:
    return sum((call.service, call.operation) == (service, operation) for usage in usages for call in usage.calls)
