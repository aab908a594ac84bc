"""Leaves some days between two marketing messages of one topic. Its policy: ``topic_spacing_days``."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Guard, Judges, Reason, Skip, Verdict
from waypost.sending.policy import Between, Setting

TOPIC_SPACING: Final[Setting[Mapping[str, int]]] = Setting(
    "topic_spacing_days", form=dict[str, Annotated[int, Between(1, 90)]], default={}, load=dict
)


class SameTopic(Guard):
    """A message is dropped when another of its topic was sent within the topic's days: later it would be stale."""

    weight = 60
    code = "tp"
    title = gettext_noop("Days between messages of a topic")
    reasons = (
        Reason(
            "same_topic",
            gettext_noop("A message of another topic, or fewer days under topic_spacing_days in the sending policy."),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=False)
    settings = (TOPIC_SPACING,)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        days = case.policy.of(TOPIC_SPACING).get(case.message.topic)
        if case.transactional or days is None:
            return Allow()
        since = case.now - timedelta(days=days)
        last = max((touch.at for touch in case.touches.recent if touch.topic == case.message.topic), default=None)
        if last is None or last <= since:
            return Allow(f"none in {days}d")
        return Skip("same_topic", saw=f"{last:%Y-%m-%d}, of {days}d")
