"""How fast a compiled rule is, against the same rule by hand and in three libraries. Run by ``benchmarks``.

One rule of six conditions is asked of 100,000 contacts. Every round asks each engine in turn of the same contacts, all of
them, so that a machine that slows down slows all engines. Taken is the processor time per contact; an engine must select the
very same contacts, or the benchmark fails.

A second part asks rules with one to twelve conditions on events of contacts with histories, once as they are compiled and
once with the history gone through for each condition: where sorting by type begins to pay.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rich.table import Table

from benchmarks.goals import goal_of
from waypost.segments import condition
from waypost.segments.compile import Subject, compile_rule

CONTACTS: Final = 100_000
ROUNDS: Final = 7
OURS: Final = "waypost"
NOW: Final = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)
CITIES: Final = ("上海市", "杭州市", "苏州市", "北京市", "广州市", "深圳市", "成都市", "武汉市")
RULE: Final = {
    "all": [
        {"attribute": "gender", "equals": "female"},
        {"attribute": "age", "between": [25, 35]},
        {"attribute": "city", "in": ["上海市", "杭州市", "苏州市"]},
        {"attribute": "interests", "contains": "make-up"},
        {"points": {"at_least": 100}},
        {"not": {"tag": "dormant-warning"}},
    ]
}
_CITIES: Final = frozenset({"上海市", "杭州市", "苏州市"})


def by_hand(subject: Subject) -> bool:
    """The rule as a programmer would write it who knows that any value may be missing or of another type."""
    attributes = subject.attributes
    return (
        attributes.get("gender") == "female"
        and isinstance(age := attributes.get("age"), (int, float))
        and 25 <= age <= 35
        and attributes.get("city") in _CITIES
        and isinstance(interests := attributes.get("interests"), (list, str))
        and "make-up" in interests
        and subject.points >= 100
        and "dormant-warning" not in subject.tags
    )


@dataclass(frozen=True, slots=True)
class EngineTime:
    """One engine: nanoseconds per contact, and the median of each round's ratio: Waypost / by hand, library / Waypost."""

    engine: str
    nanoseconds: float
    ratio: float


@dataclass(frozen=True, slots=True)
class SortingGain:
    """A rule with so many conditions on events: microseconds per contact sorted by type, and gone through for each."""

    conditions: int
    sorted_microseconds: float
    scanned_microseconds: float


