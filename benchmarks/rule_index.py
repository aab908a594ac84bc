"""What an event costs as saved segments become more: the curve at 10, 100 and 1,000. Run by ``python -m benchmarks``.

Each segment reads an event type and an attribute of its own; each measured event touches one segment. The rival asks every
segment at every event, as one would without an index. Both answer from the profile, so that no store is measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from time import process_time_ns
from typing import Any, Final, Self, cast
from zoneinfo import ZoneInfo

from rich.table import Table

from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import TagSystem
from waypost.events.envelope import Event
from waypost.segments.history_lookup import HistoryLookup
from waypost.segments.index import RuleIndex, facts_of
from waypost.segments.saved_segments import SavedSegment
from waypost.segments.subject import subject_of
from waypost.segments.upkeep import Upkeep

SIZES: Final = (10, 100, 1_000)
EVENTS: Final = 10
"""Different events, each of which touches one segment; the same ones at every size."""

NOW: Final = datetime(2027, 3, 1, 2, tzinfo=UTC)
ZONE: Final = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class IndexPoint:
    """One size: microseconds per event with the index and with every segment asked, and how many rules were asked.

    ``build_ms`` is what making the index takes once per process; ``first_us`` a contact's first event, which asks all.
    """

    segments: int
    asked: float
    event_us: float
    all_us: float
    first_us: float
    build_ms: float


@dataclass(frozen=True, slots=True)
class IndexCurve:
    """The points, by size."""

    points: list[IndexPoint] = field(default_factory=list)

    def growth(self, point: IndexPoint) -> float:
        """How many times the smallest size's time an event takes at this size."""
        return point.event_us / self.points[0].event_us

    def figures(self) -> dict[str, float]:
        """What has a goal."""
        return {"index/growth": self.growth(self.points[-1])}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"points": [asdict(each) | {"growth": self.growth(each)} for each in self.points]}


def measure(*, sizes: Sequence[int] = SIZES, rounds: int = 200) -> IndexCurve:
    """Measure every size; the times are the processor's, the best of ``rounds`` in which the sizes take turns."""
    sides = [_Side.of(size) for size in sizes]
    best = [dict.fromkeys(("event", "all", "first"), float("inf")) for _ in sides]
    for _ in range(rounds):
        for side, times in zip(sides, best, strict=True):
            times["event"] = min(times["event"], _time(side.each_event) / EVENTS)
            times["all"] = min(times["all"], _time(side.every_segment) / EVENTS)
            times["first"] = min(times["first"], _time(side.first_event))
    return IndexCurve(
        [
            IndexPoint(len(side.index), side.asked, times["event"], times["all"], times["first"], side.build_ms)
            for side, times in zip(sides, best, strict=True)
        ]
    )


def index_table(curve: IndexCurve) -> Table:
    """The curve as a table."""
    table = Table(
        title="One event, as the saved segments become more (each event touches one of them)",
        caption="every segment: what it would take to ask all of them at each event; first event: an unknown contact",
        title_justify="left",
        caption_justify="left",
    )
    columns = (
        "segments",
        "rules asked",
        "an event",
        "× of the first",
        "every segment",
        "saved",
        "first event",
        "index made",
    )
    for name in columns:
        table.add_column(name, justify="right")
    for each in curve.points:
        table.add_row(
            f"{each.segments:,}",
            f"{each.asked:.0f}",
            f"{each.event_us:.0f} µs",
            f"{curve.growth(each):.2f}",
            f"{each.all_us:.0f} µs",
            f"{each.all_us / each.event_us:.0f}×",
            f"{each.first_us / 1000:.1f} ms",
            f"{each.build_ms:.1f} ms",
        )
    return table


@dataclass(frozen=True, slots=True)
class _Side:
    """One size, ready to be measured."""

    index: RuleIndex
    asked: float
    build_ms: float
    upkeep: Upkeep
    contact: Contact
    events: Sequence[Event]

    @classmethod
    def of(cls, size: int) -> Self:
        segments = {_name(number): _segment(number) for number in range(size)}
        build = min(_time(lambda: RuleIndex.declared(segments=segments, tags=TagSystem())) for _ in range(3))
        index = RuleIndex.declared(segments=segments, tags=TagSystem())
        events = [_event(number) for number in range(EVENTS)]
        asked = sum(len(index.touched_by(facts_of(event) or ())) for event in events) / EVENTS
        side = cls(index, asked, build / 1000, _upkeep(index), _contact(index), events)
        side.first_event()  # compiles every rule, which happens once per process
        return side

    def each_event(self) -> None:
        for event in self.events:
            self.upkeep.keep(self.contact, event)

    def every_segment(self) -> None:
        for _ in self.events:
            subject = subject_of(self.contact, now=NOW, default_zone=ZONE)
            for rule in self.index.rules:
                rule.query.decide(subject)

    def first_event(self) -> None:
        self.upkeep.keep(replace(self.contact, kept=""), self.events[0])


def _time(call: Callable[[], object]) -> float:
    """Microseconds of processor time: what else the machine does is not counted."""
    start = process_time_ns()
    call()
    return (process_time_ns() - start) / 1000


def _name(number: int) -> str:
    return f"segment-{number}"


def _segment(number: int) -> SavedSegment:
    rule = {
        "all": [
            {"attribute": f"attribute_{number}", "at_least": 5},
            {"event": f"happened_{number}", "within": "30d"},
            {"not": {"event": "order_placed", "within": "30d", "where": {"property": "line", "equals": number}}},
        ]
    }
    # every segment asks for orders too, but the measured events are none: who mentions what happened is what counts
    return SavedSegment(_name(number), "measured", "nobody", rule, "daily")


def _event(number: int) -> Event:
    return Event(
        id=f"e-{number}",
        type=f"happened_{number}",
        contact={"user_id": "u-1"},
        occurred_at=NOW,
        received_at=NOW,
        source="shop",
        profile={f"attribute_{number}": 1},
    )


def _contact(index: RuleIndex) -> Contact:
    today = NOW.date()
    return Contact(
        contact_id="c-1",
        created_at=NOW - timedelta(days=90),
        attributes={"name": "Lin", "city": "上海市", **{f"attribute_{number}": 1 for number in range(EVENTS)}},
        identities={"user_id": ["u-1"]},
        tags=frozenset({"vip"}),
        seen={f"happened_{number}": (today, today) for number in range(EVENTS)},
        kept=index.fingerprint,
        version=7,
    )


class _Untouched:
    """Stands for every store; a call would spoil the measurement."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was called")


class _NoQueue:
    """Takes what the first event of a contact concludes."""

    def send(self, events: Sequence[Event]) -> None:
        """See EventQueue."""


class _NoContacts:
    """Takes what is to be stored."""

    def save(self, _contact: Contact, **_options: Any) -> bool:
        """See ContactStore."""
        return True


def _upkeep(index: RuleIndex) -> Upkeep:
    untouched = cast("Any", _Untouched())
    return Upkeep(
        index=index,
        tags=TagSystem(),
        contacts=cast("Any", _NoContacts()),
        lookup=HistoryLookup(history=untouched, enrolments=untouched),
        queue=_NoQueue(),
        history=untouched,
        default_zone=ZONE,
        clock=lambda: NOW,
    )
