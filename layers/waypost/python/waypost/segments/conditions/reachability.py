"""address, suppressed, reachable: whether and why a message can go to the contact on a channel."""

from typing import Self, final

from waypost.contacts.channels import ADDRESS_ATTRIBUTE, CHANNELS, Channel
from waypost.contacts.profile import ALL_TOPICS
from waypost.errors import InvalidInput
from waypost.segments.condition import Condition, Decision, compiled, condition, malformed
from waypost.segments.generating import Code
from waypost.segments.grouped_names import names_in
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.time_words import call
from waypost.segments.vocabulary import ANY_CHANNEL, Rule
from waypost.segments.wording import Language, phrase, shown


@condition("address")
@final
class HasAddress(Condition):
    """The contact has an address on the channel, or on any."""

    channel: str

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(_channel_in(rule, "address"))

    def reads(self) -> Reads:
        return Reads(attributes=_addresses(self.channel))

    def compile(self, code: Code) -> str:
        names = [ADDRESS_ATTRIBUTE[each] for each in _known_channels(self.channel, "address")]
        return call(code, lambda subject: any(bool(subject.attributes.get(name)) for name in names))

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        return phrase(language, "has an address on {}", "有 {} 地址", self.channel)

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - the same in any language
        names = (ADDRESS_ATTRIBUTE[each] for each in _channels(self.channel))
        return ", ".join(f"{name} = {shown(subject.attributes.get(name) or '–')}" for name in names)


@condition("suppressed", beside=frozenset({"reason"}))
@final
class Suppressed(Condition):
    """Messages on the channel, or on any, are stopped: for one of the reasons, or for any when none is named."""

    channel: str
    reasons: tuple[str, ...]

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        reasons = names_in(rule, "reason") if rule.get("reason") is not None else ()
        return cls(_channel_in(rule, "suppressed"), reasons)

    def reads(self) -> Reads:
        return Reads(suppressions=True)

    def compile(self, code: Code) -> str:
        channel, reasons = self.channel, frozenset(self.reasons)

        def holds(subject: Subject) -> bool:
            found = subject.suppressions.values() if channel == ANY_CHANNEL else [subject.suppressions.get(channel)]
            return any(reason is not None and (not reasons or reason in reasons) for reason in found)

        return call(code, holds)

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        text = phrase(language, "is suppressed on {}", "在 {} 上被停发", self.channel)
        return f"{text} ({shown(self.reasons)})" if self.reasons else text

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - reasons are the same in any language
        return shown(subject.suppressions) or "–"


@condition("reachable", beside=frozenset({"topic"}))
@final
class Reachable(Condition):
    """A marketing message could go to the contact on the channel, or on any: an address, consent, no suppression."""

    channel: str
    topic: str | None

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(_channel_in(rule, "reachable"), rule.get("topic") or None)

    def reads(self) -> Reads:
        channels = frozenset(CHANNELS if self.channel == ANY_CHANNEL else (self.channel,))
        return Reads(suppressions=True, consents=channels, attributes=_addresses(self.channel))

    def compile(self, code: Code) -> str:
        channels = [(each, ADDRESS_ATTRIBUTE[each]) for each in _known_channels(self.channel, "reachable")]
        topic = self.topic or ALL_TOPICS
        return call(
            code,
            lambda subject: any(
                subject.attributes.get(address)
                and each not in subject.suppressions
                and subject.consents(each, topic) == "granted"
                for each, address in channels
            ),
        )

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        text = phrase(language, "can be reached on {}", "可通过 {} 触达", self.channel)
        return f"{text} ({shown(self.topic)})" if self.topic else text

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - the same in any language
        return "; ".join(self._of_channel(each, subject) for each in _channels(self.channel))

    def _of_channel(self, channel: Channel, subject: Subject) -> str:
        address = "✓" if subject.attributes.get(ADDRESS_ATTRIBUTE[channel]) else "✗"
        reason = subject.suppressions.get(channel)
        consent = subject.consents(channel, self.topic or ALL_TOPICS)
        return f"{channel}: address {address}, {consent}" + (f", {reason}" if reason else "")


def _channel_in(rule: Rule, word: str) -> str:
    channel = rule[word]
    if not isinstance(channel, str):
        raise malformed(rule)
    return channel


def _channels(channel: str) -> list[Channel]:
    return [each for each in CHANNELS if channel in {each, ANY_CHANNEL}]


def _known_channels(channel: str, word: str) -> list[Channel]:
    channels = _channels(channel)
    if not channels:
        raise InvalidInput(f"rule.{word}", f"expected one of {', '.join((*CHANNELS, ANY_CHANNEL))}, got {channel!r}")
    return channels


def _addresses(channel: str) -> frozenset[str]:
    return frozenset(ADDRESS_ATTRIBUTE[each] for each in _channels(channel))
