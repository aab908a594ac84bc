"""Sends only in the hours of the contact's day in which the channel may be used. Its policy: ``windows``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Final, assert_never

from waypost.contacts.channels import Channel, declared_channels
from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Defer, Guard, Judges, Reason, Verdict
from waypost.sending.occasion import BroadcastSlot, JourneyStep, Reply, StaffNotice
from waypost.sending.policy import Setting
from waypost.sending.window import opening


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


class QuietHours(Guard):
    """Marketing waits for the channel's window where the contact lives, and so does a notice to staff that can wait.

    A reply goes to a contact that has just written.
    """

    weight = 90
    code = "qh"
    title = gettext_noop("Sending window")
    reasons = (
        Reason("quiet_hours", gettext_noop("It goes out by itself when the window opens where the contact lives.")),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=True, reply=False)
    settings = (WINDOWS,)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        until, hours = first_moment(case, case.now), case.policy.of(WINDOWS).get(case.channel)
        saw = f"{hours.start:%H:%M}-{hours.end:%H:%M}" if hours else "at any hour"
        return Allow(saw) if until <= case.now else Defer("quiet_hours", until=until, saw=saw)


def first_moment(case: Case, instant: datetime) -> datetime:
    """``instant``, or when the window opens after it."""
    hours = case.policy.of(WINDOWS).get(case.channel)
    if hours is None or case.occasion not in QuietHours.judges or _may_disturb(case):
        return instant
    return opening((hours.start, hours.end), instant, case.zone)


def _may_disturb(case: Case) -> bool:
    match case.occasion:
        case StaffNotice(urgent=urgent):
            return urgent
        case JourneyStep() | BroadcastSlot() | Reply():
            return case.transactional
        case _:
            assert_never(case.occasion)
