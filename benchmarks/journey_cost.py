"""What a journey uses and costs on AWS, counted on the embedded cloud. Run by ``benchmarks``.

Every scenario of the journey is rehearsed alone, one after the other on the same deployment, with a counting proxy
between the functions and the services. The hourly sweep is counted once by itself; then it and the nightly refresh are
switched off, because their cost belongs to the hour and to the base, and not to a message.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.counting_proxy import Call, CountingProxy, operations
from benchmarks.prices import (
    AS_OF,
    MAILS_OF_SES,
    PRICES,
    PROCESSOR_MILLISECONDS,
    PROVIDER_MILLISECONDS,
    REGION,
    Quantities,
    dollars,
    processor_seconds,
    wait_seconds,
)
from infra.deployment import Deployment
from infra.project import ROOT
from local.cloud.local_cloud import LocalCloud
from local.problems import LocalError
from local.rehearsal.rehearsal import Rehearsal
from local.rehearsal.scenario_file import Scenario, ScenarioFile, read_scenarios
from waypost import ids
from waypost.aws.contacts import DynamoContactItems
from waypost.reports.timeline import decisions

JOURNEY: Final = "new-user-nurture"
BETWEEN: Final = timedelta(days=60)
"""From the start of one rehearsal to the next: every journey that the contact entered is over a day before."""

NOTICES_IN_A_BATCH: Final = 50
"""28 notices a second, those of 100,000 mails an hour, gathered for ten seconds by the five pollers that Lambda begins with."""
PAUSES_IN_A_TIMER: Final = 100
"""Pauses that a timer ends: at 100,000 messages an hour, about as many Pauses end by time, and 16 timers fire in a minute."""
EVENTS_IN_AN_OBJECT: Final = 250
"""The archive is called with a shard's events of a minute, 1,000 at most, and writes an object for each class and day of them."""
PAST_JOURNEYS: Final = 100
PLATFORM_LINES: Final = ("START ", "END ", "REPORT ")
TRACE_RATE: Final = Deployment.trace_rate
"""The share of executions whose trace is recorded, with what their functions do; nothing else is traced."""
TASKS: Final = (
    "close_enrolment",
    "evaluate_segment",
    "issue_coupon",
    "pause_journey",
    "send_message",
    "update_contact",
)
"""The functions that a hop calls one after the other: it runs for as long as they do, and ``CALLED`` more for each."""
CALLED: Final = 0.01
"""Seconds between two tasks of an execution, an assumption: entering the state, calling the function, taking its answer."""
SIDE_BY_SIDE: Final = frozenset({"archive_events", "resume_journey"})
"""Functions whose many contacts are waited for at the same time, in threads: only their processor time adds up."""
ROUNDED_UP: Final = 0.05
"""Seconds that the rounding to full 100 ms adds to a hop, on average. Source: https://aws.amazon.com/step-functions/pricing/"""
SWEEP_OF_A_NOTE: Final[Quantities] = {"read_units": 0.52}
"""What the hourly sweep reads of each enrolment that was noted as due: its row, eventually consistent, and its share of a query's page."""
HOP_GB: Final = 64 / 1024
"""The least memory that an Express execution is billed for. Source: https://aws.amazon.com/step-functions/pricing/"""

DEFAULT_MEMORY_MB: Final = 512
"""Of a function whose memory was not looked up (``function.yaml`` where it says nothing)."""

PARTS: Final[Mapping[str, str]] = {
    "receive_callback": "notices",
    "receive_webhook": "events",
    "unsubscribe_contact": "events",
    "follow_link": "events",
    "serve_inbox": "events",
    "serve_page": "events",
    "route_events": "events",
    "record_delivery": "notices",
    "send_deferred": "sends",
    "send_message": "sends",
    "pause_journey": "pauses",
    "resume_journey": "pauses",
    "update_contact": "updates",
    "evaluate_segment": "updates",
    "issue_coupon": "updates",
    "close_enrolment": "closing",
    "archive_events": "archive",
}
STEPS: Final = "hops"
TRACES: Final = "traces"
CAUSED_BY_MESSAGES: Final = (STEPS, "sends", "pauses", "updates", "closing", "notices", TRACES)
"""The parts that are there because of messages; SES's own price is not among them."""
EVENTS_AROUND: Final = ("events", "archive")
"""The parts that take, route and keep events: those from outside, and our own about journeys, segments and the life cycle."""

