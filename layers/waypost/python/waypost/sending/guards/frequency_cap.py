"""Caps the marketing messages of a contact in a sliding window. Its policy: ``frequency_cap``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Defer, Guard, Judges, Reason, Verdict
from waypost.sending.ledger import Touch
from waypost.sending.policy import Between, Setting


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``count`` marketing messages to a contact in any ``hours``; ``reserved`` of them only for high priority."""

    count: Annotated[int, Between(1)]
    hours: Annotated[int, Between(1, 24 * 90)]
    reserved: Annotated[int, Between(0)] = 0

    def __post_init__(self) -> None:
        if self.reserved >= self.count:
            raise ValueError(f"leaves no message of normal priority: {self.reserved} of {self.count} are reserved")


FREQUENCY_CAP: Final[Setting[Cap | None]] = Setting(
    "frequency_cap",
    form=Cap | None,
    default=Cap(count=2, hours=24),
    load=lambda value: None if value is None else Cap(**value),
)


class FrequencyCap(Guard):
    """The next message waits until the oldest of the window falls out of it."""

    weight = 80
    code = "fc"
    title = gettext_noop("Frequency cap")
    reasons = (
        Reason(
            "frequency_cap",
            gettext_noop("It goes out by itself; a higher cap or a reserved slot is a matter of the sending policy."),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=False)
    settings = (FREQUENCY_CAP,)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        cap = case.policy.of(FREQUENCY_CAP)
        if case.transactional or cap is None:
            return Allow()
        window = timedelta(hours=cap.hours)
        recent = [touch for touch in case.touches.recent if touch.at > case.now - window]
        blocking = _oldest_of(recent, cap.count)
        if case.message.priority == "normal":
            normal = [touch for touch in recent if touch.priority == "normal"]
            blocking += _oldest_of(normal, cap.count - cap.reserved)
        saw = f"{len(recent)}/{cap.count} in {cap.hours}h"
        return Defer("frequency_cap", until=max(blocking) + window, saw=saw) if blocking else Allow(saw)


def _oldest_of(touches: Sequence[Touch], limit: int) -> list[datetime]:
    """When the oldest of the newest ``limit`` touches was; empty while there is room for one more."""
    return sorted(touch.at for touch in touches)[-limit:][:1] if len(touches) >= limit else []
