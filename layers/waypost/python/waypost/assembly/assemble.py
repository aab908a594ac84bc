"""Each service of the engine, assembled from ports and published values. Run by the functions, and by the tests' ``World``.

A service is imported by its own function alone, so that no cold start loads another's: pausing evaluates no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from waypost.files.folders import (
    AUDIENCES,
    AUDIENCES_WORK,
    CODES,
    EXPORTS,
    EXPORTS_WORK,
    IMPORTS,
    IMPORTS_WORK,
    LIBRARY,
    PAGES,
    REFRESH_WORK,
    RESCORE_WORK,
)

if TYPE_CHECKING:
    from waypost.approvals.ask_for_approval import AskForApproval
    from waypost.approvals.control_journey import ControlJourney, JourneyHolds
    from waypost.approvals.decide_approval import DecideApproval
    from waypost.approvals.publish_message import PublishMessage
    from waypost.approvals.request_approval import RequestApproval
    from waypost.assembly.ports import Ports
    from waypost.audiences.build_audience_slice import BuildAudienceSlice, ContactReader
    from waypost.audiences.gather_audience import GatherAudience
    from waypost.audiences.plan_audience import PlanAudience
    from waypost.audiences.preview_segment import PreviewSegment
    from waypost.audiences.spread_event import SpreadEvent
    from waypost.bulk.run_slice import SliceRunner
    from waypost.channels.callback_contract import NoticeQueue
    from waypost.channels.code_contract import CodeMaker
    from waypost.channels.people_contract import People
    from waypost.channels.results_contract import Results
    from waypost.contacts.attributes import AttributeSystem
    from waypost.contacts.channels import Channel
    from waypost.contacts.identity.merge_contacts import MergeContacts
    from waypost.contacts.identity.rules import IdentityRules
    from waypost.contacts.lift_suppression import LiftSuppression
    from waypost.contacts.mark_test_contact import MarkTestContact
    from waypost.contacts.tag_system import TagSystem
    from waypost.content.catalogue import MessageCatalogue
    from waypost.content.coupons import CouponVariables
    from waypost.content.forbidden_words import ForbiddenWords
    from waypost.content.message_library import LibraryCatalogue
    from waypost.content.products import ProductVariables
    from waypost.coupons.import_coupons import ImportCoupons
    from waypost.coupons.pool import CouponPools
    from waypost.defaults import Defaults
    from waypost.destinations.call_webhook import CallWebhook
    from waypost.destinations.declared import Destination
    from waypost.destinations.ports import DestinationSecrets
    from waypost.events.listening import Listening
    from waypost.events.ports import SecretStore
    from waypost.exporting.export_slice import ExportSlice
    from waypost.exporting.finish_export import FinishExport
    from waypost.exporting.plan_export import PlanExport
    from waypost.http.ports import Poster
    from waypost.human_tasks.answer_task import AnswerTask
    from waypost.importing.applying import Importer
    from waypost.importing.finish_import import FinishImport
    from waypost.importing.import_part import ImportPart
    from waypost.importing.inspect_import import InspectImport
    from waypost.importing.leave_list import LeaveList
    from waypost.importing.reconcile_import import ReconcileImport
    from waypost.importing.split_import import SplitImport
    from waypost.intake.answer_at_once import AnswerAtOnce
    from waypost.intake.declared_replies import DeclaredReplies
    from waypost.journeys.changes.apply_change import ApplyChange
    from waypost.journeys.changes.ports import ChangeStore
    from waypost.journeys.changes.undo_change import UndoChange
    from waypost.journeys.close_enrolment import CloseEnrolment
    from waypost.journeys.pause_journey import PauseJourney
    from waypost.journeys.ports import Machines
    from waypost.journeys.published import PublishedJourneys
    from waypost.journeys.resume_journey import ResumeJourney
    from waypost.journeys.start_journey import StartJourney
    from waypost.journeys.stop_enrolment import StopEnrolment
    from waypost.journeys.stop_journey import StopJourney
    from waypost.journeys.sweep_journeys import SweepJourneys
    from waypost.journeys.tasks.assign_task import AssignTask
    from waypost.journeys.tasks.evaluate_segment import EvaluateSegment
    from waypost.journeys.tasks.issue_coupon import IssueCoupon
    from waypost.journeys.tasks.notify_staff import NotifyStaff
    from waypost.journeys.tasks.start_other_journey import StartOtherJourney
    from waypost.journeys.tasks.stop_other_journey import StopOtherJourney
    from waypost.journeys.tasks.update_contact import UpdateContact
    from waypost.metrics.count_purchases import CountPurchases
    from waypost.metrics.declaration import MetricsDeclaration
    from waypost.metrics.measuring import Measurer
    from waypost.metrics.plan_refresh import PlanRefresh
    from waypost.metrics.rank_customers import RankCustomers
    from waypost.metrics.refresh_contacts import RefreshContacts
    from waypost.metrics.relate_products import RelateProducts
    from waypost.products.catalogue import Catalogue
    from waypost.products.notify_watchers import NotifyWatchers
    from waypost.products.purchases import Purchases
    from waypost.products.update_products import UpdateProducts
    from waypost.reports.explain_contact import ExplainContact
    from waypost.reports.journey_page import Graphs
    from waypost.reports.show_contact import ShowContact
    from waypost.reports.timeline import ContactItems
    from waypost.routing.route_events import RouteEvents
    from waypost.segments.history_lookup import HistoryLookup
    from waypost.segments.index import RuleIndex
    from waypost.segments.lifecycle import Lifecycle
    from waypost.segments.saved_segments import SavedSegment
    from waypost.segments.upkeep import Upkeep
    from waypost.sending.deferral import Deferrals
    from waypost.sending.held_journeys import HeldJourneys
    from waypost.sending.occasion import StaffNotice
    from waypost.sending.policy import SendingPolicy
    from waypost.sending.send_message import PageUrls, SendMessage, Tracking, UnsubscribeUrl
    from waypost.sending.send_test import SendTest
    from waypost.staff.directory import StaffDirectory
    from waypost.staff.import_staff import ImportStaff
    from waypost.staff.keep_staff import KeepStaff
    from waypost.staff.live_directory import StaffInForce
    from waypost.staff.outside_members import StaffSource
    from waypost.staff.show_customers import ShowCustomers
    from waypost.staff.sync_staff import SyncStaff
    from waypost.tracking.ask_task_results import AskTaskResults
    from waypost.tracking.make_codes import MakeCodes
    from waypost.tracking.record_delivery import RecordDelivery
    from waypost.tracking.rescore_engagement import RescoreEngagement
    from waypost.tracking.scenes import DeclaredScenes
    from waypost.tracking.show_task_results import ShowTaskResults
    from waypost.tracking.sync_person import SyncPerson
    from waypost.tracking.watch_streams import PauseStream
    from waypost.workdays import Workdays


def deferrals(ports: Ports) -> Deferrals:
    """The messages that wait."""
    from waypost.sending.deferral import Deferrals

    return Deferrals(
        ledger=ports.ledger(), enrolments=ports.enrolments(), schedules=ports.schedules(), clock=ports.clock()
    )


def send_message(
    ports: Ports,
    *,
    messages: MessageCatalogue,
    policy: SendingPolicy,
    defaults: Defaults,
    unsubscribe_url: UnsubscribeUrl,
    rates: Mapping[Channel, float],
    report: Callable[[str], None],
    products: Callable[[], ProductVariables] | None = None,
    purchases: Callable[[], Purchases] | None = None,
    coupons: Callable[[], CouponVariables] | None = None,
    tracking: Tracking | None = None,
    page_urls: PageUrls | None = None,
    staff: Callable[[], StaffDirectory] | None = None,
    words: Callable[[], ForbiddenWords] | None = None,
    staff_links: Callable[[StaffNotice], Mapping[str, str]] | None = None,
) -> SendMessage:
    """The sender; ``policy`` is the deployed one, and ``report`` is given why a change of it could not be applied."""
    from waypost.content.forbidden_words import ForbiddenWords
    from waypost.sending.budget import Budget
    from waypost.sending.pace import Pace
    from waypost.sending.policy_in_force import PolicyInForce
    from waypost.sending.send_message import SendMessage
    from waypost.staff.directory import StaffDirectory

    return SendMessage(
        messages=messages,
        policy=PolicyInForce(deployed=policy, store=ports.policies(), clock=ports.clock(), report=report),
        defaults=defaults,
        ledger=ports.ledger(),
        deferrals=deferrals(ports),
        addresses=ports.addresses(),
        provider=ports.provider,
        pace=Pace(marks=ports.rate_marks(), rates=rates),
        budget=Budget(counters=ports.budget_counters(), zone=defaults.time_zone),
        unsubscribe_url=unsubscribe_url,
        clock=ports.clock(),
        sleep=ports.sleep,
        products=products,
        purchases=purchases,
        coupons=coupons,
        tracking=tracking,
        page_urls=page_urls,
        staff=staff or StaffDirectory,
        profiles=ports.contacts,
        passages=lambda contact_id, enrolment_id: ports.enrolments().load(contact_id, enrolment_id),
        words=words or ForbiddenWords,
        staff_links=staff_links,
        tasks=lambda contact_id, task_id: ports.tasks().load(contact_id, task_id),
    )


def message_catalogue(ports: Ports, *, deployed: MessageCatalogue, age: Callable[[], float]) -> LibraryCatalogue:
    """The messages of the deployment and the approved versions that replaced them; ``age`` is the process's in seconds."""
    from waypost.content.message_library import LibraryCatalogue

    return LibraryCatalogue(deployed=deployed, store=ports.library(), files=ports.files(reads=(LIBRARY,)), age=age)


