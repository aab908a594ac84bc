"""holds_coupon: the coupons that the contact can still redeem."""

from datetime import datetime
from typing import Final, Self, assert_never, final

from waypost.coupons.event_names import ISSUED, REDEEMED
from waypost.segments.behaviour.filters import EventFilter
from waypost.segments.behaviour.seen_days import days_first, decided_by_days
from waypost.segments.comparing import instant
from waypost.segments.condition import Condition, Decision, condition, loaded
from waypost.segments.generating import Code
from waypost.segments.grouped_names import AnyName, GroupedNames, names_or_any
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, moment_in_words, phrase, shown

_ISSUES: Final = EventFilter.parse({"event": [ISSUED]})


@condition("holds_coupon")
@final
class HoldsCoupon(Condition):
    """The contact has coupons of the pools that are valid and not redeemed, by the events of its timeline.

    A coupon is had once its event has been routed, seconds after its issue: whether a step has issued one is the answer
    of that step.
    """

    pools: GroupedNames | AnyName

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(names_or_any(rule, "holds_coupon"))

    def reads(self) -> Reads:
        return Reads(events=frozenset({ISSUED, REDEEMED}), history=True, time=True)

    def compile(self, code: Code) -> str:
        """Of who never got a coupon, the days of the profile tell."""
        return days_first(code, self.decide(), self.by_history(code))

    def by_history(self, code: Code) -> str:
        """The comparison with the pools of the coupons that are held."""
        return self.pools.expression(code, f"{code.constant(held_coupons)}(s).keys()")

    def decide(self) -> Decision:
        return decided_by_days(loaded(self.by_history), _ISSUES, None)

    def say(self, language: Language) -> str:
        match self.pools:
            case AnyName(exists=True):
                return phrase(language, "has a valid coupon", "持有有效的券")
            case AnyName():
                return phrase(language, "has no valid coupon", "没有有效的券")
            case GroupedNames():
                return phrase(language, "has a valid coupon of {}", "持有有效的券：{}", self.pools.say(language))
            case _:
                assert_never(self.pools)

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - pools and instants are the same in any language
        """All valid coupons, whatever their pool: those that end first stand first."""
        held = sorted((until, pool) for pool, until in held_coupons(subject).items())
        return shown([f"{pool} ({moment_in_words(until, subject.zone)})" for until, pool in held]) if held else "–"


def held_coupons(subject: Subject) -> dict[str, datetime]:
    """The pools of which the contact has a coupon that is valid and not redeemed, each with the last instant at which one ends."""
    redeemed = {str(properties.get("code")) for kind, _, properties in subject.history if kind == REDEEMED}
    held: dict[str, datetime] = {}
    for kind, _, properties in subject.history:
        if kind != ISSUED or str(properties.get("code")) in redeemed:
            continue
        pool, until = properties.get("pool"), instant(properties.get("expires_at"))
        if isinstance(pool, str) and until is not None and until > max(subject.now, held.get(pool, subject.now)):
            held[pool] = until
    return held
