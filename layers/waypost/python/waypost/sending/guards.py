"""The guards a message passes at the moment of sending; each fails closed and says why. Called by the sender.

A guard is one small class with a ``check``; adding one is adding it to ``GUARDS`` and to its test.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from waypost.contacts.channels import Channel
from waypost.contacts.profile import Contact
from waypost.content.message import PublishedMessage
from waypost.journeys.enrolment import Enrolment
from waypost.sending.ledger import Touches
from waypost.sending.policy import SendingPolicy
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
    """What a guard decides on: this message, to this contact, on this channel, now."""

    message: PublishedMessage
    channel: Channel
    contact: Contact
    enrolment: Enrolment
    touches: Touches
    policy: SendingPolicy
    zone: ZoneInfo
    now: datetime
    after_exit: bool = False

    @property
    def local_time(self) -> str:
        """What the clock shows where the contact lives, with its offset (ISO 8601)."""
        return self.now.astimezone(self.zone).isoformat(timespec="seconds")

    @property
    def transactional(self) -> bool:
        """A message the contact asked for by its own act (an order confirmation): exempt from marketing's limits."""
        return self.message.kind == "transactional"


class Guard(Protocol):
    """Decides whether a message may go out now."""

    def check(self, case: Case) -> Verdict:
        """The verdict, with its reason."""
        ...


class Erased:
    """An erased contact gets nothing any more."""

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        return Skip("erased") if case.contact.erased else Allow()


class LeftJourney:
    """Who has left the journey gets no more of it, except what follows the exit itself.

    A journey that has come to its end was not left: what it deferred still goes out.
    """

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        match case.enrolment.status, case.enrolment.outcome:
            case ("active", _) | ("ended", "completed"):
                return Allow()
            case _, ("goal" | "exited") if case.after_exit:
                return Allow()
            case _:
                return Skip("left_journey")


class MissingAddress:
    """Without an address there is nowhere to send to."""

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        return Allow() if case.contact.addresses(case.channel) else Skip("missing_address", other_channel=True)


class Suppressed:
    """A hard bounce, a complaint or an invalid number closes a channel."""

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        reason = case.contact.suppressions.get(case.channel)
        return Skip(f"suppressed_{reason}", other_channel=True) if reason else Allow()


class NoConsent:
    """Marketing needs the contact's consent for the channel and topic; a withdrawal counts, silence too.

    Source: Personal Information Protection Law of the PRC, articles 13 to 16; GDPR, articles 6(1)(a) and 7.
    """

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


class FrequencyCap:
    """At most so many marketing messages in a sliding window; the next one waits until the oldest falls out of it."""

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


class QuietHours:
    """Marketing goes out only while the channel's sending window is open where the contact lives."""

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        window = case.policy.windows.get(case.channel)
        if case.transactional or window is None:
            return Allow()
        until = opening(window, case.now, case.zone)
        return Allow() if until <= case.now else Defer("quiet_hours", until=until)


GUARDS: Final[tuple[Guard, ...]] = (
    Erased(),
    LeftJourney(),
    MissingAddress(),
    Suppressed(),
    NoConsent(),
    FrequencyCap(),
    QuietHours(),
)
"""In the order of their reasons' weight: what can never be cured comes before what passes with time."""


def judge(case: Case, guards: tuple[Guard, ...] = GUARDS) -> Verdict:
    """The first verdict that is not Allow, or Allow. A deferral never ends inside the channel's quiet hours."""
    for guard in guards:
        verdict = guard.check(case)
        if isinstance(verdict, Skip):
            return verdict
        if isinstance(verdict, Defer):
            window = case.policy.windows.get(case.channel)
            return Defer(verdict.reason, opening(window, verdict.until, case.zone) if window else verdict.until)
    return Allow()
