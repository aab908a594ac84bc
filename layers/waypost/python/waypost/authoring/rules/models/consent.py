"""consent: what a contact answered for a channel."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.times import TimeWords
from waypost.authoring.rules.values import Channel, Name


@model("consent")
class ConsentRule(TimeWords):
    """What the contact answered for a channel, for a topic or in general; the time words ask when."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says("addresses", "consent", "agreed to messages on this channel", "{ consent: email }"),
        Says(
            "addresses",
            "consent … topic",
            "agreed to this topic on the channel",
            "{ consent: email, topic: offers }",
            "The newest answer counts between topic and channel; a withdrawal wins a tie.",
        ),
        Says(
            "addresses",
            "consent … is: withdrawn",
            "withdrew or refused consent",
            "{ consent: sms, is: withdrawn }",
            "Everybody who does not agree, asked or not, is `not: {consent: sms}`.",
        ),
        Says(
            "addresses",
            "consent … is: none",
            "was never asked, or never answered",
            "{ consent: sms, is: none }",
            "No time words: who never answered did so at no time.",
            holds=False,
        ),
        Says(
            "addresses",
            "consent … within",
            "gave that answer in this window; every time word goes",
            "{ consent: sms, is: withdrawn, within: 90d }",
        ),
    )

    consent: Channel
    topic: Name | None = None
    is_: Literal["granted", "withdrawn", "none"] | None = Field(None, alias="is")

    @model_validator(mode="after")
    def _was_answered(self) -> Self:
        times = [word for word in TimeWords.model_fields if getattr(self, word) is not None]
        if self.is_ == "none" and times:
            raise ValueError(f"can never hold: who never answered did so at no time; leave out {times[0]!r}")
        return self
