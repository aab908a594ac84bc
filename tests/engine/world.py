"""The engine wired to fakes, and what stands around it on AWS: redelivery, state machines, schedules, the sweeper."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from tests.engine.published_journeys import JOURNEY, Published, published
from tests.fakes.bus import FakeBus
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeContacts
from tests.fakes.effects import Crash, Effects
from tests.fakes.enrolments import FakeEnrolments
from tests.fakes.history import FakeHistory
from tests.fakes.ledger import FakeLedger
from tests.fakes.machines import FakeMachines
from tests.fakes.pauses import FakePauses
from tests.fakes.provider import FakeProvider
from tests.fakes.queue import FakeQueue
from tests.fakes.schedules import Booking, FakeSchedules
from tests.fakes.tokens import FakeTokens
from waypost import ids
from waypost.clock import format_instant
from waypost.contacts.attributes import AttributeSystem
from waypost.contacts.identity.merge_contacts import MergeContacts
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.contacts.profile import Consent, Contact
from waypost.contacts.tag_system import TagSystem
from waypost.errors import RetryableError, WaypostError
from waypost.events.envelope import Event
from waypost.journeys.close_enrolment import CloseEnrolment
from waypost.journeys.enrol_contact import EnrolContact
from waypost.journeys.enrolment import Enrolment, TriggerEvent
from waypost.journeys.pause_journey import PauseJourney
from waypost.journeys.resume_journey import ResumeJourney
from waypost.journeys.sweep_journeys import SweepJourneys, SweepReport
from waypost.journeys.tasks.evaluate_segment import EvaluateSegment
from waypost.journeys.tasks.update_contact import UpdateContact
from waypost.journeys.wake_journeys import WakeJourneys
from waypost.routing.reactions import reactions
from waypost.routing.route_events import Routed, RouteEvents
from waypost.segments.history_lookup import HistoryLookup
from waypost.segments.index import RuleIndex
from waypost.segments.lifecycle import Lifecycle
from waypost.segments.saved_segments import SavedSegment
from waypost.segments.upkeep import Upkeep
from waypost.sending.deferral import Deferrals
from waypost.sending.ledger import Touch
from waypost.sending.request import SendRequest, SendResult
from waypost.sending.send_message import SendMessage

T = TypeVar("T")

START = "2027-03-01T02:00:00.000Z"
"""Monday, 10:00 in Shanghai."""
ATTEMPTS = 4
RETRIED = {"ConcurrentUpdate", "TemporarilyUnavailable"}
"""Errors that every task's Retry names."""
CONTACT = ids.contact_id("user_id", "u-1")


