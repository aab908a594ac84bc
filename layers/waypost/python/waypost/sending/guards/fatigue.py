"""Caps more tightly whom messages tire, and who asked for fewer. Its policies: ``fatigue`` and ``frequency_choices``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from waypost.pages.texts import gettext_noop
from waypost.sending.channel_order import unopened
from waypost.sending.guard import Allow, Case, Defer, Guard, Judges, Reason, Verdict
from waypost.sending.policy import Between, Setting

CHOICE: Final = "frequency"
"""The attribute in which a contact's own wish is kept; the preference page writes it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """At most ``count`` marketing messages in any ``days``."""

    count: Annotated[int, Between(1, 100)]
    days: Annotated[int, Between(1, 90)]


@dataclass(frozen=True, slots=True)
class Tired:
    """Who has ignored this many messages in a row gets at most ``count`` in any ``days``, until the next opening or click."""

    ignored: Annotated[int, Between(2, 100)]
    count: Annotated[int, Between(1, 100)]
    days: Annotated[int, Between(1, 90)]


FATIGUE: Final[Setting[Tired | None]] = Setting(
    "fatigue", form=Tired | None, default=None, load=lambda value: None if value is None else Tired(**value)
)
CHOICES: Final[Setting[Mapping[str, Pace]]] = Setting(
    "frequency_choices",
    form=dict[str, Pace],
    default={"daily": Pace(1, 1), "weekly": Pace(1, 7), "monthly": Pace(1, 30)},
    load=lambda value: {name: Pace(**each) for name, each in value.items()},
)
"""What each value of the attribute ``frequency`` means; another value, and none, means the caps of all."""


class Fatigue(Guard):
    """The tighter of both paces holds; the message waits until the oldest that counts falls out of it."""

    weight = 75
    code = "fa"
    title = gettext_noop("Fatigue and the contact's own frequency")
    reasons = (
        Reason(
            "chosen_frequency",
            gettext_noop(
                "It goes out by itself when the contact's own choice allows it; only the contact changes that."
            ),
        ),
        Reason(
            "fatigue",
            gettext_noop("It goes out by itself later; the contact gets more again once it opens or clicks a message."),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=False)
    settings = (FATIGUE, CHOICES)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        if case.transactional:
            return Allow()
        chosen, tired = _chosen(case), case.policy.of(FATIGUE)
        ignored = unopened(case.contact, case.touches.recent) if tired else 0
        slower = Pace(tired.count, tired.days) if tired and ignored >= tired.ignored else None
        by_choice, by_fatigue = _free_at(case, chosen), _free_at(case, slower)
        saw = ", ".join(
            ([f"{chosen.count} in {chosen.days}d chosen"] if chosen else []) + ([f"{ignored} ignored"] if tired else [])
        )
        if by_fatigue and (by_choice is None or by_fatigue > by_choice):
            return Defer("fatigue", until=by_fatigue, saw=saw)
        return Defer("chosen_frequency", until=by_choice, saw=saw) if by_choice else Allow(saw)


def _chosen(case: Case) -> Pace | None:
    wish = case.contact.attributes.get(CHOICE)
    return case.policy.of(CHOICES).get(wish) if isinstance(wish, str) else None


def _free_at(case: Case, pace: Pace | None) -> datetime | None:
    """When one more fits into the pace; None when it does now, or there is none."""
    if pace is None:
        return None
    window = timedelta(days=pace.days)
    recent = sorted(touch.at for touch in case.touches.recent if touch.at > case.now - window)
    return recent[-pace.count] + window if len(recent) >= pace.count else None
