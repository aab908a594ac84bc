"""The stages of a contact's life and the declared way from one to the next. Used by the upkeep, the refresh and Update tasks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self

from waypost.errors import InvalidInput
from waypost.published_sections import published_section
from waypost.segments.compile import Holds, compile_rule
from waypost.segments.subject import Subject

if TYPE_CHECKING:
    from waypost.segments.reads import Reads

SECTION: Final = "metrics"
FILE: Final = "statemachines/contacts/metrics.yaml"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: who ``rule`` selects enters it, from the stages in ``after`` or as the first one.

    A stage without a rule is entered by an Update task or a hand, and kept until another stage's rule ends it.
    """

    name: str
    description: str = ""
    rule: dict[str, Any] | None = None
    after: frozenset[str] = frozenset()
    holds: Holds | None = field(default=None, compare=False)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        rule = value.get("rule")
        return cls(
            name=value["stage"],
            description=value.get("description", ""),
            rule=rule,
            after=frozenset(value.get("after", ())),
            holds=None if rule is None else compile_rule(rule),
        )


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The stages in the order in which they are asked."""

    stages: tuple[Stage, ...]

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(tuple(Stage.from_dict(stage) for stage in value["stages"]))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the stages, in order."""
        return tuple(stage.name for stage in self.stages)

    def next(self, subject: Subject) -> str:
        """The stage the contact is in from now on: one step at most from where it is.

        The first stage, in the order of the file, that may follow the present one (or is it) and whose rule holds. The
        present stage stays when none does. A contact without a stage may enter any.
        """
        current = subject.lifecycle
        for stage in self.reachable(current):
            if stage.holds is None:
                return current  # given by hand: it stands at its place in the order
            if stage.holds(subject):
                return stage.name
        return current

    def reachable(self, current: str) -> Iterator[Stage]:
        """The stages asked for a contact in stage ``current``, in order."""
        known = current in self.names
        for stage in self.stages:
            if stage.name == current or (stage.rule is not None and (not known or current in stage.after)):
                yield stage

    def check_given(self, stage: str, *, current: str, where: str = "lifecycle") -> None:
        """Raise InvalidInput unless a contact that is in ``current`` may be put into ``stage`` by hand."""
        named = {each.name: each for each in self.stages}
        if stage not in named:
            known = f"expected one of {', '.join(named)}" if named else f"declare the life cycle in {FILE}"
            raise InvalidInput(where, f"unknown stage {stage!r}; {known}")
        if named[stage].rule is not None:
            raise InvalidInput(where, f"the stage {stage!r} is entered by its rule alone ({FILE})")
        if current in named and stage != current and current not in named[stage].after:
            raise InvalidInput(where, f"the stage {stage!r} does not follow {current!r} ({FILE}, after)")

    @property
    def reads(self) -> "Reads":
        """What the rules of all stages look at."""
        from waypost.segments.dependencies import reads  # noqa: PLC0415 - only the index of rules asks

        rules = [stage.rule for stage in self.stages if stage.rule is not None]
        return reads({"any": rules} if rules else None)


@cache
def load_lifecycle() -> Lifecycle | None:
    """The life cycle of this deployment, from the journeys layer; None when none is declared."""
    declared = published_section(SECTION).get("lifecycle")
    return Lifecycle.from_dict(declared) if declared else None
