"""What a contact agreed to, how it was given and how much that weighs. Used by the profile, merges, rules and the sender."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Self, assert_never

from waypost.codec import JsonForm
from waypost.events.envelope import OWN_SOURCE

ALL_TOPICS: Final = "*"

ConsentState = Literal["granted", "withdrawn", "none"]

Given = Literal["", "trait", "call", "word"]
"""How an answer was given: ``trait``, a field of a profile that programs send again by themselves; ``call``, an event of its
own from a program that holds the public write key; ``word``, an act of the person that Waypost or a signed source vouches
for (a link, a reply, a form), or a file's list of withdrawals. "" in answers stored before this was noted."""


@dataclass(frozen=True, slots=True)
class Answer(JsonForm):
    """One answer to the question whether a channel and topic may be used."""

    granted: bool
    at: datetime
    source: str
    given: Given = ""

    @property
    def weight(self) -> int:
        """A withdrawal is lifted only by a newer grant of at least its weight."""
        match self.given:
            case "word":
                return 2
            case "call":
                return 1
            case "trait":
                return 0
            case "":
                return 2 if self.source == OWN_SOURCE else 0
            case _:
                assert_never(self.given)

    @property
    def recency(self) -> tuple[datetime, bool, str]:
        """The sort key for the newest; a withdrawal wins a tie."""
        return self.at, not self.granted, self.source


@dataclass(frozen=True, slots=True)
class Consent(Answer):
    """The answer that counts for one channel and topic, with its evidence.

    ``overruled`` are the newest answers of the other weights: they decide when a later one lifts what overrules them, so
    that the order in which answers arrive never changes what holds.
    """

    overruled: tuple[Answer, ...] = ()

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The newest answer of each weight that was given."""
        return (Answer(self.granted, self.at, self.source, self.given), *self.overruled)

    @classmethod
    def of(cls, answers: Iterable[Answer]) -> Self:
        """What these answers, at least one, amount to; their order does not matter."""
        newest = _newest_by_weight(answers)
        counts = _decisive(newest)
        others = tuple(newest[weight] for weight in sorted(newest) if newest[weight] != counts)
        return cls(counts.granted, counts.at, counts.source, counts.given, others)


def deciding_consent(consents: Mapping[str, Consent], channel: str, topic: str) -> Answer | None:
    """The answer that counts for a channel and topic, among those about the topic and about the whole channel."""
    keys = dict.fromkeys((f"{channel}/{topic}", f"{channel}/{ALL_TOPICS}"))
    answers = [answer for key in keys if key in consents for answer in consents[key].answers]
    return _decisive(_newest_by_weight(answers)) if answers else None


def consent_state(consents: Mapping[str, Consent], channel: str, topic: str) -> ConsentState:
    """What holds for a channel and topic."""
    answer = deciding_consent(consents, channel, topic)
    return "none" if answer is None else "granted" if answer.granted else "withdrawn"


def joined_consents(one: Mapping[str, Consent], other: Mapping[str, Consent]) -> dict[str, Consent]:
    """The answers of both, weighed together."""
    joined = dict(other)
    for key, consent in one.items():
        joined[key] = Consent.of((*consent.answers, *joined[key].answers)) if key in joined else consent
    return joined


def _newest_by_weight(answers: Iterable[Answer]) -> dict[int, Answer]:
    newest: dict[int, Answer] = {}
    for answer in answers:
        known = newest.get(answer.weight)
        if known is None or answer.recency > known.recency:
            newest[answer.weight] = answer
    return newest


def _decisive(newest: Mapping[int, Answer]) -> Answer:
    """A withdrawal that no newer grant of at least its weight lifts, or else the newest grant."""
    grants = [answer for answer in newest.values() if answer.granted]
    standing = [
        answer
        for weight, answer in newest.items()
        if not answer.granted and not any(grant.weight >= weight and grant.at > answer.at for grant in grants)
    ]
    return max(standing or grants, key=lambda answer: answer.recency)
