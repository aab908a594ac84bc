"""Judges a message of a journey that a test contact lives faster than the clock. Called by the sender."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from waypost.sending.guard import Allow, Case, Defer, Skip
from waypost.sending.judge import Judgement, judge
from waypost.sending.ledger import Touches
from waypost.sending.ports import EnrolmentView

SHORTEST_WAIT: Final = timedelta(seconds=5)
"""What a message waits by the clock, at least: what an operator holds back is not tried without a pause."""


def judge_as_lived(case: Case) -> Judgement:
    """The judgement; of a test, that of the time which the journey lives, with a wait as much shorter as its pauses are.

    So the windows of the night, the caps of the day and the hours of the week decide as they will for everybody. Of the contact's
    other messages only those of tests since this one began count: they have a place in its time.
    """
    lived_at, enrolment = case.lived_at, case.enrolment
    if lived_at is None or enrolment is None:
        return judge(case)
    asked_at = case.first_asked_at or lived_at
    stale_at = asked_at + timedelta(hours=case.policy.send_within_hours)
    judgement = judge(
        replace(
            case,
            now=lived_at,
            touches=_lived(case.touches, enrolment),
            first_asked_at=asked_at,
            send_by=stale_at,
            coupon=case.coupon and replace(case.coupon, valid_until=case.coupon.valid_until + (lived_at - case.now)),
        )
    )
    match judgement.verdict:
        case Allow() | Skip():
            return judgement
        case Defer(until=until) if until > stale_at:
            return replace(judgement, verdict=Skip("too_late"))
        case Defer(until=until) as deferral:
            wait = max(enrolment.by_the_clock(until - lived_at), SHORTEST_WAIT)
            return replace(judgement, verdict=replace(deferral, until=case.now + wait, lived_until=until))
        case _:
            assert_never(judgement.verdict)


def lived_now(enrolment: EnrolmentView | None, waited_until: datetime | None, now: datetime) -> datetime | None:
    """What time it is in the journey of a test; a message that has waited goes out when it was to, however late its schedule is."""
    if enrolment is None or not enrolment.is_test:
        return None
    return waited_until or enrolment.lived_at(now)


def _lived(touches: Touches, enrolment: EnrolmentView) -> Touches:
    recent = [
        replace(touch, at=touch.lived_at)
        for touch in touches.recent
        if touch.lived_at is not None and touch.at >= enrolment.enrolled_at
    ]
    return replace(touches, recent=recent)