def publish_message(
    ports: Ports,
    *,
    messages: MessageCatalogue,
    sender: SendMessage,
    staff: Callable[[], StaffDirectory],
    words: Callable[[], ForbiddenWords],
    defaults: Defaults,
) -> PublishMessage:
    """What keeps versions of messages and has them approved."""
    from waypost.approvals.publish_message import PublishMessage

    return PublishMessage(
        deployed=messages,
        store=ports.library(),
        files=ports.files(reads=(LIBRARY,), writes=(LIBRARY,)),
        approvals=request_approval(ports, sender=sender, staff=staff),
        words=words,
        defaults=defaults,
        clock=ports.clock(),
    )


def ask_for_approval(ports: Ports, *, sender: SendMessage, staff: Callable[[], StaffDirectory]) -> AskForApproval:
    """What has runs of operations wait for a second person."""
    from waypost.approvals.ask_for_approval import AskForApproval

    return AskForApproval(approvals=request_approval(ports, sender=sender, staff=staff))


def request_approval(ports: Ports, *, sender: SendMessage, staff: Callable[[], StaffDirectory]) -> RequestApproval:
    """What asks a second person."""
    from waypost.approvals.request_approval import RequestApproval

    return RequestApproval(
        store=ports.approvals(), sender=sender, schedules=ports.schedules(), staff=staff, clock=ports.clock()
    )


