"""Leaves some days between two marketing messages of one topic. Its policy: ``topic_spacing_days``."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final

from waypost.sending.guard import Allow, Case, Guard, Judges, Skip, Verdict
from waypost.sending.policy import Between, Setting

TOPIC_SPACING: Final[Setting[Mapping[str, int]]] = Setting(
    "topic_spacing_days", form=dict[str, Annotated[int, Between(1, 90)]], default={}, load=dict
)


class SameTopic(Guard):
    """A message is dropped when another of its topic was sent within the topic's days: later it would be stale."""

    weight = 60
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=False)
    settings = (TOPIC_SPACING,)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        days = case.policy.of(TOPIC_SPACING).get(case.message.topic)
        if case.transactional or days is None:
            return Allow()
        since = case.now - timedelta(days=days)
        repeated = any(touch.topic == case.message.topic and touch.at > since for touch in case.touches.recent)
        return Skip("same_topic") if repeated else Allow()
