"""engagement: what contacts, providers and links did with messages."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import model_validator

from waypost.authoring.problems import is_expression
from waypost.authoring.rules.behaviour import Counted
from waypost.authoring.rules.contradictions import in_words, no_number_passes
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.numbers import Messages
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.values import Channel, Names
from waypost.errors import InvalidInput
from waypost.segments.conditions.engagement import channels_reporting, engagement_type
from waypost.segments.vocabulary import COUNT_WORDS

Engagement = Literal[
    "accepted",
    "delivered",
    "opened",
    "clicked",
    "dismissed",
    "prefetched",
    "scanned",
    "bounced",
    "complained",
    "failed",
    "unsubscribed",
]


@model("engagement")
class EngagementRule(Counted):
    """What happened to messages: the events of providers and links, for one channel or all."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "engagement",
            "engagement: opened",
            "opened a message; every word of `event` goes here too",
            "{ engagement: opened, within: 90d }",
            "Mails and the on-site inbox only: nothing tells whether an SMS was read.",
        ),
        Says(
            "engagement",
            "engagement: clicked",
            "clicked a link in a message",
            "{ engagement: clicked, channel: email }",
            holds=True,
        ),
        Says(
            "engagement",
            "engagement: dismissed",
            "put a message of the on-site inbox away, read or not",
            "{ engagement: dismissed, channel: inbox }",
            holds=False,
        ),
        Says(
            "engagement",
            "engagement: scanned",
            "a program followed a link (`prefetched`: loaded the pictures); `opened` and `clicked` are readers alone",
            "any: [{ engagement: clicked }, { engagement: scanned }]",
            holds=True,
        ),
        Says(
            "engagement",
            "engagement: delivered",
            "got a message",
            "{ engagement: delivered, channel: email, at_least: 3, last_days: 30 }",
        ),
        Says(
            "engagement",
            "engagement: bounced",
            "a message came back (also `failed`, `accepted`)",
            "{ engagement: bounced }",
            holds=False,
        ),
        Says(
            "engagement", "engagement: complained", "reported a mail as spam", "{ engagement: complained }", holds=False
        ),
        Says(
            "engagement",
            "engagement: unsubscribed",
            "unsubscribed by a link, an answer or a page",
            "{ engagement: unsubscribed, channel: sms }",
        ),
    )

    engagement: Engagement
    channel: Annotated[
        Channel | None, Says("engagement", "channel", "on this channel only", "{ engagement: delivered, channel: sms }")
    ] = None
    of_journey: Annotated[
        Names | None,
        Says(
            "engagement",
            "of_journey",
            "of the messages of this journey (or these)",
            "{ engagement: opened, of_journey: new-user-nurture }",
        ),
    ] = None
    of_last: Annotated[
        Messages | None,
        Says(
            "engagement",
            "of_last",
            "so many of the last N messages that arrived",
            "{ engagement: opened, channel: email, of_last: 3, exactly: 0 }",
            "`exactly: 0`: the last three in a row unopened. False while fewer than N have arrived. A click does not count as an open. Only counts, `channel` and `of_journey` go with it.",
        ),
    ] = None

    @model_validator(mode="after")
    def _is_reported(self) -> Self:
        if not is_expression(self.channel):
            try:
                engagement_type({"engagement": self.engagement, "channel": self.channel})
            except InvalidInput:
                known = ", ".join(channels_reporting(self.engagement))
                raise ValueError(
                    f"nothing reports {self.engagement!r} on {self.channel}; it is known on {known}"
                ) from None
        allowed = {"engagement", "channel", "of_journey", "of_last", *COUNT_WORDS}
        if self.of_last is not None and (more := self.given - allowed):
            raise ValueError(f"'of_last' and {min(more)!r} cannot stand together")
        limits: dict[str, Any] = {word: limit for word in COUNT_WORDS if (limit := getattr(self, word)) is not None}
        is_known = isinstance(self.of_last, int) and not any(map(is_expression, limits.values()))
        if is_known and no_number_passes(limits.items(), whole=True, least=0, most=self.of_last):
            raise ValueError(
                f"can never hold: of_last {self.of_last} has no number of messages that is {in_words(limits)}; correct one of them"
            )
        return self
