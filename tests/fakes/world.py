"""The engine wired to fakes, and what stands around it on AWS: redelivery, state machines, schedules, the sweeper."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar, assert_never
from zoneinfo import ZoneInfo

from tests.fakes.addresses import FakeAddressRecords
from tests.fakes.budget_counters import FakeBudgetCounters
from tests.fakes.bus import FakeBus
from tests.fakes.changes import FakeChanges
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeBulkContacts
from tests.fakes.coupons import FakeCoupons
from tests.fakes.effects import Crash, Effects
from tests.fakes.enrolments import FakeEnrolments
from tests.fakes.files import FakeFiles
from tests.fakes.history import FakeHistory
from tests.fakes.human_tasks import FakeTasks
from tests.fakes.ledger import FakeLedger
from tests.fakes.library import FakeApprovals, FakeLibrary, FakeRuns
from tests.fakes.live_staff import FakeLiveStaff
from tests.fakes.machines import FakeMachines
from tests.fakes.policies import FakePolicies
from tests.fakes.products import FakeProductSales, FakeProductStates, FakeWatches
from tests.fakes.profile_scan import FakeProfileScan
from tests.fakes.provider import FakeProvider
from tests.fakes.published_journeys import JOURNEY, Published, published
from tests.fakes.queue import FakeQueue
from tests.fakes.rate_marks import FakeRateMarks
from tests.fakes.responses import FakeResponses
from tests.fakes.schedules import Booking, FakeSchedules
from tests.fakes.secrets import FakeSecret
from tests.fakes.stream_tallies import FakeStreamTallies
from tests.fakes.sync_queue import FakePeople, FakeSyncQueue
from tests.fakes.task_figures import FakeTaskFigures
from waypost import ids
from waypost.approvals.approval_links import approval_url
from waypost.approvals.ask_for_approval import AskForApproval
from waypost.approvals.control_journey import ControlJourney
from waypost.approvals.decide_approval import DecideApproval
from waypost.approvals.publish_message import PublishMessage
from waypost.assembly import assemble
from waypost.clock import format_instant
from waypost.contacts.attributes import AttributeSystem
from waypost.contacts.channels import CHANNELS, Channel
from waypost.contacts.consent import Consent
from waypost.contacts.identity.merge_contacts import MergeContacts
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.contacts.lift_suppression import LiftSuppression
from waypost.contacts.mark_test_contact import MarkTestContact
from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import TagSystem
from waypost.content.coupons import CouponVariables
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.message_library import LibraryCatalogue
from waypost.coupons.pool import CouponPools
from waypost.errors import HopSuperseded, RetryableError
from waypost.events.envelope import Event
from waypost.events.listening import Listening
from waypost.files.folders import Folders
from waypost.human_tasks.answer_task import AnswerTask
from waypost.human_tasks.task_links import TaskLink, task_url
from waypost.journeys.close_enrolment import CloseEnrolment
from waypost.journeys.enrolment import Enrolment, TriggerEvent, first_hop
from waypost.journeys.pause_journey import PauseJourney
from waypost.journeys.resume_journey import ResumeJourney
from waypost.journeys.stop_journey import StopJourney
from waypost.journeys.sweep_journeys import SweepJourneys, SweepReport
from waypost.journeys.tasks.assign_task import AssignTask
from waypost.journeys.tasks.evaluate_segment import EvaluateSegment
from waypost.journeys.tasks.issue_coupon import IssueCoupon
from waypost.journeys.tasks.notify_staff import NotifyStaff
from waypost.journeys.tasks.start_other_journey import StartOtherJourney
from waypost.journeys.tasks.stop_other_journey import StopOtherJourney
from waypost.journeys.tasks.update_contact import UpdateContact
from waypost.policies.change_policy import ChangePolicy
from waypost.reports.journey_graph import JourneyGraph
from waypost.routing.route_events import Routed, RouteEvents
from waypost.segments.history_lookup import HistoryLookup
from waypost.segments.index import RuleIndex
from waypost.segments.lifecycle import Lifecycle
from waypost.segments.saved_segments import SavedSegment
from waypost.segments.upkeep import Upkeep
from waypost.sending.deferral import Deferrals
from waypost.sending.held_journeys import HeldJourneys
from waypost.sending.ledger import Touch
from waypost.sending.occasion import StaffNotice
from waypost.sending.request import SendRequest, SendResult
from waypost.sending.send_deferred import SendDeferred
from waypost.sending.send_message import SendMessage, Tracking
from waypost.sending.send_test import SendTest
from waypost.staff.directory import StaffDirectory
from waypost.tracking.record_delivery import RecordDelivery
from waypost.tracking.scenes import DeclaredScenes
from waypost.tracking.sync_person import SyncPerson
from waypost.workdays import Workdays

T = TypeVar("T")

START = "2027-03-01T02:00:00.000Z"
"""Monday, 10:00 in Shanghai."""
ATTEMPTS = 4
LINK_KEY = "a-key-of-links-that-is-long-enough-to-be-secret"
CONTACT = ids.contact_id("user_id", "u-1")


@dataclass(kw_only=True)
class World:
    """Fakes, and the services on them. ``naps`` are the seconds that services slept."""

    published: Published = field(default_factory=published)
    effects: Effects = field(default_factory=Effects)
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))
    tags: TagSystem = field(default_factory=TagSystem)
    attributes: AttributeSystem = field(default_factory=AttributeSystem)
    lifecycle: Lifecycle | None = None
    segments: Mapping[str, SavedSegment] = field(default_factory=dict)
    identity_rules: IdentityRules = BUILT_IN
    files: FakeFiles = field(default_factory=FakeFiles)
    listening: Listening = field(default_factory=Listening)
    rates: Mapping[Channel, float] = field(default_factory=dict)
    tracking: Tracking | None = None
    pools: CouponPools = field(default_factory=CouponPools)
    graphs: dict[str, JourneyGraph] = field(default_factory=dict)
    staff: StaffDirectory = field(default_factory=StaffDirectory)
    words: ForbiddenWords = field(default_factory=ForbiddenWords)
    scenes: DeclaredScenes = field(default_factory=DeclaredScenes)
    naps: list[float] = field(default_factory=list)
    fired: int = 0
    draws: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        effects = self.effects
        self.contacts, self.history, self.bus = FakeBulkContacts(effects), FakeHistory(effects), FakeBus(effects)
        self.addresses, self.rate_marks = FakeAddressRecords(effects), FakeRateMarks()
        self.budget_counters, self.stream_tallies = FakeBudgetCounters(), FakeStreamTallies()
        self.task_figures = FakeTaskFigures()
        self.coupons, self.tasks = FakeCoupons(), FakeTasks(effects)
        self.live_staff, self.responses = FakeLiveStaff(effects), FakeResponses(effects)
        self.product_sales, self.product_states = FakeProductSales(), FakeProductStates()
        self.watches = FakeWatches()
        self.syncs, self.people = FakeSyncQueue(), FakePeople()
        self.policies, self.reported = FakePolicies(effects), list[str]()
        self.library, self.approvals, self.age = FakeLibrary(), FakeApprovals(), 0.0
        self.runs, self.changes = FakeRuns(), FakeChanges(effects)
        self.link_secret = FakeSecret({"link_keys": [LINK_KEY]})
        self.queue, self.enrolments = FakeQueue(effects), FakeEnrolments(effects)
        self.ledger = FakeLedger(effects, contacts=self.contacts, enrolments=self.enrolments, history=self.history)
        self.machines, self.schedules = FakeMachines(effects), FakeSchedules(effects)
        self.scan = FakeProfileScan(self.contacts.living)
        self.answers = Answers(self.enrolments, self.machines)
        self.providers = {channel: FakeProvider(channel, effects) for channel in CHANNELS}
        self.email, self.sms, self.push = (self.providers[Channel(name)] for name in ("email", "sms", "push"))

    @property
    def ports(self) -> "WorldPorts":
        return WorldPorts(self)

    @property
    def deferrals(self) -> Deferrals:
        return assemble.deferrals(self.ports)

    @property
    def route_events(self) -> RouteEvents:
        return assemble.route_events(
            self.ports,
            journeys=self.published.journeys,
            default_zone=self.default_zone,
            index=self.index,
            tags=self.tags,
            identity_rules=self.identity_rules,
            listening=self.listening,
        )

    @property
    def record_delivery(self) -> RecordDelivery:
        return assemble.record_delivery(
            self.ports,
            listening=self.listening,
            policy=self.published.policy,
            policies=lambda: self.change_policy,
            staff=lambda: self.staff,
            scenes=self.scenes,
            report=self.reported.append,
        )

    @property
    def sync_person(self) -> SyncPerson:
        return assemble.sync_person(self.ports, people=lambda _: self.people, tags=self.tags)

    @property
    def default_zone(self) -> ZoneInfo:
        return self.published.defaults.time_zone

    @cached_property
    def index(self) -> RuleIndex:
        return RuleIndex.declared(segments=self.segments, tags=self.tags, lifecycle=self.lifecycle)

    @property
    def history_lookup(self) -> HistoryLookup:
        return assemble.history_lookup(self.ports)

    @property
    def upkeep(self) -> Upkeep:
        return assemble.upkeep(self.ports, index=self.index, tags=self.tags, default_zone=self.default_zone)

    @property
    def pause_journey(self) -> PauseJourney:
        return assemble.pause_journey(self.ports, default_zone=self.default_zone)

    @property
    def resume_journey(self) -> ResumeJourney:
        return assemble.resume_journey(self.ports, default_zone=self.default_zone, listening=self.listening)

    @property
    def sweep_journeys(self) -> SweepJourneys:
        return assemble.sweep_journeys(self.ports, graphs=self.graphs.get, default_zone=self.default_zone)

    @property
    def close_enrolment(self) -> CloseEnrolment:
        return assemble.close_enrolment(self.ports, listening=self.listening)

    @property
    def send_message(self) -> SendMessage:
        return assemble.send_message(
            self.ports,
            messages=self.messages,
            policy=self.published.policy,
            defaults=self.published.defaults,
            unsubscribe_url=lambda request, to: f"https://links.example/u/{request.message_key}/{to.channel}",
            rates=self.rates,
            purchases=lambda: self.history,
            coupons=lambda: CouponVariables(store=self.coupons, pools=self.pools),
            tracking=self.tracking,
            staff=lambda: self.staff,
            words=lambda: self.words,
            staff_links=staff_links,
            report=self.reported.append,
        )

    @property
    def send_deferred(self) -> SendDeferred:
        return SendDeferred(sender=self.send_message)

    @cached_property
    def messages(self) -> LibraryCatalogue:
        """As one process of the sender has them; ``age`` is how long it has run."""
        return assemble.message_catalogue(self.ports, deployed=self.published, age=lambda: self.age)

    @property
    def publish_message(self) -> PublishMessage:
        return assemble.publish_message(
            self.ports,
            messages=self.published,
            sender=self.send_message,
            staff=lambda: self.staff,
            words=lambda: self.words,
            defaults=self.published.defaults,
        )

    @property
    def decide_approval(self) -> DecideApproval:
        return assemble.decide_approval(self.ports, staff=lambda: self.staff, secret=self.link_secret)

    @property
    def send_test(self) -> SendTest:
        return assemble.send_test(self.ports, sender=self.send_message, staff=lambda: self.staff)

    @property
    def change_policy(self) -> ChangePolicy:
        return ChangePolicy(deployed=self.published.policy, store=self.policies, clock=self.clock)

    @property
    def held_journeys(self) -> HeldJourneys:
        return assemble.held_journeys(self.ports)

    @property
    def control_journey(self) -> ControlJourney:
        return assemble.control_journey(self.ports, journeys=self.published.journeys, holds=self.change_policy)

    @property
    def ask_for_approval(self) -> AskForApproval:
        return assemble.ask_for_approval(self.ports, sender=self.send_message, staff=lambda: self.staff)

    @property
    def notify_staff(self) -> NotifyStaff:
        return assemble.notify_staff(self.ports, sender=self.send_message, staff=lambda: self.staff)

    @property
    def assign_task(self) -> AssignTask:
        return assemble.assign_task(
            self.ports,
            sender=self.send_message,
            staff=lambda: self.staff,
            workdays=Workdays,
            default_zone=self.default_zone,
        )

    @property
    def answer_task(self) -> AnswerTask:
        return assemble.answer_task(
            self.ports, staff=lambda: self.staff, secret=self.link_secret, default_zone=self.default_zone
        )

    @property
    def update_contact(self) -> UpdateContact:
        return assemble.update_contact(
            self.ports,
            tags=self.tags,
            attributes=self.attributes,
            lifecycle=self.lifecycle,
            listening=self.listening,
        )

    @property
    def issue_coupon(self) -> IssueCoupon:
        return assemble.issue_coupon(
            self.ports,
            pools=self.pools,
            default_zone=self.default_zone,
            choose=lambda below: int(ids.share("choice", str(next(self.draws))) * below) % below,
            report=lambda pool, left: self.reported.append(f"{pool}: {left}"),
        )

    @property
    def start_other_journey(self) -> StartOtherJourney:
        return assemble.start_other_journey(self.ports, journeys=self.published.journeys)

    @property
    def stop_other_journey(self) -> StopOtherJourney:
        return assemble.stop_other_journey(self.ports)

    @property
    def merge_contacts(self) -> MergeContacts:
        return assemble.merge_contacts(self.ports, rules=self.identity_rules)

    @property
    def evaluate_segment(self) -> EvaluateSegment:
        return assemble.evaluate_segment(self.ports, segments=self.segments, default_zone=self.default_zone)

    @property
    def lift_suppression(self) -> LiftSuppression:
        return assemble.lift_suppression(self.ports)

    @property
    def mark_test_contact(self) -> MarkTestContact:
        return assemble.mark_test_contact(self.ports)

    @property
    def stop_journey(self) -> StopJourney:
        return assemble.stop_journey(self.ports)

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
        """The contact in the usual journey, whose first hop walks."""
        journey = str(changes.get("journey", JOURNEY))
        enrolment_id = str(changes.get("enrolment_id", ids.enrolment_id(journey, contact_id, "once")))
        hop = first_hop(enrolment_id, self.clock())
        fields: dict[str, Any] = {
            "enrolment_id": enrolment_id,
            "hop": replace(hop, taken_by=ids.digest(execution_arn(journey, hop.id))),
            "due_at": self.clock(),
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
        return redelivered(lambda: self.route_events.route(event))

    def send(self, enrolment: Enrolment, message: str, state: str = "", **payload: Any) -> SendResult:
        """A Send state asks for a message, and again if its function fails."""
        request = send_request(self.walking(enrolment), message, state=state or message, **payload)
        return redelivered(lambda: self.send_message.send(request))

    def walking(self, enrolment: Enrolment) -> Enrolment:
        """The enrolment as it is stored, its hop taken by an execution if one is given out."""
        now = self.stored(enrolment)
        if now.lies_untaken:
            self._begin(now)
        return self.stored(enrolment)

    def stored(self, enrolment: Enrolment) -> Enrolment:
        now = self.enrolments.load(enrolment.contact_id, enrolment.enrolment_id)
        assert now is not None
        return now

    def park(self, enrolment: Enrolment, payload: Mapping[str, Any], state: str = "Until later") -> str:
        """The hop that walks comes to a Pause; gives the id of the pause. ``answers`` says how it ended, if it has."""
        now = self.walking(enrolment)
        redelivered(lambda: self.pause_journey.ask(pause_payload(now, state, **payload)))
        return ids.pause_id(enrolment.enrolment_id, state, payload.get("occurrence", 1))

    def fire_next(self, *, sets_out: bool = True) -> Booking:
        """Time moves to the next schedule, which calls its function until that succeeds; the hops that it starts set out."""
        booking = self.schedules.next_due()
        assert booking is not None, "nothing is booked"
        self.fired += 1
        assert self.fired < 1000, "this never ends"
        self.clock.set(max(booking.at, self.clock.now))
        self.schedules.take(booking)
        redelivered(lambda: self.call(booking))
        if sets_out:
            self.set_out()
        return booking

    def set_out(self) -> None:
        """The hops that were started by time begin: they end their Pauses, if the time has come."""
        started, self.machines.not_begun = self.machines.not_begun, []
        for parked in [each for each in self.enrolments if each.position == "parked" and each.pause]:
            hop = parked.setting_out(self.clock())
            if ids.execution_name(hop.journey, hop.hop.id) in started:
                self._begin(hop)

    def _begin(self, hop: Enrolment) -> None:
        """The execution of a hop asks what it may do."""
        state, asked = (
            (hop.pause.state, {"occurrence": hop.pause.occurrence}) if hop.pause else ("Begin", {"begin": True})
        )
        redelivered(lambda: self.pause_journey.ask(task_payload(hop, state, **asked)))

    def call(self, booking: Booking) -> object:
        """The function of a schedule is called."""
        body = json.dumps(booking.payload)
        match booking.function:
            case "resume_journey":
                return self.resume_journey.resume(json.loads(body))
            case "send_deferred":
                sent = self.send_deferred.send({booking.name: body})
                for error in sent.failed.values():
                    raise error
                return sent.results[booking.name]
            case _:
                assert_never(booking.function)

    def sweep(self) -> SweepReport:
        """The hourly sweep, again if it fails."""
        report = redelivered(self.sweep_journeys.sweep)
        self.set_out()
        return report

    def close(self, enrolment: Enrolment, outcome: str = "completed", **reason: str) -> dict[str, Any]:
        """The hop that walks comes to the end of the journey."""
        payload = task_payload(self.walking(enrolment), "Close", outcome=outcome, **reason)
        return redelivered(lambda: self.close_enrolment.close(payload))


@dataclass(frozen=True)
class WorldPorts:
    """The ports of a world, as the functions' wiring has those of AWS."""

    world: World

    def contacts(self) -> FakeBulkContacts:
        return self.world.contacts

    bulk_contacts = contacts

    def rate_marks(self) -> FakeRateMarks:
        return self.world.rate_marks

    def policies(self) -> FakePolicies:
        return self.world.policies

    def library(self) -> FakeLibrary:
        return self.world.library

    def approvals(self) -> FakeApprovals:
        return self.world.approvals

    def waiting_runs(self) -> FakeRuns:
        return self.world.runs

    def journey_changes(self) -> FakeChanges:
        return self.world.changes

    def coupons(self) -> FakeCoupons:
        return self.world.coupons

    def product_sales(self) -> FakeProductSales:
        return self.world.product_sales

    def product_states(self) -> FakeProductStates:
        return self.world.product_states

    def watches(self) -> FakeWatches:
        return self.world.watches

    def sync_queue(self) -> FakeSyncQueue:
        return self.world.syncs

    def tasks(self) -> FakeTasks:
        return self.world.tasks

    def responses(self) -> FakeResponses:
        return self.world.responses

    def live_staff(self) -> FakeLiveStaff:
        return self.world.live_staff

    def task_figures(self) -> FakeTaskFigures:
        return self.world.task_figures

    def stream_tallies(self) -> FakeStreamTallies:
        return self.world.stream_tallies

    def budget_counters(self) -> FakeBudgetCounters:
        return self.world.budget_counters

    def addresses(self) -> FakeAddressRecords:
        return self.world.addresses

    def enrolments(self) -> FakeEnrolments:
        return self.world.enrolments

    bulk_enrolments = enrolments

    def history(self) -> FakeHistory:
        return self.world.history

    bulk_history = history

    def files(self, *, reads: tuple[str, ...] = (), writes: tuple[str, ...] = ()) -> FakeFiles:
        return self.world.files.within(Folders(reads, writes))

    def profile_scan(self) -> FakeProfileScan:
        return self.world.scan

    def read_units(self) -> float:
        return 0.0

    def ledger(self) -> FakeLedger:
        return self.world.ledger

    def schedules(self) -> FakeSchedules:
        return self.world.schedules

    def machines(self) -> FakeMachines:
        return self.world.machines

    def queue(self) -> FakeQueue:
        return self.world.queue

    def bus(self) -> FakeBus:
        return self.world.bus

    def provider(self, channel: Channel) -> FakeProvider:
        return self.world.providers[channel]

    def clock(self) -> FakeClock:
        return self.world.clock

    def sleep(self, seconds: float, /) -> None:
        self.world.naps.append(seconds)

    def side_by_side(self) -> Callable[..., Iterable[Any]]:
        return map


