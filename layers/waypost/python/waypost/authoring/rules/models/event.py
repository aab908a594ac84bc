"""event: what a contact did."""

from typing import ClassVar

from waypost.authoring.rules.behaviour import Counted
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.values import EventTypes


@model("event")
class EventRule(Counted):
    """The contact's past events of a type, of several types (a list) or of any (``*``); without more: did it at least once."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "counts",
            "event",
            "did it at least once, at any time",
            "{ event: order_placed }",
            "Events count by their own time, also when they arrive late; kept as long as the retention of their class says.",
        ),
        Says("counts", "not event", "never did it", "{ not: { event: refund_requested } }"),
        Says(
            "counts",
            "several events",
            "did any of these; they are counted together",
            "{ event: [cart_updated, checkout_started], at_least: 3, within: 30d }",
        ),
        Says(
            "counts",
            "any event",
            '`"*"`: anything at all happened',
            '{ event: "*", within: 7d }',
            "Also what Waypost itself recorded, such as a delivered mail; name the events to mean what the contact did.",
        ),
    )

    event: EventTypes
