"""engagement: what contacts, providers and links did with messages, on one channel or on all."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Self, final

from waypost.contacts.channels import declared_channels
from waypost.errors import InvalidInput
from waypost.segments.behaviour.seen_days import days_first, decided_by_days
from waypost.segments.comparing import number_test
from waypost.segments.condition import Condition, Decision, condition, malformed
from waypost.segments.conditions.event import EVENT_WORDS, Event
from waypost.segments.generating import Code
from waypost.segments.grouped_names import names_in
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.time_words import call
from waypost.segments.vocabulary import COUNT_WORDS, Rule, expand_where
from waypost.segments.wording import Language, number_in_words, phrase, shown

_UNSUBSCRIBED: Final = "unsubscribed"

ENGAGEMENT_EVENTS: Final[Mapping[str, str]] = {
    "accepted": "message_accepted",
    "delivered": "message_delivered",
    "opened": "message_opened",
    "clicked": "message_clicked",
    "dismissed": "message_dismissed",
    "prefetched": "message_prefetched",
    "scanned": "message_scanned",
    "bounced": "message_bounced",
    "complained": "message_complained",
    "failed": "message_failed",
    "unsubscribed": _UNSUBSCRIBED,
}
"""What a contact, a program or a provider did with a message, and the event type that reports it."""

_KNOWN_WITH: Final[Mapping[str, str]] = {"prefetched": "opened", "scanned": "clicked"}
"""What is known of programs wherever the same is known of readers."""

_WORDS: Final = frozenset({"engagement", "channel", "of_journey", "of_last"})
_WORDS_WITH_LAST: Final = _WORDS | set(COUNT_WORDS)


@condition("engagement", beside=EVENT_WORDS | (_WORDS - {"engagement"}))
@final
class Engagement(Condition):
    """It happened to messages.

    ``written`` is the condition over the events that report it as far as it was written; in ``event`` the journeys and the
    channel are filters too. ``last``: how many of the last messages that arrived (``arrived``: their events) are looked at;
    None: all messages are.
    """

    engagement: str
    channel: str | None
    journeys: tuple[str, ...]
    written: Event
    event: Event
    last: Any
    arrived: Event | None

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
        written = {**given, "event": [engagement_type(rule)]}
        filters = _filters(channel, journeys)
        where = [expand_where(rule["where"]), *filters] if rule.get("where") else filters
        return cls(
            engagement,
            channel,
            journeys,
            Event.parse(written),
            Event.parse({**written, "where": {"all": where}} if where else written),
            last,
            None if last is None else _arrivals(engagement, channel, filters),
        )

    def reads(self) -> Reads:
        return self.event.reads() if self.arrived is None else self.event.reads() | self.arrived.reads()

    def compile(self, code: Code) -> str:
        if self.arrived is None:
            return self.event.compile(code)
        return days_first(code, self.decide(), call(code, self._counts_of_last(self.arrived)))

    def decide(self) -> Decision:
        """Of the last messages, the days of the events only show that none arrived."""
        if self.arrived is None:
            return self.event.decide()
        return decided_by_days(self._counts_of_last(self.arrived), self.arrived.events, None)

    def say(self, language: Language) -> str:
        filters = []
        if self.journeys:
            filters.append(phrase(language, "of the journey {}", "来自旅程 {}", self.journeys))
        if self.last is not None:
            filters.append(phrase(language, "of the last {} messages", "最近 {} 条消息中", self.last))
        return self.written.say_as(f"{shown(self.engagement)} {self.channel or ''}".strip(), filters, language)

    def values(self, subject: Subject, language: Language) -> str:
        if self.arrived is None:
            return self.event.values(subject, language)
        arrived = self.arrived.events.matching()(subject)[-self.last :]
        done = {message_key(properties) for _, properties in self.event.events.matching()(subject)}
        count = sum((message_key(properties) or "") in done for _, properties in arrived)
        wanted = self.event.measure.say(language) or number_in_words({"at_least": 1}, language)
        return f"{count} / {len(arrived)}, {phrase(language, 'wanted {}', '要求 {}', wanted)}"

    def _counts_of_last(self, arrivals: Event) -> Callable[[Subject], bool]:
        """How many of the last messages that arrived it happened to; false while there were fewer."""
        last = self.last
        if isinstance(last, bool) or not isinstance(last, int) or last < 1:
            raise InvalidInput("rule.of_last", f"expected a number of messages from 1 on, got {last!r}")
        passes = number_test(self.event.measure.limits or {"at_least": 1})
        arrived, done = arrivals.events.matching(), self.event.events.matching()

        def holds(subject: Subject) -> bool:
            messages = sorted((at, message_key(properties) or "") for at, properties in arrived(subject))[-last:]
            keys = {message_key(properties) for _, properties in done(subject)}
            return len(messages) == last and passes(sum(key in keys for _, key in messages))

        return holds


def channels_reporting(engagement: str) -> list[str]:
    """The channels on which this engagement can be known."""
    report = _KNOWN_WITH.get(engagement, engagement)
    return [
        name for name, declared in declared_channels().items() if report == _UNSUBSCRIBED or report in declared.reports
    ]


def engagement_type(rule: Rule) -> str:
    """The event type an ``engagement`` rule looks at. Raises InvalidInput where no such channel reports it."""
    engagement, channel = rule["engagement"], rule.get("channel")
    known = channels_reporting(engagement)
    if engagement not in ENGAGEMENT_EVENTS or not known or channel not in {None, *known}:
        raise InvalidInput("rule.engagement", f"nothing tells of {engagement!r} on {channel or 'any channel'}")
    return ENGAGEMENT_EVENTS[engagement]


def message_key(properties: Mapping[str, Any]) -> str | None:
    """The message an event is about; None where a sender's event has none, or something that is no text."""
    key = properties.get("message_key")
    return key if isinstance(key, str) else None


def _filters(channel: str | None, journeys: tuple[str, ...]) -> list[Rule]:
    """What the messages' events must have: their journeys and their channel."""
    filters: list[Rule] = [{"property": "journey", "in": list(journeys)}] if journeys else []
    return [*filters, {"property": "channel", "equals": channel}] if channel else filters


def _arrivals(engagement: str, channel: str | None, filters: list[Rule]) -> Event:
    """The messages that arrived on a channel that reports the engagement."""
    kind = engagement_type({"engagement": "delivered", "channel": channel})
    reporting = channels_reporting(engagement)
    if not channel and set(channels_reporting("delivered")) - set(reporting):
        filters = [{"property": "channel", "in": reporting}, *filters]
    return Event.parse({"event": [kind], "where": {"all": filters}} if filters else {"event": [kind]})