@dataclass(kw_only=True)
class World:
    """Fakes, and the services on them. ``naps`` are the seconds the sender slept."""

    published: Published = field(default_factory=published)
    effects: Effects = field(default_factory=Effects)
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))
    tags: TagSystem = field(default_factory=TagSystem)
    attributes: AttributeSystem = field(default_factory=AttributeSystem)
    lifecycle: Lifecycle | None = None
    segments: Mapping[str, SavedSegment] = field(default_factory=dict)
    identity_rules: IdentityRules = BUILT_IN
    naps: list[float] = field(default_factory=list)
    tokens_given: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        effects = self.effects
        self.contacts, self.history, self.bus = FakeContacts(effects), FakeHistory(effects), FakeBus(effects)
        self.queue, self.enrolments, self.pauses = FakeQueue(effects), FakeEnrolments(effects), FakePauses(effects)
        self.ledger = FakeLedger(effects, contacts=self.contacts, enrolments=self.enrolments, history=self.history)
        self.machines, self.tokens, self.schedules = FakeMachines(effects), FakeTokens(effects), FakeSchedules(effects)
        self.email, self.sms = FakeProvider("email", effects), FakeProvider("sms", effects)
        self.providers = {"email": self.email, "sms": self.sms}

    @property
    def deferrals(self) -> Deferrals:
        return Deferrals(ledger=self.ledger, enrolments=self.enrolments, schedules=self.schedules, clock=self.clock)

    @property
    def router(self) -> RouteEvents:
        return RouteEvents(
            contacts=self.contacts,
            history=self.history,
            queue=self.queue,
            reactions=reactions(
                ledger=self.ledger,
                upkeep=self.keeper,
                wake_journeys=WakeJourneys(
                    journeys=self.published.journeys,
                    default_zone=self.published.defaults.time_zone,
                    enrolments=self.enrolments,
                    pauses=self.pauses,
                    history=self.history,
                    schedules=self.schedules,
                    tokens=self.tokens,
                    deferrals=self.deferrals,
                    clock=self.clock,
                ),
                enrol_contact=EnrolContact(
                    journeys=self.published.journeys,
                    default_zone=self.published.defaults.time_zone,
                    enrolments=self.enrolments,
                    history=self.history,
                    machines=self.machines,
                    clock=self.clock,
                ),
                bus=self.bus,
            ),
            clock=self.clock,
            identity_rules=self.identity_rules,
        )

    @cached_property
    def index(self) -> RuleIndex:
        return RuleIndex.declared(segments=self.segments, tags=self.tags, lifecycle=self.lifecycle)

    @property
    def past(self) -> HistoryLookup:
        return HistoryLookup(history=self.history, enrolments=self.enrolments)

    @property
    def keeper(self) -> Upkeep:
        return Upkeep(
            index=self.index,
            tags=self.tags,
            contacts=self.contacts,
            lookup=self.past,
            queue=self.queue,
            default_zone=self.published.defaults.time_zone,
            clock=self.clock,
        )

    @property
    def parker(self) -> PauseJourney:
        return PauseJourney(
            contacts=self.contacts,
            enrolments=self.enrolments,
            pauses=self.pauses,
            history=self.history,
            schedules=self.schedules,
            tokens=self.tokens,
            default_zone=self.published.defaults.time_zone,
            clock=self.clock,
        )

    @property
    def resumer(self) -> ResumeJourney:
        return ResumeJourney(
            contacts=self.contacts,
            enrolments=self.enrolments,
            pauses=self.pauses,
            schedules=self.schedules,
            tokens=self.tokens,
            default_zone=self.published.defaults.time_zone,
            clock=self.clock,
        )

    @property
    def sweeper(self) -> SweepJourneys:
        return SweepJourneys(pauses=self.pauses, resumer=self.resumer, ledger=self.ledger, clock=self.clock)

    @property
    def closer(self) -> CloseEnrolment:
        return CloseEnrolment(
            enrolments=self.enrolments,
            pauses=self.pauses,
            schedules=self.schedules,
            queue=self.queue,
            clock=self.clock,
        )

    @property
    def sender(self) -> SendMessage:
        return SendMessage(
            messages=self.published,
            policy=self.published.policy,
            defaults=self.published.defaults,
            ledger=self.ledger,
            deferrals=self.deferrals,
            provider=self.providers.__getitem__,
            unsubscribe_url=lambda request, channel: f"https://links.example/u/{request.message_key}/{channel}",
            clock=self.clock,
            sleep=self.naps.append,
        )

    @property
    def updater(self) -> UpdateContact:
        return UpdateContact(
            contacts=self.contacts,
            queue=self.queue,
            tags=self.tags,
            attributes=self.attributes,
            lifecycle=self.lifecycle,
            clock=self.clock,
        )

    @property
    def merger(self) -> MergeContacts:
        return MergeContacts(contacts=self.contacts, queue=self.queue, rules=self.identity_rules, clock=self.clock)

    @property
    def evaluator(self) -> EvaluateSegment:
        return EvaluateSegment(
            contacts=self.contacts,
            enrolments=self.enrolments,
            past=self.past,
            segments=self.segments,
            default_zone=self.published.defaults.time_zone,
            clock=self.clock,
        )

    # What tests start from.

    def have_contact(self, contact_id: str = CONTACT, **changes: Any) -> Contact:
        """A contact that may be sent everything."""
        attributes = {"email": "lin@example.com", "phone": "+8613800000001", "name": "Lin", "locale": "en"}
        consent = Consent(granted=True, at=self.clock(), source="test")
        fields: dict[str, Any] = {
            "contact_id": contact_id,
            "created_at": self.clock(),
            "attributes": attributes,
            "identities": {"user_id": ["u-1"]},
            "consents": {"email/*": consent, "sms/*": consent},
        }
        return self.contacts.put(Contact(**fields | changes))

    def have_enrolment(self, contact_id: str = CONTACT, **changes: Any) -> Enrolment:
        """The contact in the usual journey."""
        journey = str(changes.get("journey", JOURNEY))
        fields: dict[str, Any] = {
            "enrolment_id": ids.enrolment_id(journey, contact_id, "once"),
            "contact_id": contact_id,
            "journey": journey,
            "version": 1,
            "trigger": TriggerEvent("e-trigger", "registered", self.clock(), {"coupon": "GLOW15"}),
            "enrolled_at": self.clock(),
        }
        return self.enrolments.put(Enrolment(**fields | changes))

    # What happens to it.

    def route(self, event: Event) -> Routed:
        """The queue delivers an event until it is routed."""
        return redelivered(lambda: self.router.route(event))

    def send(self, enrolment: Enrolment, message: str, state: str = "", **payload: Any) -> SendResult:
        """A Send state asks for a message, and again if its function fails."""
        request = send_request(enrolment, message, state=state or message, **payload)
        return redelivered(lambda: self.sender.send(request))

    def new_token(self) -> str:
        self.tokens_given += 1
        return f"token-{self.tokens_given}"

    def park(self, enrolment: Enrolment, payload: Mapping[str, Any], state: str = "Until later") -> str:
        """A Pause state is entered, and again with a new token while it fails for now; gives the token that counts."""
        for _ in range(ATTEMPTS):
            token = self.new_token()
            try:
                self.parker.park(task_payload(enrolment, state, token=token, **payload))
            except (Crash, WaypostError):
                if token not in self.tokens:
                    self.tokens.close(token)  # the function has failed, and with it the task
                    continue
            if token not in self.tokens or self.tokens[token].get("error") not in RETRIED:
                return token
        raise AssertionError("the Pause never parked")

    def fire_next(self) -> Booking:
        """Time moves to the next schedule, which calls its function until that succeeds."""
        booking = self.schedules.next_due()
        assert booking is not None, "nothing is booked"
        self.fired += 1
        assert self.fired < 1000, "this never ends"
        self.clock.set(max(booking.at, self.clock.now))
        self.schedules.take(booking)
        redelivered(lambda: self.call(booking))
        return booking

    def call(self, booking: Booking) -> object:
        """The function of a schedule is called."""
        payload = json.loads(json.dumps(booking.payload))
        if booking.function == "resume_journey":
            return self.resumer.resume(payload)
        return self.sender.send(SendRequest.from_payload(payload))

    def sweep(self) -> SweepReport:
        """The hourly sweep, again if it fails."""
        return redelivered(self.sweeper.sweep)

    def close(self, enrolment: Enrolment, status: str = "SUCCEEDED") -> dict[str, Any]:
        """Step Functions says that the execution has stopped."""
        return redelivered(lambda: self.closer.close(status_event(enrolment, status)))


