"""Sells nothing to a contact that has bought it. Its policy: ``already_bought_days``."""

from typing import Annotated, Final

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Guard, Judges, Reason, Skip, Verdict
from waypost.sending.policy import Between, Setting

ALREADY_BOUGHT_DAYS: Final[Setting[int | None]] = Setting(
    "already_bought_days", form=Annotated[int, Between(1, 730)] | None, default=365, load=lambda value: value
)
"""How long a purchase counts; None sells to everybody."""


class AlreadyBought(Guard):
    """A message that sells products is dropped for who bought all of them lately; one that is left is worth the message."""

    weight = 59
    code = "ab"
    title = gettext_noop("Not bought already")
    reasons = (
        Reason(
            "already_bought",
            gettext_noop(
                "Nothing for this product. A message about another one, or fewer days under already_bought_days in the sending policy."
            ),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=False)
    settings = (ALREADY_BOUGHT_DAYS,)

    def concerns(self, case: Case) -> bool:
        """See Guard."""
        return bool(case.sells) and not case.transactional

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        days = case.policy.of(ALREADY_BOUGHT_DAYS)
        if days is None:
            return Allow("counts for no days")
        left = next((each for each in case.sells if each not in case.bought), None)
        if left is not None:
            return Allow(f"none in {days}d: {left}")
        last = max(case.sells, key=lambda each: case.bought[each])
        return Skip("already_bought", saw=f"{case.bought[last]:%Y-%m-%d}: {last}")
