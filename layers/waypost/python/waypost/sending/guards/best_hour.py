"""Lets a message wait for the hour at which its contact reads. Its policy: ``best_hour``."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from waypost import ids
from waypost.contacts.reading_hours import ReadingHours
from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Defer, Guard, Judges, Reason, Verdict
from waypost.sending.guards.quiet_hours import first_moment
from waypost.sending.occasion import journey_of
from waypost.sending.policy import Between, Setting

SPREAD: Final = timedelta(minutes=30)
"""Within how long after the hour has struck the messages that wait for it go out, each at a minute of its own."""
LAST_CHANCE: Final = timedelta(minutes=5)
"""How long before its send-by time a message waits no more: a schedule may fire a minute late."""
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class BestHours:
    """A message waits at most ``within_hours`` from when it was asked for.

    Of a contact with fewer than ``least`` readings the best hour is ``default_hour``, or none: its message goes out at once.
    ``journeys`` are those all of whose messages wait.
    """

    within_hours: Annotated[int, Between(1, 48)] = 24
    least: Annotated[int, Between(1, 100)] = 5
    default_hour: Annotated[int, Between(0, 23)] | None = None
    journeys: tuple[str, ...] = ()


BEST_HOUR: Final[Setting[BestHours]] = Setting(
    "best_hour",
    form=BestHours,
    default=BestHours(),
    load=lambda value: BestHours(**value | {"journeys": tuple(value["journeys"])}),
)


class BestHour(Guard):
    """The best hour is one of those in which the message may go out: windows and workdays come first."""

    weight = 95
    code = "bh"
    title = gettext_noop("Best hour")
    reasons = (
        Reason(
            "best_hour",
            gettext_noop(
                "It goes out by itself at the hour at which the contact reads most; best_hour in the message or the sending policy turns that off."
            ),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=False)
    settings = (BEST_HOUR,)

    def concerns(self, case: Case) -> bool:
        """See Guard."""
        wanted = case.message.best_hour or journey_of(case.occasion) in case.policy.of(BEST_HOUR).journeys
        return wanted and not case.transactional

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        rule, hours = case.policy.of(BEST_HOUR), ReadingHours.of(case.contact.metrics)
        is_learnt = hours.readings >= rule.least
        if not is_learnt and rule.default_hour is None:
            return Allow(f"{hours.readings}/{rule.least} readings")
        wanted = hours if is_learnt else ReadingHours({rule.default_hour or 0: 1})
        latest = case.asked_at + timedelta(hours=rule.within_hours)
        if case.send_by is not None:
            latest = min(latest, case.send_by - LAST_CHANCE)
        chances = {at: score for at in _moments(case, latest) if (score := _score(case, at, wanted, learnt=is_learnt))}
        if not chances:
            return Allow("no such hour before it is over")
        best = max(chances, key=lambda at: (chances[at], -at.timestamp()))
        hour = best.astimezone(case.zone).hour
        counts = f"{hours.weights.get(hour, 0)}/{hours.total}" if is_learnt else "default"
        saw = f"{hour:02}:00 {counts}, {hours.readings} read"
        return Allow(saw) if best <= case.now else Defer("best_hour", until=best, saw=saw)


def _moments(case: Case, latest: datetime) -> Iterator[datetime]:
    """Now, and one moment in each hour of the contact's that begins before ``latest``, as far as windows are open then."""
    yield case.now
    local = case.now.astimezone(case.zone)
    struck = case.now - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    offset = SPREAD * ids.share("best_hour", case.occasion.message_key)
    while (struck := struck + _HOUR) + offset <= latest:
        at = struck + offset
        if first_moment(case, at) == at:
            yield at


def _score(case: Case, at: datetime, wanted: ReadingHours, *, learnt: bool) -> int:
    hour = at.astimezone(case.zone).hour
    return wanted.likelihood(hour) if learnt else wanted.weights.get(hour, 0)