def touch(message_key: str, at: datetime, **changes: Any) -> Touch:
    """A marketing mail of the nurture that was claimed."""
    fields: dict[str, Any] = {
        "channel": "email",
        "message": f"{JOURNEY}/welcome",
        "kind": "marketing",
        "topic": "nurture",
        "priority": "normal",
    }
    return Touch(message_key=message_key, at=at, **fields | changes)


def redelivered(call: Callable[[], T]) -> T:
    """The call's answer; it is repeated after a crash and after a retryable error, as AWS does."""
    for _ in range(ATTEMPTS - 1):
        try:
            return call()
        except (Crash, RetryableError):
            continue
    return call()


def send_request(enrolment: Enrolment, message: str, *, state: str, **payload: Any) -> SendRequest:
    """What a Send state asks for."""
    return SendRequest.from_payload(task_payload(enrolment, state, message=message, **payload))


def task_payload(enrolment: Enrolment, state: str, *, token: str | None = None, **payload: Any) -> dict[str, Any]:
    """The payload of a journey's task: its own fields and the context, as Step Functions passes it."""
    name = ids.execution_name(enrolment.journey, enrolment.enrolment_id)
    machine = f"arn:aws:states:ap-east-1:000000000000:stateMachine:waypost-dev-{enrolment.journey}"
    context: dict[str, Any] = {
        "Execution": {
            "Id": f"{machine.replace('stateMachine', 'execution')}:{name}",
            "Input": enrolment.execution_input(),
            "Name": name,
            "RoleArn": "arn:aws:iam::000000000000:role/journey",
            "StartTime": format_instant(enrolment.enrolled_at),
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": machine, "Name": f"waypost-dev-{enrolment.journey}"},
        "State": {"Name": state, "EnteredTime": format_instant(enrolment.enrolled_at), "RetryCount": 0},
    }
    if token is not None:
        context["Task"] = {"Token": token}
    return {**payload, "context": context}


def status_event(enrolment: Enrolment, status: str) -> dict[str, Any]:
    """The part of an execution status change that we read."""
    return {"detail": {"status": status, "input": json.dumps(enrolment.execution_input())}}


def event(
    kind: str,
    at: datetime,
    id: str = "",  # noqa: A002
    contact: Mapping[str, str] | None = None,
    profile: Mapping[str, Any] | None = None,
    **properties: Any,
) -> Event:
    """An event of the usual contact."""
    return Event(
        id=id or f"e-{kind}-{format_instant(at)}",
        type=kind,
        contact={"user_id": "u-1"} if contact is None else dict(contact),
        occurred_at=at,
        received_at=at + timedelta(milliseconds=200),
        source="shop",
        properties=properties,
        profile=dict(profile or {}),
        correlation_id="r-1",
    )


Step = tuple[str, str, dict[str, Any]]
"""A state of a played journey, ``("send", name, payload)`` or ``("pause", name, payload)``; ``("event", kind, properties)``
is routed at that moment, while the journey is on its way from one state to the next; ``("report", name, {type, …})`` is
what the provider says of a message it has taken."""


class Play:
    """Plays the executions that were started, as Step Functions would: state by state, with its retries.

    ``body`` is left on GoalReached and JourneyExited, then ``after`` follows. ``trail`` is what happened, per execution.
    """

    def __init__(self, world: World, *, body: Sequence[Step], after: Sequence[Step] = ()) -> None:
        self.world = world
        self.body, self.after = body, after
        self.trail: dict[str, list[str]] = {}
        self._runs: dict[str, Generator[str]] = {}
        self._waits_for: dict[str, str | None] = {}

    def advance(self) -> None:
        """Run every execution until it is parked or has ended and is closed."""
        for name in self.world.machines.executions:
            if name not in self._runs:
                self.trail[name] = []
                self._runs[name] = self._run(name)
                self._waits_for[name] = next(self._runs[name], None)
        for name, run in self._runs.items():
            while (token := self._waits_for[name]) is not None and token in self.world.tokens:
                self._waits_for[name] = next(run, None)

    def to_the_end(self, events: Sequence[Event]) -> None:
        """Deliver the events and fire the schedules in the order of their times, until nothing is left."""
        waiting, heard = sorted(events, key=lambda each: each.occurred_at), set[str]()
        self.advance()
        while waiting or len(self.world.schedules):
            booking = self.world.schedules.next_due()
            if waiting and (booking is None or waiting[0].occurred_at < booking.at):
                happening = waiting.pop(0)
                self.world.clock.set(max(happening.occurred_at, self.world.clock.now))
                self.world.route(happening)
            else:
                self.world.fire_next()
            self.advance()
            while unheard := [each for each in self.world.queue.events.values() if each.id not in heard]:
                self.world.route(unheard[0])
                heard.add(unheard[0].id)
                self.advance()

    def _run(self, name: str) -> Generator[str]:
        _, given = self.world.machines.executions[name]
        enrolment = self.world.enrolments.load(given["contact_id"], given["enrolment_id"])
        assert enrolment is not None
        left = yield from self._states(enrolment, self.body, after_exit=False)
        if left:
            yield from self._states(enrolment, self.after, after_exit=True)
        self.world.close(enrolment)

    def _states(self, enrolment: Enrolment, steps: Sequence[Step], *, after_exit: bool) -> Generator[str, None, bool]:
        trail = self.trail[ids.execution_name(enrolment.journey, enrolment.enrolment_id)]
        for kind, state, payload in steps:
            if kind == "report":
                self._report(enrolment, state, payload)
                continue
            if kind == "event":
                self.world.route(event(state, self.world.clock(), **payload))
                continue
            if kind == "send":
                given: dict[str, Any] = {"message": state} | payload | ({"after_exit": True} if after_exit else {})
                result = self.world.send(enrolment, state=state, **given)
                trail.append(f"{state}: {result.outcome}")
                continue
            token = self.world.park(enrolment, payload, state)
            while token not in self.world.tokens:
                yield token
            outcome = self.world.tokens[token]
            trail.append(f"{state}: {outcome.get('error') or outcome['outcome']}")
            if "error" in outcome:
                return True
        return False

    def _report(self, enrolment: Enrolment, state: str, report: Mapping[str, Any]) -> None:
        """The provider says what became of a message, if it got it."""
        request = send_request(enrolment, state, state=state)
        if not self.world.email.risky_calls(request.message_key):
            return
        properties = {name: value for name, value in report.items() if name != "type"}
        said = event(
            str(report["type"]),
            self.world.clock(),
            contact={"contact_id": enrolment.contact_id},
            message_key=request.message_key,
            **properties,
        )
        self.world.route(replace(said, source="waypost.ses"))