def control_journey(ports: Ports, *, journeys: PublishedJourneys, holds: JourneyHolds) -> ControlJourney:
    """What pauses, drains, resumes and stops whole journeys."""
    from waypost.approvals.control_journey import ControlJourney

    changes = ports.journey_changes()
    return ControlJourney(
        journeys=journeys,
        holds=holds,
        enrolments=ports.enrolments(),
        changes=changes,
        stopping=apply_change(ports, changes=changes, wait=lambda: False),
        approvals=ports.approvals(),
        clock=ports.clock(),
    )


def decide_approval(ports: Ports, *, staff: Callable[[], StaffDirectory], secret: SecretStore) -> DecideApproval:
    """What takes decisions on requests for approval."""
    from waypost.approvals.decide_approval import DecideApproval

    return DecideApproval(
        store=ports.approvals(),
        library=ports.library(),
        files=ports.files(reads=(LIBRARY,)),
        schedules=ports.schedules(),
        staff=staff,
        secret=secret,
        runs=ports.waiting_runs,
        clock=ports.clock(),
    )


def send_test(ports: Ports, *, sender: SendMessage, staff: Callable[[], StaffDirectory]) -> SendTest:
    """What sends messages to staff as contacts would get them."""
    from waypost.sending.send_test import SendTest

    return SendTest(sender=sender, contacts=ports.contacts(), staff=staff)


def held_journeys(ports: Ports) -> HeldJourneys:
    """What says which journeys an operator holds."""
    from waypost.sending.held_journeys import HeldJourneys

    return HeldJourneys(store=ports.policies(), clock=ports.clock())


def hop_machines(ports: Ports, held: HeldJourneys) -> Machines:
    """The machines of journeys, which start no hop of one that is held."""
    from waypost.journeys.hops import HeldMachines

    return HeldMachines(ports.machines(), held)


def pause_journey(ports: Ports, *, default_zone: ZoneInfo) -> PauseJourney:
    """What takes hops and parks contacts."""
    from waypost.journeys.pause_journey import PauseJourney

    return PauseJourney(
        contacts=ports.contacts(),
        enrolments=ports.enrolments(),
        history=ports.history(),
        timers=ports.schedules(),
        default_zone=default_zone,
        clock=ports.clock(),
    )


def resume_journey(ports: Ports, *, default_zone: ZoneInfo, listening: Listening | None = None) -> ResumeJourney:
    """What ends Pauses by time; without ``listening`` every end of a journey is announced."""
    from waypost.journeys.resume_journey import ResumeJourney

    held = held_journeys(ports)
    return ResumeJourney(
        contacts=ports.contacts(),
        enrolments=ports.enrolments(),
        close_enrolment=close_enrolment(ports, listening=listening),
        default_zone=default_zone,
        timers=ports.schedules(),
        machines=hop_machines(ports, held),
        held=held,
        clock=ports.clock(),
        sleep=ports.sleep,
        side_by_side=ports.side_by_side(),
    )


def close_enrolment(ports: Ports, *, listening: Listening | None = None) -> CloseEnrolment:
    """What ends enrolments; without ``listening`` every end is announced."""
    from waypost.journeys.close_enrolment import CloseEnrolment

    return CloseEnrolment(
        enrolments=ports.enrolments(),
        ledger=ports.ledger(),
        queue=ports.queue(),
        clock=ports.clock(),
        announced=listening is None or "journey_ended" not in listening.settled,
    )


def stop_enrolment(ports: Ports) -> StopEnrolment:
    """What ends enrolments from outside."""
    from waypost.journeys.stop_enrolment import StopEnrolment

    return StopEnrolment(close_enrolment=close_enrolment(ports), deferrals=deferrals(ports), clock=ports.clock())


def stop_journey(ports: Ports) -> StopJourney:
    """What ends a contact's journey by hand."""
    from waypost.journeys.stop_journey import StopJourney

    return StopJourney(contacts=ports.contacts(), enrolments=ports.enrolments(), stop_enrolment=stop_enrolment(ports))


def apply_change(ports: Ports, *, changes: ChangeStore, wait: Callable[[], bool]) -> ApplyChange:
    """What takes contacts to where a change of their journey puts them."""
    from waypost.journeys.changes.apply_change import ApplyChange

    return ApplyChange(
        enrolments=ports.enrolments(),
        changes=changes,
        stop_enrolment=stop_enrolment(ports),
        clock=ports.clock(),
        wait=wait,
        side_by_side=ports.side_by_side(),
    )


def undo_change(ports: Ports, *, changes: ChangeStore, progress: Callable[[int], None]) -> UndoChange:
    """What puts contacts back where they stood before a change."""
    from waypost.journeys.changes.undo_change import UndoChange

    return UndoChange(
        enrolments=ports.enrolments(),
        changes=changes,
        stop_enrolment=stop_enrolment(ports),
        clock=ports.clock(),
        progress=progress,
        side_by_side=ports.side_by_side(),
    )