@dataclass(frozen=True)
class Answers:
    """How pauses ended, by their ids: those whose hop goes on, or has been started."""

    enrolments: FakeEnrolments
    machines: FakeMachines

    def __contains__(self, pause_id: object) -> bool:
        return self._of(pause_id) is not None

    def __getitem__(self, pause_id: str) -> dict[str, Any]:
        found = self._of(pause_id)
        assert found is not None
        return found

    def _of(self, pause_id: object) -> dict[str, Any] | None:
        for each in self.enrolments:
            if each.pause is not None and each.pause.pause_id == pause_id:
                started = ids.execution_name(each.journey, each.hop.id) in self.machines
                return dict(each.pause.result or {}) if each.pause.end and (each.hop.taken_by or started) else None
            for pause in each.trail:
                if ids.pause_id(each.enrolment_id, pause.state, pause.occurrence) == pause_id:
                    return {"outcome": pause.end}
        return None


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


def staff_links(notice: StaffNotice) -> dict[str, str]:
    """The links of a member of staff, as the functions make them."""
    if notice.is_about_task:
        link = TaskLink(notice.shown_for, notice.about, notice.contact_id)
        return {
            "task": task_url("https://api.example", LINK_KEY, link),
            "task_in_group": task_url("https://api.example", LINK_KEY, replace(link, in_group=True)),
        }
    url = approval_url("https://api.example", LINK_KEY, approval_id=notice.about, member=notice.contact_id)
    return {"approval": url}


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


