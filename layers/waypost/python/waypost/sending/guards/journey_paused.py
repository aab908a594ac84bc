"""Keeps the messages of a journey that an operator has paused. Its policy: ``journeys``."""

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Defer, Guard, Judges, Reason, Verdict
from waypost.sending.held_journeys import HOLDS
from waypost.sending.occasion import JourneyStep


class JourneyPaused(Guard):
    """A message of a paused journey waits until the journey is resumed, or until it is stale."""

    weight = 26
    code = "jp"
    title = gettext_noop("Journey paused")
    reasons = (
        Reason(
            "journey_paused",
            gettext_noop("It goes out by itself once the journey is resumed: journey-control with the action resume."),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=False, staff_notice=False, reply=False)
    settings = (HOLDS,)

    def concerns(self, case: Case) -> bool:
        """See Guard. Where no journey is held, nothing is noted."""
        return bool(case.policy.of(HOLDS))

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        held = case.policy.of(HOLDS).get(case.occasion.journey) if isinstance(case.occasion, JourneyStep) else None
        if held is None or not held.keeps_contacts:
            return Allow()
        return Defer("journey_paused", until=case.looked_again_at, saw=f"since {held.since[:16]}")