def sweep_journeys(ports: Ports, *, graphs: Graphs, default_zone: ZoneInfo) -> SweepJourneys:
    """What finds what was lost; ``graphs`` are the published ones, read for a journey that is given up."""
    from waypost.journeys.sweep_journeys import SweepJourneys
    from waypost.reports.journey_graph import steps_behind

    def steps_of(journey: str, pause: str) -> list[str]:
        graph = graphs(journey)
        return steps_behind(graph, pause) if graph else []

    held = held_journeys(ports)
    return SweepJourneys(
        enrolments=ports.enrolments(),
        resume_journey=resume_journey(ports, default_zone=default_zone),
        close_enrolment=close_enrolment(ports),
        machines=hop_machines(ports, held),
        held=held,
        ledger=ports.ledger(),
        steps_behind=steps_of,
        clock=ports.clock(),
        side_by_side=ports.side_by_side(),
    )


def route_events(
    ports: Ports,
    *,
    journeys: PublishedJourneys,
    default_zone: ZoneInfo,
    index: RuleIndex,
    tags: TagSystem,
    identity_rules: IdentityRules,
    listening: Listening,
) -> RouteEvents:
    """The router, with all that follows from an event."""
    from waypost.coupons.redeeming import CouponRedeemer
    from waypost.journeys.enrol_contact import EnrolContact
    from waypost.journeys.keep_time import KeepTime
    from waypost.journeys.wake_journeys import WakeJourneys
    from waypost.products.watching import WatchKeeper
    from waypost.routing.reactions import SyncPeople, reactions
    from waypost.routing.route_events import RouteEvents

    held = held_journeys(ports)
    machines = hop_machines(ports, held)
    keeps = upkeep(ports, index=index, tags=tags, default_zone=default_zone, listening=listening)
    return RouteEvents(
        contacts=ports.contacts(),
        history=ports.history(),
        queue=ports.queue(),
        newborn=keeps.keep_newborn,
        reactions=reactions(
            ledger=ports.ledger(),
            addresses=ports.addresses(),
            redeemer=CouponRedeemer(ports.coupons(), ports.queue()),
            watch_keeper=WatchKeeper(ports.watches(), ports.clock()),
            upkeep=keeps,
            wake_journeys=WakeJourneys(
                journeys=journeys,
                default_zone=default_zone,
                enrolments=ports.enrolments(),
                history=ports.history(),
                machines=machines,
                deferrals=deferrals(ports),
                keep_time=KeepTime(
                    contacts=ports.contacts(),
                    enrolments=ports.enrolments(),
                    timers=ports.schedules(),
                    machines=machines,
                    default_zone=default_zone,
                    clock=ports.clock(),
                ),
                close_enrolment=close_enrolment(ports, listening=listening),
                clock=ports.clock(),
                side_by_side=ports.side_by_side(),
            ),
            enrol_contact=EnrolContact(
                journeys=journeys,
                default_zone=default_zone,
                enrolments=ports.enrolments(),
                history=ports.history(),
                machines=machines,
                held=held,
                clock=ports.clock(),
            ),
            sync_people=SyncPeople(ports.sync_queue, tags),
        ),
        bus=ports.bus(),
        listening=listening,
        clock=ports.clock(),
        identity_rules=identity_rules,
        wait=ports.sleep,
    )


def history_lookup(ports: Ports) -> HistoryLookup:
    """What rules ask about beside the profile."""
    from waypost.segments.history_lookup import HistoryLookup

    return HistoryLookup(history=ports.history(), enrolments=ports.enrolments())


def upkeep(
    ports: Ports, *, index: RuleIndex, tags: TagSystem, default_zone: ZoneInfo, listening: Listening | None = None
) -> Upkeep:
    """What keeps segments, rule tags and the life cycle true."""
    from waypost.events.listening import Listening
    from waypost.segments.upkeep import Upkeep

    return Upkeep(
        index=index,
        tags=tags,
        contacts=ports.contacts(),
        lookup=history_lookup(ports),
        queue=ports.queue(),
        history=ports.history(),
        default_zone=default_zone,
        clock=ports.clock(),
        listening=listening or Listening(),
    )


def evaluate_segment(ports: Ports, *, segments: Mapping[str, SavedSegment], default_zone: ZoneInfo) -> EvaluateSegment:
    """What says whether a contact is in a segment."""
    from waypost.journeys.tasks.evaluate_segment import EvaluateSegment

    return EvaluateSegment(
        contacts=ports.contacts(),
        enrolments=ports.enrolments(),
        history_lookup=history_lookup(ports),
        segments=segments,
        default_zone=default_zone,
        clock=ports.clock(),
    )


def issue_coupon(
    ports: Ports,
    *,
    pools: CouponPools,
    default_zone: ZoneInfo,
    choose: Callable[[int], int],
    report: Callable[[str, int], None],
) -> IssueCoupon:
    """What issues coupons; ``choose(n)`` is a secret number below n."""
    from waypost.coupons.issuing import CouponIssuer
    from waypost.journeys.tasks.issue_coupon import IssueCoupon

    return IssueCoupon(
        contacts=ports.contacts(),
        enrolments=ports.enrolments(),
        issuer=CouponIssuer(store=ports.coupons(), pools=pools, clock=ports.clock(), choose=choose, wait=ports.sleep),
        queue=ports.queue(),
        default_zone=default_zone,
        clock=ports.clock(),
        report=report,
    )


