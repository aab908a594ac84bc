"""What ``make bench`` demands of its figures: it fails when a goal is missed or was not measured. Read by every benchmark.

Figures are ratios between contestants that took turns in one run, or counts; none is a time, which would depend on the machine.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, assert_never

from rich.table import Table

Relation = Literal["at most", "at least"]


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit of one figure, and what the figure is."""

    relation: Relation
    limit: float
    figure: str

    def reached(self, measured: float) -> bool:
        """Whether the figure keeps the limit."""
        match self.relation:
            case "at most":
                return measured <= self.limit
            case "at least":
                return measured >= self.limit
            case _ as never:
                assert_never(never)

    def __str__(self) -> str:
        return f"{self.relation} {self.limit:g}"


_START: Final = "processor time of its import, of boto3 and a client"
_POST: Final = "processor time of a send on {}, of a signed POST and two PutItem"
CHANNELS: Final = ("inbox", "push", "sms", "webhook", "wechat", "wecom")
"""All but mail, which has a rival of its own, robots, which go to staff alone, and WhatsApp, which is not measured yet."""
_LIBRARY: Final = "processor time of the library, of Waypost"
_MEMORY: Final = "peak memory at a million rows, of a hundred thousand"
_PAGE: Final = "processor time of stock boto3, of a page of 1 MB"

GOALS: Final[Mapping[str, Goal]] = {
    "start/send_message": Goal("at most", 1.2, _START),
    "start/pause_journey": Goal("at most", 1.2, _START),
    "start/resume_journey": Goal("at most", 1.2, _START),
    "calls/send": Goal("at most", 1.5, "processor time of a mail's send, of SendEmail and PutItem by boto3"),
    "calls/bulk": Goal(
        "at least", 8, "processor time of a mail's send, of the same mail's among fifty that are due together"
    ),
    **{f"calls/{channel}": Goal("at most", 1.5, _POST.format(channel)) for channel in CHANNELS},
    "calls/event": Goal("at most", 2, "processor time of a routed event, of GetItem and two PutItem by boto3"),
    "calls/batch": Goal("at most", 1.2, "the same per event of ten contacts' ten events in a batch"),
    "calls/batch of one contact": Goal("at most", 1.2, "the same per event of one contact's ten events in a batch"),
    "rule/by hand": Goal("at most", 1.2, "processor time of Waypost, of a hand-written function"),
    "rule/cel-expr-python": Goal("at least", 10, _LIBRARY),
    "rule/rule-engine": Goal("at least", 10, _LIBRARY),
    "rule/json-logic": Goal("at least", 10, _LIBRARY),
    "words/one pass": Goal("at most", 3, "processor time of a text searched for 50,000 phrases, of the same for 500"),
    "words/per phrase": Goal(
        "at least", 100, "processor time of str.__contains__ for each of 50,000 phrases, of Waypost"
    ),
    "render/jinja2": Goal("at least", 2, "processor time of Jinja2, of Waypost, to fill the shipped mails in"),
    "index/growth": Goal("at most", 1.3, "processor time of an event beside 1,000 segments, of one beside 10"),
    "import/cleaned": Goal("at least", 0.4, "rows a second with every column cleaned, of the rival's two"),
    "import/written": Goal("at least", 0.1, "rows a second up to the store, of the rival's two cleaned columns"),
    # pages of memory come and go, and the buckets of persons are fuller in one file than in another
    "memory/inspect": Goal("at most", 1.2, _MEMORY),
    "memory/split": Goal("at most", 1.2, _MEMORY),
    "memory/parts": Goal("at most", 1.2, _MEMORY),
    "memory/compare": Goal("at most", 1.2, _MEMORY),
    "memory/report": Goal("at most", 1.2, _MEMORY),
    "bulk/raw": Goal("at least", 6, _PAGE),
    "bulk/projected": Goal("at least", 12, _PAGE),
    "rehearsal/growth": Goal("at most", 1.25, "processor time of a contact in a rehearsal of 340, of one of 140"),
    "library/rehearsal": Goal(
        "at most", 6, "minutes of two cores, by processor time, for every scenario of the library"
    ),
    "cost/orchestration": Goal("at most", 2, "$ of executions per million messages of the new-user journey"),
    "cost/messages": Goal("at most", 12, "$ of all that its messages cause, per million, without SES's price"),
    "cost/events": Goal("at most", 9, "$ of the events around them, per million messages"),
    "cost/event after journeys": Goal(
        "at most", 1, "units that an event writes and reads after 100 journeys, of after none"
    ),
}
"""By figure, ``benchmark/contestant``."""

ANY_OTHER_START: Final = Goal("at most", 1.5, _START)
"""Of each function that ``GOALS`` does not name."""


def goal_of(figure: str) -> Goal:
    """The goal of a figure. Raises KeyError for a figure that has none."""
    return ANY_OTHER_START if figure not in GOALS and figure.startswith("start/") else GOALS[figure]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure against its goal; ``measured`` is None for a goal that nothing was measured for."""

    figure: str
    goal: Goal
    measured: float | None

    @property
    def reached(self) -> bool:
        """Whether it was measured and keeps the limit."""
        return self.measured is not None and self.goal.reached(self.measured)

    def to_dict(self) -> dict[str, Any]:
        """The form in out/bench.json."""
        return {"figure": self.figure, "goal": str(self.goal), "measured": self.measured, "reached": self.reached}


def judge(figures: Mapping[str, float], *, left_out: Collection[str] = ()) -> list[Verdict]:
    """Each goal's verdict. ``left_out`` are goals that this run does not measure on purpose.

    Raises KeyError for a figure without a goal.
    """
    asked = dict.fromkeys([*GOALS, *figures])
    return [Verdict(each, goal_of(each), figures.get(each)) for each in asked if each not in left_out]


def goals_table(verdicts: Collection[Verdict]) -> Table:
    """Every goal beside what was measured, missed ones marked."""
    table = Table(title="Goals", title_justify="left")
    for name in ("figure", "what it is", "goal", "measured", ""):
        table.add_column(name, justify="right" if name in {"goal", "measured"} else "left")
    for each in verdicts:
        measured = "not measured" if each.measured is None else f"{each.measured:,.2f}"
        mark = "reached" if each.reached else "[red]MISSED[/red]"
        table.add_row(each.figure, each.goal.figure, str(each.goal), measured, mark)
    return table
