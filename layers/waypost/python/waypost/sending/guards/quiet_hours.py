"""Sends only in the hours of the contact's day in which the channel may be used. Its policies: ``windows`` and ``journey_windows``,
and ``workdays_only``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from waypost.contacts.channels import Channel, declared_channels
from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Defer, Guard, Judges, Reason, Verdict
from waypost.sending.occasion import BroadcastSlot, JourneyStep, Reply, StaffNotice, journey_of
from waypost.sending.policy import Setting
from waypost.sending.window import opening
from waypost.staff import working_time


@dataclass(frozen=True, slots=True)
class Hours:
    """The local hours in which a channel may be used; the end is outside. They may span midnight."""

    start: time = field(metadata={"authored": "from"})
    end: time = field(metadata={"authored": "until"})

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise ValueError("is never open: 'from' and 'until' are the same")


def _hours(start: str, end: str) -> Hours:
    return Hours(time.fromisoformat(start), time.fromisoformat(end))


_OF_CHANNELS: Final = {name: _hours(*channel.window) for name, channel in declared_channels().items()}
"""What each channel declares. One that ``sending.yaml`` leaves out keeps it; null there means at any hour."""

WINDOWS: Final[Setting[Mapping[Channel, Hours | None]]] = Setting(
    "windows",
    form=dict[Channel, Hours | None],
    default=_OF_CHANNELS,
    load=lambda value: {
        **_OF_CHANNELS,
        **{channel: each and _hours(each["start"], each["end"]) for channel, each in value.items()},
    },
)


JOURNEY_WINDOWS: Final[Setting[Mapping[str, Hours]]] = Setting(
    "journey_windows",
    form=dict[str, Hours],
    default={},
    load=lambda value: {journey: _hours(each["start"], each["end"]) for journey, each in value.items()},
)
"""Narrower hours for the messages of a journey, beside those of the channel."""


@dataclass(frozen=True, slots=True)
class WorkdaysOnly:
    """Channels and journeys whose messages go out on workdays where the contact lives (``statemachines/workdays``)."""

    channels: tuple[Channel, ...] = ()
    journeys: tuple[str, ...] = ()


WORKDAYS_ONLY: Final[Setting[WorkdaysOnly]] = Setting(
    "workdays_only",
    form=WorkdaysOnly,
    default=WorkdaysOnly(),
    load=lambda value: WorkdaysOnly(tuple(map(Channel, value["channels"])), tuple(value["journeys"])),
)
WORKING_HOURS: Final = Hours(working_time.BEGINS, working_time.ENDS)
"""When a notice to staff goes out that can wait, on a workday of the country that the calendars begin with."""
_LONGEST_REST: Final = 60
"""Openings that are looked at before the next one is taken as it is: a calendar without workdays delays, it does not block."""


class QuietHours(Guard):
    """Marketing waits for the channel's window where the contact lives; a notice to staff that can wait, for working hours.

    A reply goes to a contact that has just written.
    """

    weight = 90
    code = "qh"
    title = gettext_noop("Sending window")
    reasons = (
        Reason("quiet_hours", gettext_noop("It goes out by itself when the window opens where the contact lives.")),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=True, reply=False)
    settings = (WINDOWS, JOURNEY_WINDOWS, WORKDAYS_ONLY)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        until, windows = first_moment(case, case.now), _windows(case)
        shown = [f"{hours.start:%H:%M}-{hours.end:%H:%M}" for hours in windows] + ["workdays"] * _rests(case)
        saw = ", ".join(shown) or "at any hour"
        return Allow(saw) if until <= case.now else Defer("quiet_hours", until=until, saw=saw)


def first_moment(case: Case, instant: datetime) -> datetime:
    """``instant``, or when the windows are open after it, on a workday if it has to be one."""
    if case.occasion not in QuietHours.judges or _may_disturb(case):
        return instant
    windows, rests, at = _windows(case), _rests(case), instant
    for _ in range(_LONGEST_REST):
        before = at
        for hours in windows:
            at = opening((hours.start, hours.end), at, case.zone)
        if rests and not _is_workday(case, at):
            at = _next_day(at, case.zone)
        if at == before:
            break
    return at


def _windows(case: Case) -> list[Hours]:
    """The hours that bind the message: its channel's and its journey's, or those in which staff work."""
    if isinstance(case.occasion, StaffNotice):
        return [WORKING_HOURS]
    journey = case.policy.of(JOURNEY_WINDOWS).get(journey_of(case.occasion))
    return [hours for hours in (case.policy.of(WINDOWS).get(case.channel), journey) if hours is not None]


def _rests(case: Case) -> bool:
    """Whether the message goes out on workdays only."""
    if isinstance(case.occasion, StaffNotice):
        return True
    only = case.policy.of(WORKDAYS_ONLY)
    return case.channel in only.channels or journey_of(case.occasion) in only.journeys


def _is_workday(case: Case, at: datetime) -> bool:
    from waypost.workdays import load_workdays  # noqa: PLC0415 - for policies that name workdays alone

    return load_workdays().of(case.contact.attributes.get("country")).has(at.astimezone(case.zone).date())


def _next_day(at: datetime, zone: ZoneInfo) -> datetime:
    """The midnight that follows; one that a clock change skips is read with the offset before the gap."""
    day = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _may_disturb(case: Case) -> bool:
    match case.occasion:
        case StaffNotice(urgent=urgent):
            return urgent
        case JourneyStep() | BroadcastSlot() | Reply():
            return case.transactional
        case _:
            assert_never(case.occasion)