def call_webhook(
    ports: Ports,
    *,
    destinations: Mapping[str, Destination],
    secrets: DestinationSecrets,
    poster: Poster,
    endpoint: str = "",
) -> CallWebhook:
    """What calls other systems for journeys."""
    from waypost.destinations.call_webhook import CallWebhook

    return CallWebhook(
        destinations=destinations,
        contacts=ports.contacts(),
        enrolments=ports.enrolments(),
        secrets=secrets,
        poster=poster,
        clock=ports.clock(),
        sleep=ports.sleep,
        endpoint=endpoint,
    )


def start_other_journey(ports: Ports, *, journeys: PublishedJourneys) -> StartOtherJourney:
    """What asks for another journey from a journey."""
    from waypost.journeys.tasks.start_other_journey import StartOtherJourney

    return StartOtherJourney(journeys=journeys, enrolments=ports.enrolments(), queue=ports.queue(), clock=ports.clock())


def stop_other_journey(ports: Ports) -> StopOtherJourney:
    """What ends another journey from a journey."""
    from waypost.journeys.tasks.stop_other_journey import StopOtherJourney

    return StopOtherJourney(contacts=ports.contacts(), enrolments=ports.enrolments(), stop_journey=stop_journey(ports))


def notify_staff(ports: Ports, *, sender: SendMessage, staff: Callable[[], StaffDirectory]) -> NotifyStaff:
    """What notifies members of staff from a journey."""
    from waypost.journeys.tasks.notify_staff import NotifyStaff
    from waypost.journeys.tasks.staff_targets import StaffTargets

    return NotifyStaff(
        contacts=ports.contacts(),
        enrolments=ports.enrolments(),
        targets=StaffTargets(staff=staff, history=ports.history()),
        sender=sender,
    )


def assign_task(
    ports: Ports,
    *,
    sender: SendMessage,
    staff: Callable[[], StaffDirectory],
    workdays: Callable[[], Workdays],
    default_zone: ZoneInfo,
) -> AssignTask:
    """What gives members of staff tasks from a journey."""
    from waypost.journeys.tasks.assign_task import AssignTask
    from waypost.journeys.tasks.staff_targets import StaffTargets

    return AssignTask(
        contacts=ports.contacts(),
        enrolments=ports.enrolments(),
        targets=StaffTargets(staff=staff, history=ports.history()),
        tasks=ports.tasks(),
        responses=ports.responses(),
        sender=sender,
        schedules=ports.schedules(),
        queue=ports.queue(),
        workdays=workdays,
        default_zone=default_zone,
        clock=ports.clock(),
    )


def answer_task(
    ports: Ports, *, staff: Callable[[], StaffDirectory], secret: SecretStore, default_zone: ZoneInfo
) -> AnswerTask:
    """What shows members of staff their tasks and takes the answers."""
    from waypost.human_tasks.answer_task import AnswerTask

    return AnswerTask(
        tasks=ports.tasks(),
        responses=ports.responses(),
        contacts=ports.contacts(),
        enrolments=ports.enrolments(),
        schedules=ports.schedules(),
        queue=ports.queue(),
        staff=staff,
        secret=secret,
        default_zone=default_zone,
        clock=ports.clock(),
    )


def update_contact(
    ports: Ports, *, tags: TagSystem, attributes: AttributeSystem, lifecycle: Lifecycle | None, listening: Listening
) -> UpdateContact:
    """What changes a contact for a journey."""
    from waypost.journeys.tasks.update_contact import UpdateContact

    return UpdateContact(
        contacts=ports.contacts(),
        enrolments=ports.enrolments(),
        queue=ports.queue(),
        history=ports.history(),
        listening=listening,
        tags=tags,
        attributes=attributes,
        lifecycle=lifecycle,
        clock=ports.clock(),
    )


def merge_contacts(ports: Ports, *, rules: IdentityRules) -> MergeContacts:
    """What merges contacts and undoes it."""
    from waypost.contacts.identity.merge_contacts import MergeContacts

    return MergeContacts(contacts=ports.contacts(), queue=ports.queue(), rules=rules, clock=ports.clock())


def lift_suppression(ports: Ports) -> LiftSuppression:
    """What opens an address again."""
    from waypost.contacts.lift_suppression import LiftSuppression

    return LiftSuppression(
        contacts=ports.contacts(), addresses=ports.addresses(), queue=ports.queue(), clock=ports.clock()
    )


def mark_test_contact(ports: Ports) -> MarkTestContact:
    """What says who is a test contact."""
    from waypost.contacts.mark_test_contact import MarkTestContact

    return MarkTestContact(contacts=ports.contacts(), queue=ports.queue(), clock=ports.clock())


def answer_at_once(
    ports: Ports, *, sender: Callable[[], SendMessage], replies: DeclaredReplies, scenes: DeclaredScenes
) -> AnswerAtOnce:
    """What answers callbacks that cannot wait for the queue."""
    from waypost.intake.answer_at_once import AnswerAtOnce

    return AnswerAtOnce(
        replies=replies,
        contacts=ports.contacts(),
        addresses=ports.addresses(),
        sender=sender,
        scenes=scenes,
        clock=ports.clock(),
    )


