"""journey: which journeys the contact entered, when, and how they ended."""

from typing import Final, Literal, Self, cast, final, get_args

from waypost.errors import InvalidInput
from waypost.segments.condition import Condition, Decision, condition
from waypost.segments.generating import Code
from waypost.segments.grouped_names import names_in
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.time_words import TIME_WORDS, TimeWords, call
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, moment_in_words, names_in_words, pick

JourneyState = Literal["entered", "active", "ended", "never_entered"]

JOURNEY_STATES: Final[tuple[JourneyState, ...]] = get_args(JourneyState)

_WORDS: Final[dict[JourneyState, tuple[str, str]]] = {
    "entered": ("has entered the journey {}", "进入过旅程 {}"),
    "active": ("is in the journey {} now", "正在旅程 {} 中"),
    "ended": ("has been through the journey {}", "已走完旅程 {}"),
    "never_entered": ("has never entered the journey {}", "从未进入旅程 {}"),
}


@condition("journey", beside=TIME_WORDS | {"is", "outcome"})
@final
class PassedThrough(Condition):
    """The contact has passages through one of the journeys in this state, perhaps entered at such a time."""

    journeys: tuple[str, ...]
    state: JourneyState
    outcomes: tuple[str, ...]
    times: TimeWords

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        state = rule.get("is") or "entered"
        if state not in JOURNEY_STATES:
            raise InvalidInput("rule.is", f"expected one of {', '.join(JOURNEY_STATES)}, got {state!r}")
        outcomes = names_in(rule, "outcome") if rule.get("outcome") is not None else ()
        return cls(names_in(rule, "journey"), cast("JourneyState", state), outcomes, TimeWords.of(rule))

    def reads(self) -> Reads:
        return Reads(journeys=frozenset(self.journeys), enrolments=True) | self.times.reads()

    def compile(self, code: Code) -> str:
        names, state, outcomes = frozenset(self.journeys), self.state, frozenset(self.outcomes)
        passes = self.times.test() if self.times else None

        def holds(subject: Subject) -> bool:
            found = any(
                each.journey in names
                and (state not in {"active", "ended"} or (each.status == "ended") is (state == "ended"))
                and (not outcomes or each.outcome in outcomes)
                and (passes is None or passes(each.enrolled_at, subject))
                for each in subject.enrolments
            )
            return found is (state != "never_entered")

        return call(code, holds)

    def decide(self) -> Decision:
        """A profile knows nothing of passages."""
        return lambda _subject: None

    def say(self, language: Language) -> str:
        text = pick(_WORDS[self.state], language).format(names_in_words(self.journeys, "any_of", language))
        outcome = f" ({names_in_words(self.outcomes, 'any_of', language)})" if self.outcomes else ""
        return self.times.after(text + outcome, language)

    def values(self, subject: Subject, language: Language) -> str:  # noqa: ARG002 - states are the same in any language
        found = sorted(
            (each for each in subject.enrolments if each.journey in self.journeys), key=lambda each: each.enrolled_at
        )
        listed = (
            f"{each.journey} {each.status}{f' ({each.outcome})' if each.outcome else ''} "
            f"{moment_in_words(each.enrolled_at, subject.zone)}"
            for each in found[-5:]
        )
        return ", ".join(listed) or "–"