@dataclass(frozen=True, slots=True)
class RuleSpeed:
    """Everything measured."""

    contacts: int
    selected: int
    rounds: int
    engines: tuple[EngineTime, ...]
    sorting: tuple[SortingGain, ...]

    def figures(self) -> dict[str, float]:
        """What has a goal: every engine but Waypost itself."""
        return {f"rule/{each.engine}": each.ratio for each in self.engines if each.engine != OURS}

    def to_dict(self) -> dict[str, Any]:
        """The form in out/bench.json."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Engine:
    name: str
    select: Callable[[Sequence[Any]], list[bool]]
    people: Sequence[Any]


def measure(
    *, contacts: int = CONTACTS, rounds: int = ROUNDS, progress: Callable[[], None] = lambda: None
) -> RuleSpeed:
    """Ask every engine in turn, ``rounds`` times. Raises ValueError when two of them disagree on a contact."""
    subjects = people(contacts)
    engines = _engines(subjects)
    selected = engines[0].select(engines[0].people)
    for engine in engines[1:]:
        if engine.select(engine.people) != selected:
            raise ValueError(f"{engine.name} selects other contacts than Waypost")
    times: dict[str, list[float]] = {engine.name: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:
            times[engine.name].append(_timed(engine.select, engine.people))
        progress()
    return RuleSpeed(
        contacts=contacts,
        selected=sum(selected),
        rounds=rounds,
        engines=tuple(_result(name, each, times[OURS]) for name, each in times.items()),
        sorting=tuple(_sorting(count) for count in (1, 2, 3, 4, 6, 12)),
    )


def _result(name: str, times: Sequence[float], ours: Sequence[float]) -> EngineTime:
    ratios = [mine / theirs if name == "by hand" else theirs / mine for theirs, mine in zip(times, ours, strict=True)]
    return EngineTime(name, 1e9 * statistics.median(times), statistics.median(ratios))


def _timed(ask: Callable[[Sequence[Any]], object], asked: Sequence[Any]) -> float:
    started = time.process_time()
    ask(asked)
    return (time.process_time() - started) / len(asked)


def people(count: int) -> list[Subject]:
    """Contacts of whom about one in fifty is selected; some lack values."""
    dice = random.Random(20270301)  # noqa: S311 - a benchmark
    return [_person(index, dice) for index in range(count)]


def _person(index: int, dice: random.Random) -> Subject:
    attributes: dict[str, Any] = {
        "gender": dice.choice(["female", "male", "unknown"]),
        "age": dice.randint(16, 70),
        "city": dice.choice(CITIES),
        "interests": dice.sample(["make-up", "skin-care", "home", "digital", "sports"], 2),
        "level": dice.randint(0, 5),
        "email": f"someone{index}@example.com",
    }
    for name in ("age", "city", "interests"):
        if dice.random() < 0.05:
            del attributes[name]
    tags = frozenset(tag for tag in ("vip", "dormant-warning", "interest-beauty") if dice.random() < 0.2)
    return Subject(attributes=attributes, tags=tags, now=NOW, contact_id=f"c-{index}", points=dice.randint(0, 500))


def _engines(subjects: Sequence[Subject]) -> list[_Engine]:
    compiled = compile_rule(RULE)
    flat = [
        {
            **dict.fromkeys(("gender", "age", "city", "interests")),
            **each.attributes,
            "points": each.points,
            "tags": sorted(each.tags),
        }
        for each in subjects
    ]
    return [
        _Engine(OURS, lambda asked: list(map(compiled, asked)), subjects),
        _Engine("by hand", lambda asked: list(map(by_hand, asked)), subjects),
        _Engine("cel-expr-python", _cel(), flat),
        _Engine("rule-engine", _rule_engine(), flat),
        _Engine("json-logic", _json_logic(), flat),
    ]


def _cel() -> Callable[[Sequence[Any]], list[bool]]:
    from cel_expr_python import cel

    names = ("gender", "age", "city", "interests", "points", "tags")
    expression = cel.NewEnv(variables=dict.fromkeys(names, cel.Type.DYN)).compile(
        "gender == 'female' && age != null && age >= 25 && age <= 35 && city != null && city in ['上海市', '杭州市', '苏州市']"
        " && interests != null && 'make-up' in interests && points >= 100 && !('dormant-warning' in tags)"
    )
    return lambda asked: [bool(expression.eval(data=each).value()) for each in asked]


def _rule_engine() -> Callable[[Sequence[Any]], list[bool]]:
    import rule_engine

    rule = rule_engine.Rule(
        "gender == 'female' and age != null and age >= 25 and age <= 35 and city in ['上海市', '杭州市', '苏州市']"
        " and interests != null and 'make-up' in interests and points >= 100 and not ('dormant-warning' in tags)"
    )
    return lambda asked: [rule.matches(each) for each in asked]


def _json_logic() -> Callable[[Sequence[Any]], list[bool]]:
    from json_logic import jsonLogic

    rule = {
        "and": [
            {"==": [{"var": "gender"}, "female"]},
            {"<=": [25, {"var": "age"}, 35]},
            {"in": [{"var": "city"}, ["上海市", "杭州市", "苏州市"]]},
            {"in": ["make-up", {"var": "interests"}]},
            {">=": [{"var": "points"}, 100]},
            {"!": [{"in": ["dormant-warning", {"var": "tags"}]}]},
        ]
    }
    return lambda asked: [bool(jsonLogic(rule, each)) for each in asked]


def _sorting(conditions: int) -> SortingGain:
    """Conditions on different types, of contacts with 60 events of twenty types; all of them are asked."""
    dice = random.Random(7)  # noqa: S311 - a benchmark
    kinds = [f"kind_{number}" for number in range(20)]
    asked = [
        Subject(
            attributes={},
            tags=frozenset(),
            now=NOW,
            history=[(dice.choice(kinds), NOW - timedelta(hours=dice.randint(0, 2_000)), {}) for _ in range(60)],
        )
        for _ in range(2_000)
    ]
    rule = {"all": [{"not": {"event": kind, "within": "30d", "at_least": 99}} for kind in kinds[:conditions]]}
    ways: dict[int, Callable[[Subject], bool]] = {}
    usual = condition.ASKED_EVENTS_TO_SORT
    for least in (1, 1_000):
        condition.ASKED_EVENTS_TO_SORT = least  # type: ignore[misc]
        ways[least] = compile_rule(rule)
    condition.ASKED_EVENTS_TO_SORT = usual  # type: ignore[misc]
    times: dict[int, list[float]] = {least: [] for least in ways}
    for _ in range(5):
        for least, way in ways.items():
            times[least].append(_timed(lambda each, way=way: sum(map(way, each)), asked))  # type: ignore[misc]
    return SortingGain(conditions, 1e6 * min(times[1]), 1e6 * min(times[1_000]))


def rule_table(speed: RuleSpeed) -> Table:
    """Each engine, with the ratio its goal is about."""
    table = Table(
        title=f"A rule of six conditions, asked of {speed.contacts:,} contacts",
        caption=f"{speed.selected:,} are selected. Ratio: Waypost / by hand; library / Waypost. Processor time, {speed.rounds} rounds in turn.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("engine")
    for name in ("ns per contact", "ratio", "goal"):
        table.add_column(name, justify="right")
    for each in speed.engines:
        goal = None if each.engine == OURS else goal_of(f"rule/{each.engine}")
        mark = "[red]" if goal and not goal.reached(each.ratio) else ""
        table.add_row(each.engine, f"{each.nanoseconds:,.0f}", f"{mark}{each.ratio:,.2f}", str(goal or ""))
    return table


def sorting_table(speed: RuleSpeed) -> Table:
    """From how many conditions on events sorting a history by type pays."""
    table = Table(
        title="Conditions on events: the history sorted by type once, or gone through for each (60 events)",
        title_justify="left",
    )
    for name in ("conditions", "sorted, µs", "gone through, µs"):
        table.add_column(name, justify="right")
    for each in speed.sorting:
        table.add_row(str(each.conditions), f"{each.sorted_microseconds:.1f}", f"{each.scanned_microseconds:.1f}")
    return table