def record_delivery(
    ports: Ports,
    *,
    listening: Listening,
    policy: SendingPolicy,
    policies: Callable[[], PauseStream],
    staff: Callable[[], StaffDirectory],
    scenes: DeclaredScenes,
    report: Callable[[str], None],
) -> RecordDelivery:
    """What turns providers' notices into events, and stops streams by them; ``policy`` is the deployed one."""
    from waypost.sending.policy_in_force import PolicyInForce
    from waypost.tracking.record_delivery import RecordDelivery
    from waypost.tracking.watch_streams import WatchStreams

    return RecordDelivery(
        contacts=ports.contacts(),
        ledger=ports.ledger(),
        addresses=ports.addresses(),
        queue=ports.queue(),
        listening=listening,
        streams=WatchStreams(
            tallies=ports.stream_tallies(),
            policy=PolicyInForce(deployed=policy, store=ports.policies(), clock=ports.clock(), report=report),
            policies=policies,
            bus=ports.bus,
            schedules=ports.schedules,
            staff=staff,
            clock=ports.clock(),
        ),
        scenes=scenes,
        clock=ports.clock(),
    )


def ask_task_results(
    ports: Ports,
    *,
    results: Callable[[Channel], Results | None],
    notices: NoticeQueue,
    staff: Callable[[], StaffDirectory],
    default_zone: ZoneInfo,
) -> AskTaskResults:
    """What asks what became of the messages that members of staff send."""
    from waypost.tracking.ask_task_results import AskTaskResults

    return AskTaskResults(
        ledger=ports.ledger(),
        results=results,
        queue=notices,
        figures=ports.task_figures(),
        schedules=ports.schedules(),
        staff=staff,
        zone=default_zone,
        clock=ports.clock(),
    )


def show_task_results(
    ports: Ports, *, channels: Iterable[Channel], staff: Callable[[], StaffDirectory], default_zone: ZoneInfo
) -> ShowTaskResults:
    """What shows how many of the messages that members of staff send were sent."""
    from waypost.tracking.show_task_results import ShowTaskResults

    return ShowTaskResults(
        figures=ports.task_figures(), channels=channels, staff=staff, zone=default_zone, clock=ports.clock()
    )


# The refresh at night.


def measurer(ports: Ports, *, metrics: MetricsDeclaration, default_zone: ZoneInfo) -> Measurer:
    """What computes the metrics of a contact."""
    from waypost.metrics.measuring import Measurer

    return Measurer(declaration=metrics, history_lookup=history_lookup(ports), default_zone=default_zone)


def plan_refresh(
    ports: Ports,
    *,
    metrics: MetricsDeclaration,
    tags: TagSystem,
    index: RuleIndex,
    segments: Mapping[str, SavedSegment],
    catalogue: Callable[[], Catalogue],
) -> PlanRefresh:
    """What plans a refresh."""
    from waypost.metrics.plan_refresh import PlanRefresh

    return PlanRefresh(
        scan=ports.profile_scan(),
        declaration=metrics,
        tags=tags,
        index=index,
        segments=segments,
        catalogue=catalogue,
        clock=ports.clock(),
    )


def count_purchases(
    ports: Ports, *, metrics: MetricsDeclaration, default_zone: ZoneInfo, catalogue: Callable[[], Catalogue]
) -> CountPurchases:
    """The first pass of a refresh."""
    from waypost.metrics.count_purchases import CountPurchases

    return CountPurchases(
        scan=ports.profile_scan(),
        measurer=measurer(ports, metrics=metrics, default_zone=default_zone),
        catalogue=catalogue,
        files=ports.files(reads=(REFRESH_WORK,), writes=(REFRESH_WORK,)),
    )


def relate_products(ports: Ports, *, catalogue: Callable[[], Catalogue]) -> RelateProducts:
    """What stores the products that are bought together."""
    from waypost.metrics.relate_products import RelateProducts

    return RelateProducts(files=ports.files(reads=(REFRESH_WORK,)), sales=ports.product_sales(), catalogue=catalogue)


def rank_customers(ports: Ports) -> RankCustomers:
    """What ranks everybody between the passes of a refresh."""
    from waypost.metrics.rank_customers import RankCustomers

    return RankCustomers(files=ports.files(reads=(REFRESH_WORK,)))


def refresh_contacts(
    ports: Ports, *, metrics: MetricsDeclaration, index: RuleIndex, tags: TagSystem, default_zone: ZoneInfo
) -> RefreshContacts:
    """The second pass of a refresh."""
    from waypost.metrics.refresh_contacts import RefreshContacts

    return RefreshContacts(
        scan=ports.profile_scan(),
        contacts=ports.contacts(),
        measurer=measurer(ports, metrics=metrics, default_zone=default_zone),
        upkeep=upkeep(ports, index=index, tags=tags, default_zone=default_zone),
        files=ports.files(reads=(REFRESH_WORK,), writes=(REFRESH_WORK,)),
    )


def rescore_engagement(ports: Ports) -> RescoreEngagement:
    """What judges openings and clicks again."""
    from waypost.tracking.rescore_engagement import RescoreEngagement

    return RescoreEngagement(
        scan=ports.profile_scan(),
        contacts=ports.contacts(),
        history=ports.history(),
        files=ports.files(reads=(RESCORE_WORK,), writes=(RESCORE_WORK,)),
        clock=ports.clock(),
    )


def spread_event(ports: Ports, *, default_zone: ZoneInfo) -> SpreadEvent:
    """What gives one event to everybody whom a rule selects."""
    from waypost.audiences.spread_event import SpreadEvent

    return SpreadEvent(scan=ports.profile_scan(), queue=ports.queue(), default_zone=default_zone, clock=ports.clock())


def update_products(ports: Ports, *, catalogue: Callable[[], Catalogue]) -> UpdateProducts:
    """What takes in prices and stock."""
    from waypost.products.update_products import UpdateProducts

    return UpdateProducts(
        states=ports.product_states(),
        catalogue=catalogue,
        files=ports.files(reads=(IMPORTS,)),
        clock=ports.clock(),
    )