def task_payload(enrolment: Enrolment, state: str, double: int = 0, /, **payload: Any) -> dict[str, Any]:
    """The payload of a journey's task: its own fields and the context, as Step Functions passes it."""
    machine = f"arn:aws:states:ap-east-1:000000000000:stateMachine:waypost-dev-{enrolment.journey}"
    return {
        **payload,
        "context": {
            "Execution": {
                "Id": execution_arn(enrolment.journey, enrolment.hop.id, double),
                "Input": enrolment.execution_input(),
                "Name": ids.execution_name(enrolment.journey, enrolment.hop.id),
                "RoleArn": "arn:aws:iam::000000000000:role/journey",
                "StartTime": format_instant(enrolment.enrolled_at),
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": machine, "Name": f"waypost-dev-{enrolment.journey}"},
            "State": {"Name": state, "EnteredTime": format_instant(enrolment.enrolled_at), "RetryCount": 0},
        },
    }


def pause_payload(enrolment: Enrolment, state: str, double: int = 0, /, **payload: Any) -> dict[str, Any]:
    """The payload of a Pause as the synth compiles it."""
    row = {"at": state, "input": {}, "variables": {}}
    return task_payload(enrolment, state, double, **({"row": row} | payload))


def execution_arn(journey: str, hop: str, double: int = 0) -> str:
    """The ARN of an Express execution: each start under the same name gets its own."""
    name = ids.execution_name(journey, hop)
    return f"arn:aws:states:ap-east-1:000000000000:express:waypost-dev-{journey}:{name}:{double}"


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
    """Plays the hops that were started, as Step Functions would: state by state, with its retries.

    ``body`` is left on GoalReached and JourneyExited, then ``after`` follows; ``versions`` has the bodies of machines that
    walk another one. ``trail`` is what happened, per enrolment.
    """

    def __init__(
        self,
        world: World,
        *,
        body: Sequence[Step],
        after: Sequence[Step] = (),
        versions: Mapping[str, Sequence[Step]] | None = None,
    ) -> None:
        self.world = world
        self.body, self.after, self.versions = body, after, versions or {}
        self.trail: dict[str, list[str]] = {}
        self._run: Counter[str] = Counter()

    def advance(self) -> None:
        """Run every hop that was started, and those that are started meanwhile."""
        while self.world.machines.pending:
            name = self.world.machines.pending.pop(0)
            for _ in Walk(self, *self.world.machines.executions[name], double=self._run[name]).steps():
                pass
            self._run[name] += 1

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
                self.world.fire_next(sets_out=False)
            self.advance()
            while unheard := [each for each in self.world.queue.events.values() if each.id not in heard]:
                self.world.route(unheard[0])
                heard.add(unheard[0].id)
                self.advance()


class Walk:
    """One execution of a hop by a machine. ``double`` tells executions of the same hop apart."""

    def __init__(self, play: Play, machine: str, given: Mapping[str, Any], *, double: int = 0) -> None:
        self.play, self.world = play, play.world
        self._given = given
        self._body = play.versions.get(machine, play.body)
        self._execution = execution_arn(str(given["journey"]), given["hop"]["id"], double)
        self._enrolment_id = str(given["enrolment_id"])

    def steps(self) -> Generator[str]:
        """Walk from where the hop begins to where it parks, is superseded or ends; yields the state before each task."""
        try:
            yield from self._walk()
        except HopSuperseded:
            return

    def _walk(self) -> Generator[str]:
        at = self._given["hop"].get("at")
        places = [(step, False) for step in self._body] + [(step, True) for step in self.play.after]
        if at is None:
            yield "Begin"
            if self._ask("Begin", {"begin": True})["status"] == "parked":
                return
            self.play.trail.setdefault(self._enrolment_id, [])
        index = 0 if at is None else next(index for index, ((_, state, _), _) in enumerate(places) if state == at)
        left = places[index][1]
        while index < len(places):
            (kind, state, payload), outside = places[index]
            if outside and not left:
                break
            yield state
            index += 1
            match kind:
                case "report":
                    self._report(state, payload)
                case "event":
                    self.world.route(event(state, self.world.clock(), **payload))
                case "send":
                    self._send(state, payload, after_exit=outside)
                case _:
                    answer = self._ask(state, payload)
                    if answer["status"] == "parked":
                        return
                    self.trail.append(f"{state}: {answer.get('error') or answer['result']['outcome']}")
                    if answer["status"] == "left":
                        left, index = True, max(index, len(self._body))
        yield "Close"
        redelivered(lambda: self.world.close_enrolment.close(self._payload("Close", outcome="completed")))

    @property
    def trail(self) -> list[str]:
        return self.play.trail.setdefault(self._enrolment_id, [])

    def _payload(self, state: str, **payload: Any) -> dict[str, Any]:
        context = {"Execution": {"Id": self._execution, "Input": dict(self._given)}, "State": {"Name": state}}
        return json.loads(json.dumps({**payload, "context": context}))  # type: ignore[no-any-return]

    def _ask(self, state: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        row = {"at": state, "input": {}, "variables": {}}
        return redelivered(lambda: self.world.pause_journey.ask(self._payload(state, **{"row": row, **payload})))

    def _send(self, state: str, payload: Mapping[str, Any], *, after_exit: bool) -> None:
        given = {"message": state} | dict(payload) | ({"after_exit": True} if after_exit else {})
        request = SendRequest.from_payload(self._payload(state, **given))
        result = redelivered(lambda: self.world.send_message.send(request))
        self.trail.append(f"{state}: {result.outcome}")

    def _report(self, state: str, report: Mapping[str, Any]) -> None:
        """The provider says what became of a message, if it got it."""
        request = SendRequest.from_payload(self._payload(state, message=state))
        if not self.world.email.risky_calls(request.message_key):
            return
        properties = {name: value for name, value in report.items() if name != "type"}
        notice = event(
            str(report["type"]),
            self.world.clock(),
            contact={"contact_id": self._given["contact_id"]},
            message_key=request.message_key,
            **properties,
        )
        self.world.route(replace(notice, source="waypost.ses"))
