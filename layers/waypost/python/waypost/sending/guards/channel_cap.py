"""Caps the marketing messages of a contact on one channel in a day. Its policy: ``channel_caps``."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Final

from waypost.contacts.channels import Channel
from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Defer, Guard, Judges, Reason, Verdict
from waypost.sending.policy import Between, Setting

CHANNEL_CAPS: Final[Setting[Mapping[Channel, int]]] = Setting(
    "channel_caps", form=dict[Channel, Annotated[int, Between(1, 100)]], default={}, load=dict
)
"""Messages a day, where the contact lives."""


class ChannelCap(Guard):
    """What a channel has had enough of today waits for tomorrow."""

    weight = 70
    code = "cc"
    title = gettext_noop("Cap of the channel")
    reasons = (
        Reason(
            "channel_cap",
            gettext_noop(
                "It goes out by itself on the next day; channel_caps in the sending policy allows more a day."
            ),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=False)
    settings = (CHANNEL_CAPS,)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        cap = case.policy.of(CHANNEL_CAPS).get(case.channel)
        if case.transactional or cap is None:
            return Allow()
        today = case.now.astimezone(case.zone).date()
        sent = sum(
            touch.channel == case.channel and touch.at.astimezone(case.zone).date() == today
            for touch in case.touches.recent
        )
        saw = f"{sent}/{cap} today"
        if sent < cap:
            return Allow(saw)
        tomorrow = datetime.combine(today + timedelta(days=1), time(), tzinfo=case.zone)
        return Defer("channel_cap", until=tomorrow.astimezone(UTC), saw=saw)