def notify_watchers(ports: Ports) -> NotifyWatchers:
    """What tells of a changed product."""
    from waypost.products.notify_watchers import NotifyWatchers

    return NotifyWatchers(
        states=ports.product_states(), watches=ports.watches(), queue=ports.queue(), clock=ports.clock()
    )


def import_coupons(ports: Ports, *, pools: Callable[[], CouponPools]) -> ImportCoupons:
    """What takes a shop's codes into a pool."""
    from waypost.coupons.import_coupons import ImportCoupons

    return ImportCoupons(
        store=ports.coupons(),
        pools=pools,
        files=ports.files(reads=(IMPORTS,)),
        clock=ports.clock(),
        side_by_side=ports.side_by_side(),
    )


def import_staff(ports: Ports, *, deployed: Callable[[], StaffDirectory]) -> ImportStaff:
    """What takes members of staff from a file."""
    from waypost.staff.import_staff import ImportStaff

    return ImportStaff(keep_staff=keep_staff(ports), deployed=deployed, files=ports.files(reads=(IMPORTS,)))


def sync_staff(ports: Ports, *, source: Callable[[], StaffSource]) -> SyncStaff:
    """What takes members of staff from WeCom."""
    from waypost.staff.sync_staff import SyncStaff

    return SyncStaff(keep_staff=keep_staff(ports), source=source)


def show_customers(
    ports: Ports, *, staff: Callable[[], StaffDirectory], source: Callable[[], StaffSource]
) -> ShowCustomers:
    """What shows whom a member of staff serves."""
    from waypost.staff.show_customers import ShowCustomers

    return ShowCustomers(
        staff=staff, source=source, contacts=ports.bulk_contacts(), files=ports.files(writes=(EXPORTS,))
    )


def keep_staff(ports: Ports) -> KeepStaff:
    """What keeps the list of members of a source."""
    from waypost.staff.keep_staff import KeepStaff

    return KeepStaff(store=ports.live_staff(), bus=ports.bus(), clock=ports.clock())


def staff_in_force(ports: Ports, *, deployed: Callable[[], StaffDirectory]) -> StaffInForce:
    """The directory: the deployed one, and who came in since."""
    from waypost.staff.live_directory import StaffInForce

    return StaffInForce(deployed=deployed, store=ports.live_staff, clock=ports.clock())


def sync_person(ports: Ports, *, people: Callable[[Channel], People], tags: TagSystem) -> SyncPerson:
    """What asks providers about people, and keeps tags alike."""
    from waypost.tracking.sync_person import SyncPerson

    return SyncPerson(people=people, contacts=ports.contacts(), queue=ports.queue(), tags=tags, clock=ports.clock())


def make_codes(
    ports: Ports, *, scenes: Callable[[], DeclaredScenes], makers: Callable[[Channel], CodeMaker]
) -> MakeCodes:
    """What makes the QR codes of the declared scenes."""
    from waypost.tracking.make_codes import MakeCodes

    return MakeCodes(
        scenes=scenes,
        makers=makers,
        files=ports.files(reads=(CODES,), writes=(CODES,)),
        clock=ports.clock(),
    )


def start_journey(ports: Ports, *, journeys: PublishedJourneys, default_zone: ZoneInfo) -> StartJourney:
    """What starts a journey by hand, or by the clock."""
    from waypost.journeys.start_journey import StartJourney

    return StartJourney(
        journeys=journeys,
        contacts=ports.contacts(),
        queue=ports.queue(),
        spread_event=spread_event(ports, default_zone=default_zone),
        default_zone=default_zone,
        clock=ports.clock(),
    )


def show_contact(ports: Ports, *, items: ContactItems, graphs: Graphs, default_zone: ZoneInfo) -> ShowContact:
    """What draws the page of a contact's journeys."""
    from waypost.reports.show_contact import ShowContact

    return ShowContact(
        contacts=ports.contacts(),
        items=items,
        files=ports.files(reads=(PAGES,), writes=(PAGES,)),
        graphs=graphs,
        default_zone=default_zone,
        clock=ports.clock(),
    )


def explain_contact(ports: Ports, *, items: ContactItems, default_zone: ZoneInfo) -> ExplainContact:
    """What explains the decisions on a contact's messages."""
    from waypost.reports.explain_contact import ExplainContact

    return ExplainContact(
        contacts=ports.contacts(),
        items=items,
        files=ports.files(reads=(PAGES,), writes=(PAGES,)),
        default_zone=default_zone,
        clock=ports.clock(),
    )


# Files of contacts in and out.


def importer(ports: Ports, *, identity_rules: IdentityRules) -> Importer:
    """What makes contacts of rows."""
    from waypost.importing.applying import Importer

    return Importer(
        contacts=ports.bulk_contacts(),
        history=ports.history(),
        clock=ports.clock(),
        queue=ports.queue(),
        identity_rules=identity_rules,
        wait=ports.sleep,
    )


def inspect_import(ports: Ports) -> InspectImport:
    """What plans an import."""
    from waypost.importing.inspect_import import InspectImport

    return InspectImport(files=ports.files(reads=(IMPORTS, IMPORTS_WORK), writes=(IMPORTS_WORK,)), clock=ports.clock())


