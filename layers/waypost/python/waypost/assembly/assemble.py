"""Each service of the engine, assembled from ports and published values. Run by the functions, and by the tests' ``World``.

A service is imported by its own function alone, so that no cold start loads another's: pausing evaluates no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from waypost.assembly.ports import Ports
    from waypost.contacts.attributes import AttributeSystem
    from waypost.contacts.identity.merge_contacts import MergeContacts
    from waypost.contacts.identity.rules import IdentityRules
    from waypost.contacts.tag_system import TagSystem
    from waypost.content.catalogue import MessageCatalogue
    from waypost.content.products import ProductVariables
    from waypost.defaults import Defaults
    from waypost.events.listening import Listening
    from waypost.journeys.close_enrolment import CloseEnrolment
    from waypost.journeys.pause_journey import PauseJourney
    from waypost.journeys.published import PublishedJourneys
    from waypost.journeys.resume_journey import ResumeJourney
    from waypost.journeys.sweep_journeys import SweepJourneys
    from waypost.journeys.tasks.evaluate_segment import EvaluateSegment
    from waypost.journeys.tasks.update_contact import UpdateContact
    from waypost.routing.route_events import RouteEvents
    from waypost.segments.history_lookup import HistoryLookup
    from waypost.segments.index import RuleIndex
    from waypost.segments.lifecycle import Lifecycle
    from waypost.segments.saved_segments import SavedSegment
    from waypost.segments.upkeep import Upkeep
    from waypost.sending.deferral import Deferrals
    from waypost.sending.policy import SendingPolicy
    from waypost.sending.send_message import SendMessage, UnsubscribeUrl


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
    products: Callable[[], ProductVariables] | None = None,
) -> SendMessage:
    """The sender."""
    from waypost.sending.send_message import SendMessage

    return SendMessage(
        messages=messages,
        policy=policy,
        defaults=defaults,
        ledger=ports.ledger(),
        deferrals=deferrals(ports),
        provider=ports.provider,
        unsubscribe_url=unsubscribe_url,
        clock=ports.clock(),
        sleep=ports.sleep,
        products=products,
    )


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


def resume_journey(ports: Ports, *, default_zone: ZoneInfo) -> ResumeJourney:
    """What ends pauses by time."""
    from waypost.journeys.resume_journey import ResumeJourney

    return ResumeJourney(
        contacts=ports.contacts(),
        enrolments=ports.enrolments(),
        timers=ports.schedules(),
        machines=ports.machines(),
        default_zone=default_zone,
        clock=ports.clock(),
        sleep=ports.sleep,
        side_by_side=ports.side_by_side(),
    )


def close_enrolment(ports: Ports) -> CloseEnrolment:
    """What ends enrolments."""
    from waypost.journeys.close_enrolment import CloseEnrolment

    return CloseEnrolment(enrolments=ports.enrolments(), queue=ports.queue(), clock=ports.clock())


def sweep_journeys(ports: Ports, *, default_zone: ZoneInfo) -> SweepJourneys:
    """What finds what was lost."""
    from waypost.journeys.sweep_journeys import SweepJourneys

    return SweepJourneys(
        enrolments=ports.enrolments(),
        resume_journey=resume_journey(ports, default_zone=default_zone),
        close_enrolment=close_enrolment(ports),
        machines=ports.machines(),
        ledger=ports.ledger(),
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
    from waypost.journeys.enrol_contact import EnrolContact
    from waypost.journeys.wake_journeys import WakeJourneys
    from waypost.routing.reactions import reactions
    from waypost.routing.route_events import RouteEvents

    return RouteEvents(
        contacts=ports.contacts(),
        history=ports.history(),
        queue=ports.queue(),
        reactions=reactions(
            ledger=ports.ledger(),
            upkeep=upkeep(ports, index=index, tags=tags, default_zone=default_zone),
            wake_journeys=WakeJourneys(
                journeys=journeys,
                default_zone=default_zone,
                enrolments=ports.enrolments(),
                history=ports.history(),
                machines=ports.machines(),
                deferrals=deferrals(ports),
                clock=ports.clock(),
            ),
            enrol_contact=EnrolContact(
                journeys=journeys,
                default_zone=default_zone,
                enrolments=ports.enrolments(),
                history=ports.history(),
                machines=ports.machines(),
                clock=ports.clock(),
            ),
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


def upkeep(ports: Ports, *, index: RuleIndex, tags: TagSystem, default_zone: ZoneInfo) -> Upkeep:
    """What keeps segments, rule tags and the life cycle true."""
    from waypost.segments.upkeep import Upkeep

    return Upkeep(
        index=index,
        tags=tags,
        contacts=ports.contacts(),
        lookup=history_lookup(ports),
        queue=ports.queue(),
        default_zone=default_zone,
        clock=ports.clock(),
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


def update_contact(
    ports: Ports, *, tags: TagSystem, attributes: AttributeSystem, lifecycle: Lifecycle | None
) -> UpdateContact:
    """What changes a contact for a journey."""
    from waypost.journeys.tasks.update_contact import UpdateContact

    return UpdateContact(
        contacts=ports.contacts(),
        enrolments=ports.enrolments(),
        queue=ports.queue(),
        tags=tags,
        attributes=attributes,
        lifecycle=lifecycle,
        clock=ports.clock(),
    )


def merge_contacts(ports: Ports, *, rules: IdentityRules) -> MergeContacts:
    """What merges contacts and undoes it."""
    from waypost.contacts.identity.merge_contacts import MergeContacts

    return MergeContacts(contacts=ports.contacts(), queue=ports.queue(), rules=rules, clock=ports.clock())
