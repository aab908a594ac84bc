"""engagement: what contacts, providers and links did with messages, on one channel or on all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, final

from waypost.contacts.profile import CHANNELS
from waypost.errors import InvalidInput
from waypost.segments.behaviour.seen_days import decided_by_days
from waypost.segments.comparing import look_up, number_test
from waypost.segments.condition import Condition, Decision, compiled, condition, malformed
from waypost.segments.conditions.event import EVENT_WORDS, Event
from waypost.segments.generating import Code
from waypost.segments.grouped_names import names_in
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.time_words import call
from waypost.segments.vocabulary import COUNT_WORDS, Rule, expand_where
from waypost.segments.wording import Language, phrase, shown

ENGAGEMENT_EVENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "accepted": {"email": "email_accepted"},
    "delivered": {"email": "email_delivered", "sms": "sms_delivered"},
    "opened": {"email": "email_opened"},
    "clicked": {"email": "email_clicked", "sms": "sms_clicked"},
    "bounced": {"email": "email_bounced"},
    "complained": {"email": "email_complained"},
    "failed": {"email": "email_rejected", "sms": "sms_failed"},
    "unsubscribed": dict.fromkeys(CHANNELS, "unsubscribed"),
}
"""What a contact or a provider did with a message, and the event type that reports it on each channel."""

_WORDS: Final = frozenset({"engagement", "channel", "of_journey", "of_last"})
_WORDS_WITH_LAST: Final = _WORDS | set(COUNT_WORDS)


@condition("engagement", beside=EVENT_WORDS | (_WORDS - {"engagement"}))
@final
@dataclass(frozen=True, slots=True)
class Engagement(Condition):
    """It happened to messages.

    ``written`` is the condition over the events that report it as far as it was written; in ``event`` the journeys and the
    channel are filters too. ``last``: how many of the last messages that arrived are looked at; None: all of them.
    ``arrived`` are the events of those messages.
    """

    engagement: str
    channel: str | None
    journeys: tuple[str, ...]
    written: Event
    event: Event
    last: Any
    arrived: Event

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        engagement, channel = rule["engagement"], rule.get("channel")
        if not isinstance(engagement, str):
            raise malformed(rule)
        journeys = names_in(rule, "of_journey") if rule.get("of_journey") is not None else ()
        last = rule.get("of_last")
        given = {word: wanted for word, wanted in rule.items() if word not in _WORDS and wanted is not None}
        if last is not None and (extra := [word for word in given if word not in COUNT_WORDS]):
            raise InvalidInput(f"rule.{extra[0]}", "cannot stand beside of_last")
        types = engagement_types(rule)
        arrivals = [
            kind
            for each, kind in ENGAGEMENT_EVENTS["delivered"].items()
            if each in ENGAGEMENT_EVENTS[engagement] and channel in {None, each}
        ]
        written = {**given, "event": types}
        return cls(
            engagement,
            channel,
            journeys,
            Event.parse(written),
            Event.parse({**written, **_where(rule, types, journeys)}),
            last,
            Event.parse({"event": arrivals, **_where({}, [], journeys)}),
        )

    def reads(self) -> Reads:
        return self.event.reads() if self.last is None else self.event.reads() | self.arrived.reads()

    def compile(self, code: Code) -> str:
        return self.event.compile(code) if self.last is None else call(code, self._counts_of_last())

    def decide(self) -> Decision:
        """Of the last messages, the days of the events only show that none arrived."""
        if self.last is None:
            return self.event.decide()
        return decided_by_days(compiled(self), self.arrived.events, None)

    def say(self, language: Language) -> str:
        filters = []
        if self.journeys:
            filters.append(phrase(language, "of the journey {}", "来自旅程 {}", self.journeys))
        if self.last is not None:
            filters.append(phrase(language, "of the last {} messages", "最近 {} 条消息中", self.last))
        return self.written.say_as(f"{shown(self.engagement)} {self.channel or ''}".strip(), filters, language)

    def values(self, subject: Subject, language: Language) -> str:
        if self.last is None:
            return self.event.values(subject, language)
        arrived = self.arrived.events.matching()(subject)[-self.last :]
        done = {message_key(properties) for _, properties in self.event.events.matching()(subject)}
        count = sum((message_key(properties) or "") in done for _, properties in arrived)
        wanted = phrase(language, "wanted {}", "要求 {}", self.event.measure.say(language) or "at least 1")
        return f"{count} / {len(arrived)}, {wanted}"

    def _counts_of_last(self) -> Callable[[Subject], bool]:
        """How many of the last messages that arrived it happened to; false while there were fewer."""
        last = self.last
        if isinstance(last, bool) or not isinstance(last, int) or last < 1:
            raise InvalidInput("rule.of_last", f"expected a number of messages from 1 on, got {last!r}")
        passes = number_test(self.event.measure.limits or {"at_least": 1})
        types, arrivals, journeys = self.event.events.types, self.arrived.events.types, self.journeys

        def holds(subject: Subject) -> bool:
            messages = sorted(
                (at, message_key(properties) or "")
                for kind, at, properties in subject.history
                if kind in arrivals and (not journeys or look_up(properties, "journey") in journeys)
            )[-last:]
            done = {message_key(properties) for kind, _, properties in subject.history if kind in types}
            return len(messages) == last and passes(sum(key in done for _, key in messages))

        return holds


def engagement_types(rule: Rule) -> list[str]:
    """The event types an ``engagement`` rule looks at, for its channel or for all of them. Raises InvalidInput for none."""
    types = ENGAGEMENT_EVENTS.get(rule["engagement"], {})
    channel = rule.get("channel")
    found = [kind for each, kind in types.items() if channel in {None, each}]
    if not found:
        raise InvalidInput("rule.engagement", f"nothing tells of {rule['engagement']!r} on {channel or 'any channel'}")
    return list(dict.fromkeys(found))


def message_key(properties: Mapping[str, Any]) -> str | None:
    """The message an event is about; None where a sender's event has none, or something that is no text."""
    key = properties.get("message_key")
    return key if isinstance(key, str) else None


def _where(rule: Rule, types: list[str], journeys: tuple[str, ...]) -> dict[str, Any]:
    """The rule's own filter of properties, and those that its journeys and its channel stand for."""
    filters: list[Rule] = [expand_where(rule["where"])] if rule.get("where") else []
    if journeys:
        filters.append({"property": "journey", "in": list(journeys)})
    if types == ["unsubscribed"] and rule.get("channel"):
        filters.append({"property": "channel", "equals": rule["channel"]})
    return {"where": {"all": filters}} if filters else {}
