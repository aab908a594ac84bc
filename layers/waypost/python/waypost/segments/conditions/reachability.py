"""address, suppressed, reachable: whether and why a message can go to the contact on a channel."""

from typing import Self, final

from waypost.contacts.channels import CHANNELS, CONTACT_CHANNELS, AddressSource, Channel, declared_channels
from waypost.contacts.consent import ALL_TOPICS
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
        return _address_reads(self.channel)

    def compile(self, code: Code) -> str:
        sources = [_source(each) for each in _known_channels(self.channel, "address")]
        return call(code, lambda subject: any(bool(source.kept(subject)) for source in sources))

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        return phrase(language, "has an address on {}", "有 {} 地址", self.channel)

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - the same in any language
        sources = (_source(each) for each in _channels(self.channel))
        return ", ".join(f"{source.name} = {shown(source.kept(subject) or '–')}" for source in sources)


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
        channels = frozenset(CONTACT_CHANNELS if self.channel == ANY_CHANNEL else (self.channel,))
        return Reads(suppressions=True, consents=channels) | _address_reads(self.channel)

    def compile(self, code: Code) -> str:
        channels = [(each, _source(each)) for each in _known_channels(self.channel, "reachable")]
        topic = self.topic or ALL_TOPICS
        return call(
            code,
            lambda subject: any(
                source.kept(subject) and each not in subject.suppressions and subject.consents(each, topic) == "granted"
                for each, source in channels
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
        address = "✓" if _source(channel).kept(subject) else "✗"
        reason = subject.suppressions.get(channel)
        consent = subject.consents(channel, self.topic or ALL_TOPICS)
        return f"{channel}: address {address}, {consent}" + (f", {reason}" if reason else "")


def _channel_in(rule: Rule, word: str) -> str:
    channel = rule[word]
    if not isinstance(channel, str):
        raise malformed(rule)
    return channel


def _channels(channel: str) -> list[Channel]:
    """The channels that a rule asks about: the one, or all on which a contact may be reached."""
    return [*CONTACT_CHANNELS] if channel == ANY_CHANNEL else [each for each in CHANNELS if each == channel]


def _known_channels(channel: str, word: str) -> list[Channel]:
    channels = _channels(channel)
    if not channels:
        raise InvalidInput(f"rule.{word}", f"expected one of {', '.join((*CHANNELS, ANY_CHANNEL))}, got {channel!r}")
    return channels


def _source(channel: Channel) -> AddressSource:
    return declared_channels()[channel].address


def _address_reads(channel: str) -> Reads:
    sources = [_source(each) for each in _channels(channel)]
    return Reads(
        attributes=frozenset(each.name for each in sources if each.kept_as == "attribute"),
        identities=any(each.kept_as == "identity" for each in sources),
    )