_SHARED_BY: Final[Mapping[str, int]] = {"archive_events": EVENTS_IN_AN_OBJECT, "resume_journey": PAUSES_IN_A_TIMER}
"""Of how many things a call takes care under load, that takes care of one in a rehearsal."""

_ENDPOINTS: Final[Mapping[str, str]] = {
    "dynamodb": "AWS_ENDPOINT_URL_DYNAMODB",
    "eventbridge": "AWS_ENDPOINT_URL_EVENTBRIDGE",
    "scheduler": "AWS_ENDPOINT_URL_SCHEDULER",
    "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "sfn": "AWS_ENDPOINT_URL_SFN",
    "sqs": "AWS_ENDPOINT_URL_SQS",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What happened in one stretch of time: hops (executions), and by function invocations, bytes logged, calls, and memory."""

    hops: int = 0
    invocations: Mapping[str, float] = field(default_factory=dict)
    log_bytes: Mapping[str, float] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    memory_mb: Mapping[str, int] = field(default_factory=dict)

    def parts(self) -> dict[str, dict[str, float]]:
        """The billed quantities by part of the system."""
        used: dict[str, list[Quantities]] = {STEPS: [self._of_hops()]}
        for function, count in self.invocations.items():
            used.setdefault(_part(function), []).append(_of_invocations(function, count))
        for function, seconds in self.seconds().items():
            memory_gb = self.memory_mb.get(function, DEFAULT_MEMORY_MB) / 1024
            used.setdefault(_part(function), []).append({"function_gb_seconds": memory_gb * seconds})
        used[TRACES] = [{"traces": TRACE_RATE * self.hops}]
        for function, size in self.log_bytes.items():
            used.setdefault(_part(function), []).append({"log_bytes": size / _SHARED_BY.get(function, 1)})
        for call in self.calls:
            used.setdefault(_part(call.function), []).append(_of_call(call))
            used.setdefault("pauses", []).extend([SWEEP_OF_A_NOTE] * call.notes)
        return {part: summed(quantities) for part, quantities in used.items()}

    def seconds(self) -> dict[str, float]:
        """How long the invocations of each function run: they compute, and wait for each of the calls that were counted."""
        running = {
            function: processor_seconds(function, self.memory_mb.get(function, DEFAULT_MEMORY_MB)) * count
            for function, count in self.invocations.items()
            if function in PROCESSOR_MILLISECONDS
        }
        if "pause_journey" in running:  # asked once as each hop begins
            takes, memory_mb = (
                min(self.hops, self.invocations["pause_journey"]),
                self.memory_mb.get("pause_journey", DEFAULT_MEMORY_MB),
            )
            parking = processor_seconds("pause_journey", memory_mb)
            running["pause_journey"] -= takes * (
                parking - processor_seconds("pause_journey as a hop begins", memory_mb)
            )
        if "resume_journey" in running:  # ends a journey where nothing is left to do, as close_enrolment would
            ends = sum((call.function, call.operation) == ("resume_journey", "DeleteItem") for call in self.calls)
            memory_mb = self.memory_mb.get("resume_journey", DEFAULT_MEMORY_MB)
            running["resume_journey"] += ends * processor_seconds("close_enrolment", memory_mb)
        running["archive_events"] = running.get("archive_events", 0.0) / EVENTS_IN_AN_OBJECT
        for call in self.calls:
            if call.function in running and call.function not in SIDE_BY_SIDE:
                running[call.function] += wait_seconds(call.service, call.operation)
        for sender in {"send_deferred", "send_message"} & running.keys():
            running[sender] += PROVIDER_MILLISECONDS / 1000 * self.invocations[sender]
        return {function: seconds for function, seconds in running.items() if seconds}

    def _of_hops(self) -> Quantities:
        """An execution of an Express machine is one request, and its memory for as long as it runs."""
        if not self.hops:
            return {"machine_requests": 0, "machine_gb_seconds": 0.0}
        seconds = self.seconds()
        tasks = sum(seconds.get(name, 0.0) + CALLED * self.invocations.get(name, 0) for name in TASKS)
        return {"machine_requests": self.hops, "machine_gb_seconds": HOP_GB * (tasks + ROUNDED_UP * self.hops)}

    def in_batches(self, notices: int) -> "Usage":
        """The same where so many notices came ``NOTICES_IN_A_BATCH`` at a time instead of as they came in a rehearsal."""
        function = "record_delivery"
        share = notices / NOTICES_IN_A_BATCH / max(self.invocations.get(function, 0), 1)

        def shared(counts: Mapping[str, float]) -> dict[str, float]:
            return {name: count * share if name == function else count for name, count in counts.items()}

        return replace(self, invocations=shared(self.invocations), log_bytes=shared(self.log_bytes))

    def total(self) -> dict[str, float]:
        """The billed quantities of everything."""
        return summed(self.parts().values())

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "quantities": rounded(self.total()),
            "parts": {part: rounded(used) for part, used in sorted(self.parts().items())},
            "invocations": dict(sorted(self.invocations.items())),
            "calls": {" ".join(name): count for name, count in sorted(operations(self.calls).items())},
            "dollars_per_million": round(1e6 * dollars(self.total()), 2),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One scenario: how it ended, the messages that went out by channel, and what it used.

    ``others`` are the other journeys that sent its contact messages, with how many: what they cost is in ``usage``, and so
    their messages are in ``sent``.
    """

    scenario: str
    ends: str
    sent: Mapping[str, int]
    usage: Usage
    others: Mapping[str, int] = field(default_factory=dict)

    @property
    def messages(self) -> int:
        """Messages that went out."""
        return sum(self.sent.values())

    @property
    def enrolled(self) -> bool:
        """Whether the contact entered the journey."""
        return self.ends != "none"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        what_happened = {
            "scenario": self.scenario,
            "ends": self.ends,
            "sent": dict(self.sent),
            "others": dict(self.others),
        }
        return {**what_happened, **self.usage.to_dict()}


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyCost:
    """All passages; ``notices`` is what the providers' notices about one passage's messages add; ``sweep`` is one sweep.

    ``growth`` is what an event writes and reads of a contact with ``PAST_JOURNEYS`` behind, of the same contact with none.
    """

    passages: list[Passage]
    noticed: Passage
    notices: int
    sweep: Usage
    growth: float = 1.0

    @property
    def enrolled(self) -> list[Passage]:
        """The passages through the journey: what the figures per journey and per message are made of."""
        return [passage for passage in self.passages if passage.enrolled]

    @property
    def messages(self) -> int:
        """Messages that went out in all passages."""
        return sum(passage.messages for passage in self.enrolled)

    def parts_per_message(self) -> dict[str, dict[str, float]]:
        """The billed quantities per message that went out, by part."""
        names = sorted({part for passage in self.enrolled for part in passage.usage.parts()})
        return {
            part: divided(summed(passage.usage.parts().get(part, {}) for passage in self.enrolled), self.messages)
            for part in names
        }

    def per_notice(self) -> dict[str, float]:
        """The billed quantities of one notice of a provider, in a batch as under load.

        Of a notice that becomes an event, also what that costs: the events of a passage with notices less those without.
        """
        usage = self.noticed.usage.in_batches(self.notices)
        used: list[Quantities] = [
            usage.parts().get("notices", {}),
            {"standard_queue_requests": self.notices},
        ]  # EventBridge puts each into the queue
        if any((call.function, call.service) == ("record_delivery", "sqs") for call in usage.calls):
            [plain] = [passage for passage in self.passages if passage.scenario == self.noticed.scenario]
            without = plain.usage.parts().get("events", {})
            used.append({name: amount - without.get(name, 0.0) for name, amount in usage.parts()["events"].items()})
        return divided(summed(used), self.notices)

    @property
    def hops(self) -> int:
        """The hops these passages took."""
        return sum(passage.usage.hops for passage in self.enrolled)

    def orchestration(self) -> float:
        """Dollars per million messages for the executions of the machine."""
        return 1e6 * dollars(self.parts_per_message()[STEPS])

    def bill(self) -> dict[str, dict[str, float]]:
        """Everything per message, by part, with a provider's notice about each; the provider's own price is not in it."""
        parts = self.parts_per_message()
        return {**parts, "notices": summed([parts.get("notices", {}), self.per_notice()])}

    def caused_by_messages(self) -> float:
        """Dollars per million messages, of all that is there because of messages."""
        return self._sum_of(CAUSED_BY_MESSAGES)

    def events_around(self) -> float:
        """Dollars per million messages, of the events before, between and after them."""
        return self._sum_of(EVENTS_AROUND)

    def _sum_of(self, parts: Iterable[str]) -> float:
        bill = self.bill()
        return 1e6 * dollars(summed(bill.get(part, {}) for part in parts))

    def figures(self) -> dict[str, float]:
        """What has a goal."""
        return {
            "cost/orchestration": self.orchestration(),
            "cost/messages": self.caused_by_messages(),
            "cost/events": self.events_around(),
            "cost/event after journeys": self.growth,
        }

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        per_message = summed(self.parts_per_message().values())
        return {
            "journey": JOURNEY,
            "region": REGION,
            "prices_as_of": AS_OF,
            "prices": {name: price.to_dict() for name, price in PRICES.items()},
            "passages": [passage.to_dict() for passage in self.passages],
            "messages": self.messages,
            "hops": self.hops,
            "per_journey": rounded(divided(per_message, len(self.enrolled) / self.messages)),
            "per_message": rounded(per_message),
            "parts_per_message": {part: rounded(used) for part, used in self.parts_per_message().items()},
            "dollars_per_million_messages": {
                "caused_by_messages": round(self.caused_by_messages(), 2),
                "events_around": round(self.events_around(), 2),
                "by_part": {part: round(1e6 * dollars(used), 2) for part, used in self.bill().items()},
                "by_quantity": {name: round(1e6 * dollars({name: amount}), 2) for name, amount in per_message.items()},
                "mails_of_ses": MAILS_OF_SES,
                "orchestration": round(self.orchestration(), 2),
            },
            "per_notice_of_a_provider": {
                **rounded(self.per_notice()),
                "dollars_per_million": round(1e6 * dollars(self.per_notice()), 2),
            },
            "sweep_per_hour": self.sweep.to_dict(),
            "event_after_journeys": round(self.growth, 3),
        }


def measure(folder: Path, *, progress: Callable[[str], None]) -> JourneyCost:
    """Rehearse every scenario of the journey and count. ``progress`` gets each step.

    Raises LocalError when a scenario does not turn out as its file says: then the figures would mean nothing.
    """
    file = read_scenarios(ROOT / "statemachines" / "journeys" / JOURNEY / "scenarios.yaml")
    with LocalCloud(folder, progress=progress) as cloud, CountingProxy(cloud.emulator.url) as proxy:
        folders = sorted((ROOT / "statemachines" / "journeys").iterdir())
        counter = _Counter(cloud, proxy, [folder.name for folder in folders])
        counter.take()
        sweep = counter.sweep_once()
        starts = (file.start + number * BETWEEN for number in range(1, 1000))
        passages = []
        for scenario, start in zip(file.scenarios, starts, strict=False):
            progress(f"rehearsing: {scenario.name}")
            passages.append(counter.passage(_alone(file, scenario, start)))
        longest = max(range(len(passages)), key=lambda index: passages[index].messages)
        progress("rehearsing one with the providers' notices")
        cloud.providers.delivery_events = True
        again = _another_contact(_alone(file, file.scenarios[longest], next(starts)))
        noticed = counter.passage(again)
        progress("counting an event after a hundred journeys")
        growth = counter.growth(again.scenarios[0].contact.user_id or "")
        return JourneyCost(
            growth=growth,
            passages=passages,
            noticed=noticed,
            notices=noticed.messages,  # each is delivered, and nothing else is reported of it
            sweep=sweep,
        )


class Counted:
    """Takes what happened since it last looked; hops are those of ``journeys``. From the beginning the functions call through the proxy."""

    def __init__(self, cloud: LocalCloud, proxy: CountingProxy, journeys: Sequence[str]) -> None:
        self._cloud = cloud
        self._proxy = proxy
        self._prefix = f"waypost-{cloud.access.stage}-"
        self._machines = [cloud.access.state_machines[journey] for journey in journeys]
        self._memory: dict[str, int] = {}
        self._functions = self._point_functions_at_the_proxy()
        self._invoked: Counter[str] = Counter()
        self._logged: Counter[str] = Counter()
        self._executions: set[str] = set()

    def forget(self) -> None:
        """Begin to count here, in a cloud that was brought back to an earlier state."""
        self._executions = set()
        self.take()

    def take(self) -> Usage:
        """What happened since the last take."""
        invoked, logged = self._read_logs()
        usage = Usage(
            hops=self._hops(),
            memory_mb=self._memory,
            invocations=dict(sorted((invoked - self._invoked).items())),
            log_bytes=dict(sorted((logged - self._logged).items())),
            calls=self._proxy.take(),
        )
        self._invoked, self._logged = invoked, logged
        return usage

    def _point_functions_at_the_proxy(self) -> dict[str, str]:
        """Folder → deployed name; every function gets endpoints that name it."""
        service = self._cloud.client("lambda")
        functions = {}
        for function in service.list_functions(MaxItems=1000)["Functions"]:
            name = function["FunctionName"]
            if not name.startswith(self._prefix):
                continue
            folder = name.removeprefix(self._prefix).replace("-", "_")
            endpoints = {variable: self._proxy.url(folder, called) for called, variable in _ENDPOINTS.items()}
            variables = {**function.get("Environment", {}).get("Variables", {}), **endpoints}
            service.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
            functions[folder] = name
            self._memory[folder] = function["MemorySize"]
        return functions

    def _read_logs(self) -> tuple[Counter[str], Counter[str]]:
        """Every function's invocations and logged bytes so far; each invocation logs one line that begins with START.

        The platform's own lines are counted and not billed: on AWS the functions' log level leaves them out.
        """
        pages = self._cloud.client("logs").get_paginator("filter_log_events")
        invoked: Counter[str] = Counter()
        logged: Counter[str] = Counter()
        for folder, name in self._functions.items():
            for page in pages.paginate(logGroupName=f"/aws/lambda/{name}"):
                messages = [event["message"] for event in page["events"]]
                invoked[folder] += sum(message.startswith("START ") for message in messages)
                logged[folder] += sum(len(each.encode()) for each in messages if not each.startswith(PLATFORM_LINES))
        return invoked, logged

    def _hops(self) -> int:
        """The executions not counted yet."""
        pages = self._cloud.client("stepfunctions").get_paginator("list_executions")
        executions = {
            execution["executionArn"]
            for machine in self._machines
            for page in pages.paginate(stateMachineArn=machine)
            for execution in page["executions"]
        }
        new = executions - self._executions
        self._executions |= new
        return len(new)


class _Counter(Counted):
    """Counts passages of the journey, one after the other."""

    def sweep_once(self) -> Usage:
        """One hourly sweep; from then on nothing happens by the clock alone."""
        sweeps = [each.name for each in self._cloud.time.settle() if "sweep" in each.name]
        self._cloud.emulator.fire(sweeps)
        self._cloud.time.settle()
        scheduler = self._cloud.client("scheduler")
        for schedule in scheduler.list_schedules()["Schedules"]:  # no journey has booked one yet
            scheduler.delete_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])
        return self.take()

    def passage(self, file: ScenarioFile) -> Passage:
        """Rehearse a file of one scenario and count it, with what other journeys do for its contact."""
        [result] = Rehearsal(self._cloud, {JOURNEY: file}).run()[JOURNEY]
        self._cloud.time.travel_to(file.start + BETWEEN - timedelta(days=1))
        self._cloud.time.settle()
        if not result.as_expected:
            raise LocalError(
                f"{result.scenario.name}: {'; '.join(result.differences)}", f"see {self._cloud.emulator.log}"
            )
        items = DynamoContactItems(self._cloud.client("dynamodb"), self._cloud.access.contacts_table)
        sent = [each for each in decisions(result.contact_id, items) if each.outcome == "sent"]
        return Passage(
            scenario=result.scenario.name,
            ends=result.ends,
            sent=dict(Counter(each.channel or "" for each in sent)),
            others=dict(Counter(each.journey for each in sent if each.journey != JOURNEY)),
            usage=self.take(),
        )

    def growth(self, experienced: str) -> float:
        """The units of an event of a newcomer with ``PAST_JOURNEYS`` behind, of the same event before.

        The journeys are those of the contact ``experienced``, with their messages, under other ids.
        """
        newcomer = f"{experienced}-newcomer"
        self._cloud.tracking.identify(newcomer, {"email": "newcomer@example.com"}, at=self._cloud.clock.now())
        self._units_of_a_view(newcomer)  # the day's first one is noted in the profile
        without = self._units_of_a_view(newcomer)
        self._live_through(experienced, newcomer)
        return self._units_of_a_view(newcomer) / without

    def _units_of_a_view(self, user_id: str) -> float:
        """What the functions write and read to route a page view."""
        self._cloud.time.settle()
        self.take()
        self._cloud.tracking.track(user_id, "page_viewed", at=self._cloud.clock.now())
        self._cloud.time.settle()
        return sum(call.read_units + call.write_units for call in self.take().calls)

    def _live_through(self, experienced: str, newcomer: str) -> None:
        """Give a contact the past journeys of another and their messages, ``PAST_JOURNEYS`` times."""
        database, table = self._cloud.client("dynamodb"), self._cloud.access.contacts_table
        source, target = (f"contact#{ids.contact_id('user_id', each)}" for each in (experienced, newcomer))
        found = database.query(
            TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": source}}
        )["Items"]
        past = [item for item in found if item["sk"]["S"].startswith(("enrolment#past#", "message#"))]
        if not any(item["sk"]["S"].startswith("enrolment#") for item in past):
            raise LocalError(f"{experienced} has been in no journey", f"see {self._cloud.emulator.log}")
        for number in range(PAST_JOURNEYS):
            for item in past:
                place = {"pk": {"S": target}, "sk": {"S": f"{item['sk']['S']}-{number}"}}
                database.put_item(TableName=table, Item=item | place)


