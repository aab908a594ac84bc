"""What would help against each reason for which a message is not sent or waits. Used by what explains decisions."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from waypost.pages.texts import gettext_noop
from waypost.sending.judge import all_guards

SENT: Final = frozenset({"every_guard_allowed", "confirmed_by_provider"})
"""Reasons of what was sent: nothing has to help."""

OWN_REASONS: Final[Mapping[str, str]] = {
    "too_late": gettext_noop(
        "The step would have to come again, or the sending policy allow more hours under send_within_hours."
    ),
    "not_renderable": gettext_noop("A correction of the message, or of the value of the contact that it shows."),
    "paced": gettext_noop("It goes out by itself at its turn; a higher rate is agreed with the provider."),
    "daily_budget": gettext_noop(
        "It goes out by itself on the next day; daily_budget in the sending policy allows more a day."
    ),
    "warm_up": gettext_noop(
        "It goes out by itself on the next day, whose volume is larger; warm_up in the sending policy declares the days."
    ),
    "platform_quota": gettext_noop(
        "It goes out by itself when the next day or month begins; the platform may raise the quota, platform_quotas in the sending policy then says so."
    ),
    "provider": gettext_noop("What the provider says decides: its own word stands in the reason."),
    "account": gettext_noop(
        "An operator has to settle with the provider why it takes nothing from this account; then it goes out."
    ),
    "no_answer": gettext_noop(
        "A report of the provider settles it; it is never sent again, because it may have arrived."
    ),
}
"""Reasons that the sender gives itself. What follows one after ``: `` is the provider's word or the value that failed."""


@cache
def all_reasons() -> Mapping[str, str]:
    """What would help, by reason: those of the guards and the sender's own."""
    return {**OWN_REASONS, **{each.name: each.what_would_help for guard in all_guards() for each in guard.reasons}}


def what_would_help(reason: str) -> str:
    """What would help against a stored reason, in the language of the source; "" for what was sent and for unknown ones."""
    return all_reasons().get(reason.partition(": ")[0], "")
