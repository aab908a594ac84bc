"""Issue a coupon to the contact of a journey. Called by issue_coupon."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.clock import Clock, format_instant
from waypost.contacts.ports import ContactStore
from waypost.contacts.zones import zone_of
from waypost.coupons.coupon import Coupon
from waypost.coupons.event_names import ISSUED
from waypost.coupons.issuing import CouponIssuer, Request
from waypost.errors import ContactNotFound, EnrolmentNotFound
from waypost.events.envelope import OWN_SOURCE, Event, caused_by_step
from waypost.events.ports import EventQueue
from waypost.journeys.ports import EnrolmentStore
from waypost.journeys.superseding import refuse_superseded
from waypost.segments.calendar import next_anniversary
from waypost.segments.comparing import look_up
from waypost.sending.occasion import HopVisit, JourneyStep, step_place


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCoupon:
    """Issues at most one coupon for each visit of a step, and puts ``coupon_issued`` on the contact's timeline.

    ``report`` is given a pool and how many it has left once those are as few as the pool declares as alarming.
    """

    contacts: ContactStore
    enrolments: EnrolmentStore
    issuer: CouponIssuer
    queue: EventQueue
    default_zone: ZoneInfo
    clock: Clock
    report: Callable[[str, int], None]

    def issue(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{outcome, pool, code, expires_at}``; of ``pool_empty``, ``no_date`` and ``held_out`` the outcome and the pool.

        ``issued``: the coupon is this step's own, and the same again has the same. ``already_has``: the contact has a valid one of
        the pool, unless ``again`` asks for another. Raises ContactNotFound, EnrolmentNotFound, HopSuperseded, ConcurrentUpdate,
        and InvalidInput for an unknown pool.
        """
        step = JourneyStep.from_payload(payload)
        enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
        if enrolment is None:
            raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
        refuse_superseded(enrolment, payload)
        contact = self.contacts.load(step.contact_id)
        if contact is None or contact.erased:
            raise ContactNotFound(f"contact {step.contact_id} does not exist")
        if enrolment.held_out:
            return {"outcome": "held_out", "pool": payload["pool"]}
        zone = zone_of(contact, self.default_zone)
        issued = self.issuer.issue(
            Request(
                pool=payload["pool"],
                contact_id=contact.contact_id,
                partitions=contact.partitions,
                step=step_id(step),
                journey=step.journey,
                zone=zone,
                anniversary=lambda name, day: next_anniversary(look_up(contact.attributes, name), day, zone),
                again=bool(payload.get("again")),
            )
        )
        for pool, left in issued.low:
            self.report(pool, left)
        if issued.coupon is None:
            return {"outcome": issued.outcome, "pool": payload["pool"]}
        if issued.outcome == "issued":
            cause = caused_by_step(
                step.enrolment_id, step_place(enrolment.pauses_passed, HopVisit.from_payload(payload))
            )
            self.queue.send([_issued(issued.coupon, step, cause)])
        return {
            "outcome": issued.outcome,
            "pool": issued.coupon.pool,
            "code": issued.coupon.code,
            "expires_at": format_instant(issued.coupon.valid_until),
        }


def step_id(step: JourneyStep) -> str:
    """What a coupon is issued for: (enrolment, state, occurrence)."""
    return ids.digest("coupon", step.enrolment_id, step.state, str(step.occurrence))


def _issued(coupon: Coupon, step: JourneyStep, cause: str) -> Event:
    """The same for every visit of the step, so that a repeated one is one event."""
    return Event(
        id="e-" + ids.digest(ISSUED, coupon.step),
        type=ISSUED,
        contact={"contact_id": coupon.contact_id},
        occurred_at=coupon.issued_at,
        received_at=coupon.issued_at,
        source=OWN_SOURCE,
        properties={
            "pool": coupon.pool,
            "code": coupon.code,
            "expires_at": format_instant(coupon.valid_until),
            "journey": step.journey,
            "step": step.state,
        },
        correlation_id=step.correlation_id,
        cause=cause,
    )
