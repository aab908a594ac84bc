"""The guards a message passes at the moment of sending; each fails closed and says why. Called by the sender.

A guard is one small class with a ``check``; adding one is adding it to ``GUARDS`` and to its test.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, assert_never
from zoneinfo import ZoneInfo

from waypost.contacts.channels import Channel
from waypost.contacts.profile import Contact
from waypost.content.message import PublishedMessage
from waypost.sending.ledger import Touches
from waypost.sending.occasion import BroadcastSlot, JourneyStep, Occasion, Reply, StaffNotice
from waypost.sending.policy import SendingPolicy
from waypost.sending.ports import EnrolmentView
from waypost.sending.window import opening


@dataclass(frozen=True, slots=True)
class Allow:
    """The guard has nothing against the message."""


@dataclass(frozen=True, slots=True)
class Skip:
    """The message must not be sent. ``other_channel`` says that another channel may do."""

    reason: str
    other_channel: bool = False


@dataclass(frozen=True, slots=True)
class Defer:
    """The message must wait."""

    reason: str
    until: datetime


Verdict = Allow | Skip | Defer


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a guard decides on: this message, to this contact, on this channel, now. ``enrolment``: of a journey step."""

    occasion: Occasion
    message: PublishedMessage
    channel: Channel
    contact: Contact
    enrolment: EnrolmentView | None
    touches: Touches
    policy: SendingPolicy
    zone: ZoneInfo
    now: datetime

    @property
    def local_time(self) -> str:
        """What the clock shows where the contact lives, with its offset (ISO 8601)."""
        return self.now.astimezone(self.zone).isoformat(timespec="seconds")

    @property
    def transactional(self) -> bool:
        """A message the contact asked for by its own act (an order confirmation): exempt from marketing's limits."""
        return self.message.kind == "transactional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """Which occasions a guard judges. No default: a guard says so of every kind, or it cannot be imported."""

    journey_step: bool
    broadcast_slot: bool
    staff_notice: bool
    reply: bool

    def __contains__(self, occasion: Occasion) -> bool:
        match occasion:
            case JourneyStep():
                return self.journey_step
            case BroadcastSlot():
                return self.broadcast_slot
            case StaffNotice():
                return self.staff_notice
            case Reply():
                return self.reply
            case _:
                assert_never(occasion)


EVERY_OCCASION: Final = Judges(journey_step=True, broadcast_slot=True, staff_notice=True, reply=True)


class Guard(ABC):
    """Decides whether a message may go out now; asked only on the occasions it judges."""

    judges: ClassVar[Judges]

    @abstractmethod
    def check(self, case: Case) -> Verdict:
        """The verdict, with its reason."""


class Erased(Guard):
    """An erased contact gets nothing any more."""

    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        return Skip("erased") if case.contact.erased else Allow()


class LeftJourney(Guard):
    """Who has left the journey gets no more of it, except what follows the exit itself.

    A journey that has come to its end was not left: what it deferred still goes out.
    """

    judges = Judges(journey_step=True, broadcast_slot=False, staff_notice=False, reply=False)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        if case.enrolment is None:
            return Skip("left_journey")
        match case.enrolment.status, case.enrolment.outcome:
            case ("active", _) | ("ended", "completed"):
                return Allow()
            case _, ("goal" | "exited") if isinstance(case.occasion, JourneyStep) and case.occasion.after_exit:
                return Allow()
            case _:
                return Skip("left_journey")


class MissingAddress(Guard):
    """Without an address there is nowhere to send to."""

    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        return Allow() if case.contact.addresses(case.channel) else Skip("missing_address", other_channel=True)


class Suppressed(Guard):
    """A hard bounce, a complaint or an invalid number closes a channel."""

    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        reason = case.contact.suppressions.get(case.channel)
        return Skip(f"suppressed_{reason}", other_channel=True) if reason else Allow()


class NoConsent(Guard):
    """Marketing needs the contact's consent for the channel and topic; a withdrawal counts, silence too.

    Source: Personal Information Protection Law of the PRC, articles 13 to 16; GDPR, articles 6(1)(a) and 7.
    """

    judges = EVERY_OCCASION

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        if case.transactional:
            return Allow()
        match case.contact.consent(case.channel, case.message.topic):
            case "granted":
                return Allow()
            case "withdrawn":
                return Skip("consent_withdrawn", other_channel=True)
            case "none":
                return Skip("no_consent", other_channel=True)


class FrequencyCap(Guard):
    """At most so many marketing messages in a sliding window; the next one waits until the oldest falls out of it."""

    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=False)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        cap = case.policy.frequency_cap
        if case.transactional or cap is None:
            return Allow()
        window = timedelta(hours=cap.hours)
        counted = sorted(touch.at for touch in case.touches.recent if touch.at > case.now - window)
        if len(counted) < cap.count:
            return Allow()
        return Defer("frequency_cap", until=counted[-cap.count] + window)


class QuietHours(Guard):
    """Marketing goes out only while the channel's sending window is open where the contact lives.

    So does a notice to staff that can wait; a reply goes to somebody who has just written.
    """

    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=True, reply=False)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        until = self.first_moment(case, case.now)
        return Allow() if until <= case.now else Defer("quiet_hours", until=until)

    def first_moment(self, case: Case, instant: datetime) -> datetime:
        """``instant``, or when the window opens after it."""
        window = case.policy.windows.get(case.channel)
        if window is None or case.occasion not in self.judges or _may_disturb(case):
            return instant
        return opening(window, instant, case.zone)


def _may_disturb(case: Case) -> bool:
    match case.occasion:
        case StaffNotice(urgent=urgent):
            return urgent
        case JourneyStep() | BroadcastSlot() | Reply():
            return case.transactional
        case _:
            assert_never(case.occasion)


GUARDS: Final[tuple[Guard, ...]] = (
    Erased(),
    LeftJourney(),
    MissingAddress(),
    Suppressed(),
    NoConsent(),
    FrequencyCap(),
    QuietHours(),
)
"""Permanent reasons first, temporary ones last."""


def judge(case: Case, guards: tuple[Guard, ...] = GUARDS) -> Verdict:
    """The first verdict that is not Allow, or Allow. A deferral never ends inside the channel's quiet hours."""
    for guard in guards:
        verdict = guard.check(case) if case.occasion in guard.judges else Allow()
        match verdict:
            case Allow():
                continue
            case Skip():
                return verdict
            case Defer(reason=reason, until=until):
                return Defer(reason, QuietHours().first_moment(case, until))
            case _:
                assert_never(verdict)
    return Allow()