def summed(quantities: Iterable[Quantities]) -> dict[str, float]:
    """Quantities added up by name."""
    total: dict[str, float] = {}
    for each in quantities:
        for name, amount in each.items():
            total[name] = total.get(name, 0.0) + amount
    return total


def divided(quantities: Quantities, by: float) -> dict[str, float]:
    """Each quantity divided."""
    return {name: amount / by for name, amount in quantities.items()}


def rounded(quantities: Quantities) -> dict[str, float]:
    """Each quantity to three decimals, in the order of the prices."""
    return {name: round(quantities[name], 3) for name in PRICES if quantities.get(name)}


def _part(function: str) -> str:
    """A function that is not known here is a part of its own."""
    return PARTS.get(function, function)


def _of_invocations(function: str, count: float) -> Quantities:
    """An invocation by the API is an API request; one by a queue is a receive and a delete of Lambda's poller.

    The archive is called with one event at a time here and with many under load, and so are timers with contacts.
    """
    if function == "resume_journey":
        return {"function_requests": count / PAUSES_IN_A_TIMER}
    if function == "archive_events":
        count /= EVENTS_IN_AN_OBJECT
        return {"puts": count, "function_requests": count}
    quantities = {"function_requests": count}
    if function in {
        "follow_link",
        "receive_callback",
        "receive_webhook",
        "serve_inbox",
        "serve_page",
        "unsubscribe_contact",
    }:
        quantities["api_requests"] = count
    if function == "route_events":
        quantities["queue_requests"] = 2 * count
    if function == "record_delivery":
        quantities["standard_queue_requests"] = 2 * count
    if function == "send_deferred":  # each for itself, as in a rehearsal; what is due together shares all but the first
        quantities["standard_queue_requests"] = 3 * count
    return quantities