def split_import(ports: Ports) -> SplitImport:
    """What divides a file into parts."""
    from waypost.importing.split_import import SplitImport

    return SplitImport(
        files=ports.files(reads=(IMPORTS, IMPORTS_WORK), writes=(IMPORTS_WORK,)), scan=ports.profile_scan()
    )


def import_part(ports: Ports, *, identity_rules: IdentityRules) -> ImportPart:
    """What imports the rows of a part."""
    from waypost.importing.import_part import ImportPart

    return ImportPart(
        files=ports.files(reads=(IMPORTS, IMPORTS_WORK), writes=(IMPORTS_WORK,)),
        contacts=ports.bulk_contacts(),
        importer=importer(ports, identity_rules=identity_rules),
    )


def reconcile_import(ports: Ports, *, identity_rules: IdentityRules) -> ReconcileImport:
    """What compares the rows about one person."""
    from waypost.importing.reconcile_import import ReconcileImport

    return ReconcileImport(
        files=ports.files(reads=(IMPORTS_WORK,), writes=(IMPORTS_WORK,)),
        importer=importer(ports, identity_rules=identity_rules),
    )


def leave_list(ports: Ports, *, identity_rules: IdentityRules) -> LeaveList:
    """What takes off a full list who is not in its file."""
    from waypost.importing.leave_list import LeaveList

    return LeaveList(
        files=ports.files(reads=(IMPORTS_WORK,), writes=(IMPORTS_WORK,)),
        scan=ports.profile_scan(),
        importer=importer(ports, identity_rules=identity_rules),
    )


def finish_import(ports: Ports) -> FinishImport:
    """What reports on an import."""
    from waypost.importing.finish_import import FinishImport

    return FinishImport(files=ports.files(reads=(IMPORTS_WORK,), writes=(IMPORTS,)))


def plan_export(ports: Ports, *, segments: Mapping[str, SavedSegment]) -> PlanExport:
    """What plans an export."""
    from waypost.exporting.plan_export import PlanExport

    return PlanExport(
        files=ports.files(reads=(AUDIENCES, EXPORTS_WORK), writes=(EXPORTS_WORK,)),
        scan=ports.profile_scan(),
        segments=segments,
    )


def export_slice(ports: Ports) -> ExportSlice:
    """What writes the rows of a slice."""
    from waypost.exporting.export_slice import ExportSlice

    return ExportSlice(
        files=ports.files(reads=(AUDIENCES, EXPORTS_WORK), writes=(EXPORTS_WORK,)),
        scan=ports.profile_scan(),
        contacts=ports.bulk_contacts(),
        clock=ports.clock(),
    )


def finish_export(ports: Ports) -> FinishExport:
    """What puts the slices of an export into files."""
    from waypost.exporting.finish_export import FinishExport

    return FinishExport(files=ports.files(reads=(EXPORTS_WORK,), writes=(EXPORTS,)))


# Audiences.


def contact_reader(ports: Ports) -> ContactReader:
    """What reads contacts and their histories over the client of bulk runs."""
    from waypost.audiences.build_audience_slice import ContactReader
    from waypost.segments.history_lookup import HistoryLookup

    return ContactReader(
        scan=ports.profile_scan(),
        history_lookup=HistoryLookup(history=ports.bulk_history(), enrolments=ports.bulk_enrolments()),
    )


def audience_runner(ports: Ports) -> SliceRunner:
    """What runs a slice of an audience, and counts what reading histories costs."""
    from waypost.bulk.run_slice import SliceRunner

    return SliceRunner(read_units=ports.read_units)


def plan_audience(
    ports: Ports, *, segments: Mapping[str, SavedSegment], default_zone: ZoneInfo, listening: Listening
) -> PlanAudience:
    """What plans an audience, or a preview."""
    from waypost.audiences.plan_audience import PlanAudience

    return PlanAudience(
        files=ports.files(reads=(AUDIENCES,), writes=(AUDIENCES,)),
        scan=ports.profile_scan(),
        segments=segments,
        default_zone=default_zone,
        clock=ports.clock(),
        listening=listening,
    )


def build_audience_slice(ports: Ports) -> BuildAudienceSlice:
    """What builds a slice of an audience."""
    from waypost.audiences.build_audience_slice import BuildAudienceSlice

    both = (AUDIENCES, AUDIENCES_WORK)
    return BuildAudienceSlice(
        files=ports.files(reads=both, writes=both), reader=contact_reader(ports), runner=audience_runner(ports)
    )


def gather_audience(ports: Ports, *, segments: Mapping[str, SavedSegment]) -> GatherAudience:
    """What puts the slices of an audience together."""
    from waypost.audiences.gather_audience import GatherAudience

    return GatherAudience(
        files=ports.files(reads=(AUDIENCES, AUDIENCES_WORK), writes=(AUDIENCES,)),
        segments=segments,
        clock=ports.clock(),
    )


def preview_segment(
    ports: Ports, *, segments: Mapping[str, SavedSegment], default_zone: ZoneInfo, listening: Listening
) -> PreviewSegment:
    """Wire PreviewSegment; it uses only the report of GatherAudience."""
    from waypost.audiences.gather_audience import GatherAudience
    from waypost.audiences.preview_segment import PreviewSegment

    return PreviewSegment(
        plan_audience=plan_audience(ports, segments=segments, default_zone=default_zone, listening=listening),
        reader=contact_reader(ports),
        gather_audience=GatherAudience(files=ports.files(writes=(AUDIENCES,)), segments=segments, clock=ports.clock()),
        runner=audience_runner(ports),
    )