def _of_call(call: Call) -> Quantities:
    match call.service, call.operation:
        case "dynamodb", _:
            return {"read_units": call.read_units, "write_units": call.write_units}
        case "sqs", _:
            return {"queue_requests": 1}
        case "eventbridge", "PutEvents":
            return {"bus_events": call.entries}
        case "scheduler", "CreateSchedule" if call.status == 200:
            is_timer = call.function in {
                "pause_journey",
                "resume_journey",
            }  # else a deferred message, which has its own
            return {"schedules_fired": 1 / PAUSES_IN_A_TIMER if is_timer else 1}
        case "scheduler", "DeleteSchedule" if call.status == 200:
            return {"schedules_fired": -1}  # it will not fire
        case _:
            return {}


def _alone(file: ScenarioFile, scenario: Scenario, start: Any) -> ScenarioFile:
    """One story, with any words in its messages: products are recommended by a count of the night, which does not run here."""
    if scenario.expect.messages is not None:
        messages = [each.model_copy(update={"text": None}) for each in scenario.expect.messages]
        expect = scenario.expect.model_copy(update={"messages": messages})
        scenario = scenario.model_copy(update={"expect": expect})
    return file.model_copy(update={"start": start, "until": None, "scenarios": [scenario]})


def _another_contact(file: ScenarioFile) -> ScenarioFile:
    """The same story of a contact that is not known yet."""
    [scenario] = file.scenarios
    changed = {"user_id": f"{scenario.contact.user_id}-again", "email": "again@example.com", "phone": "+8613800139999"}
    contact = scenario.contact.model_copy(update=changed)
    return file.model_copy(update={"scenarios": [scenario.model_copy(update={"contact": contact})]})
