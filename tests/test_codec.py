"""The JSON form of dataclasses: every kind of field goes out and comes back, and what is wrong is named by its path."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta, timezone
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, Generic, Literal, NewType, Self, TypeVar
from zoneinfo import ZoneInfo

import pytest

import waypost
from waypost.codec import JsonForm, dump_fields, form_of, load_fields
from waypost.errors import InvalidInput

AT = datetime(2027, 3, 1, 2, 3, 4, 567000, tzinfo=UTC)
Channel = NewType("Channel", str)
T = TypeVar("T", bound=JsonForm)


@dataclass(frozen=True, slots=True)
class Inner(JsonForm):
    at: datetime
    grade: Literal["low", "high"] = "low"


@dataclass(frozen=True)
class Plain:
    """A dataclass of a room that knows of no form."""

    number: int


@dataclass(frozen=True, slots=True)
class Outer(JsonForm):
    name: str
    inner: Inner
    count: int = 0
    ratio: float = 0.5
    is_on: bool = False
    anything: Any = None
    channel: Channel = Channel("email")
    maybe: Inner | None = None
    plain: Plain | None = None
    level: Literal["a", "b", ""] = ""
    bound: float | str | None = None
    by_name: Mapping[str, Inner] = field(default_factory=dict)
    free: dict[str, Any] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, str]] = frozenset()
    numbers: set[int] = field(default_factory=set)
    inners: tuple[Inner, ...] = ()
    texts: Sequence[str] = ()
    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    days: Mapping[str, tuple[date, date]] = field(default_factory=dict)
    opens_at: time | None = None
    zone: ZoneInfo | None = None
    window: timedelta | None = None
    counts: Counter[str] = field(default_factory=Counter)
    seen: int = field(default=0, init=False, compare=False)


WHOLE = Outer(
    name="x",
    inner=Inner(AT, "high"),
    count=3,
    ratio=2,
    is_on=True,
    anything={"a": [1, None]},
    channel=Channel("sms"),
    maybe=Inner(AT),
    plain=Plain(7),
    level="b",
    bound="2020-01-01",
    by_name={"one": Inner(AT)},
    free={"city": "上海市"},
    tags=frozenset({"b", "a"}),
    pairs=frozenset({("c-2", "c-3"), ("c-1", "c-2")}),
    numbers={3, 1},
    inners=(Inner(AT), Inner(AT, "high")),
    texts=["t"],
    rows=[(1, {"a": 1})],
    days={"order_placed": (date(2027, 1, 1), date(2027, 2, 1))},
    opens_at=time(9, 30),
    zone=ZoneInfo("Asia/Shanghai"),
    window=timedelta(hours=1),
    counts=Counter(a=2),
)
FORM = {
    "name": "x",
    "inner": {"at": "2027-03-01T02:03:04.567Z", "grade": "high"},
    "count": 3,
    "ratio": 2,
    "is_on": True,
    "anything": {"a": [1, None]},
    "channel": "sms",
    "maybe": {"at": "2027-03-01T02:03:04.567Z", "grade": "low"},
    "plain": {"number": 7},
    "level": "b",
    "bound": "2020-01-01",
    "by_name": {"one": {"at": "2027-03-01T02:03:04.567Z", "grade": "low"}},
    "free": {"city": "上海市"},
    "tags": ["a", "b"],
    "pairs": [["c-1", "c-2"], ["c-2", "c-3"]],
    "numbers": [1, 3],
    "inners": [
        {"at": "2027-03-01T02:03:04.567Z", "grade": "low"},
        {"at": "2027-03-01T02:03:04.567Z", "grade": "high"},
    ],
    "texts": ["t"],
    "rows": [[1, {"a": 1}]],
    "days": {"order_placed": ["2027-01-01", "2027-02-01"]},
    "opens_at": "09:30:00",
    "zone": "Asia/Shanghai",
    "window_seconds": 3600.0,
    "counts": {"a": 2},
}


def test_every_kind_of_field_has_its_form() -> None:
    assert WHOLE.to_dict() == FORM
    assert list(FORM) == list(WHOLE.to_dict())


def test_the_form_survives_json() -> None:
    found = Outer.from_dict(json.loads(json.dumps(WHOLE.to_dict())))
    assert found == WHOLE
    assert [type(getattr(found, each.name)) for each in fields(Outer)] == [
        type(getattr(WHOLE, each.name)) for each in fields(Outer)
    ]


def test_absent_keys_take_the_defaults_and_unknown_ones_are_ignored() -> None:
    found = Outer.from_dict({"name": "x", "inner": {"at": "2027-03-01T10:03:04.567+08:00", "later": 1}, "newer": {}})
    assert found == Outer("x", Inner(AT))
    assert found.inner.at.tzinfo is UTC


def test_an_instant_is_stored_in_utc() -> None:
    there = AT.astimezone(timezone(timedelta(hours=8)))
    assert Inner(there).to_dict()["at"] == "2027-03-01T02:03:04.567Z"


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"name": 3}, "name", "expected str, got int"),
        ({"count": True}, "count", "expected int, got bool"),
        ({"is_on": 1}, "is_on", "expected bool, got int"),
        ({"ratio": "much"}, "ratio", "expected float, got str"),
        ({"inner": None}, "inner", "expected an object, got NoneType"),
        ({"inner": {}}, "inner.at", "is missing"),
        ({"inner": {"at": "2027-03-01T02:03:04"}}, "inner.at", "expected an instant with its offset (ISO 8601), got str"),
        ({"inner": {"at": 5}}, "inner.at", "expected an instant with its offset (ISO 8601), got int"),
        ({"inner": {"at": FORM["inner"]["at"], "grade": "top"}}, "inner.grade", "expected one of 'low', 'high', got str"),  # type: ignore[index]
        ({"by_name": {"one": {"at": "soon"}}}, "by_name.one.at", "expected an instant with its offset (ISO 8601), got str"),
        ({"by_name": []}, "by_name", "expected an object, got list"),
        ({"inners": [FORM["inner"], {}]}, "inners[1].at", "is missing"),
        ({"tags": "vip"}, "tags", "expected a list, got str"),
        ({"tags": ["vip", 1]}, "tags[1]", "expected str, got int"),
        ({"pairs": [["a", "b", "c"]]}, "pairs[0]", "expected a list of 2, got one of 3"),
        ({"rows": [["1", {}]]}, "rows[0][0]", "expected int, got str"),
        ({"days": {"x": ["2027-01-01", "never"]}}, "days.x[1]", "expected a date (ISO 8601), got str"),
        ({"opens_at": "noon"}, "opens_at", "expected a time of day (ISO 8601), got str"),
        ({"zone": "Moon/Sea"}, "zone", "expected an IANA time zone, got str"),
        ({"zone": "Asia"}, "zone", "expected an IANA time zone, got str"),
        ({"window_seconds": "1h"}, "window_seconds", "expected float, got str"),
        ({"counts": {"a": 1.5}}, "counts.a", "expected int, got float"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path(changes: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Outer.from_dict({**FORM, **changes})
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_a_value_is_never_quoted() -> None:
    with pytest.raises(InvalidInput) as caught:
        Outer.from_dict({**FORM, "inner": {"at": "lin.mei@example.com"}})
    assert "lin.mei" not in str(caught.value)


@dataclass(frozen=True)
class Own(JsonForm):
    """Its form is one text; around it there is nothing to know."""

    words: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"text": " ".join(self.words)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        return cls(tuple(value["text"].split()))


@dataclass(frozen=True)
class Sparse(JsonForm):
    """Only values that are set go out; coming back needs nothing special."""

    one: str = ""
    other: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {name: value for name, value in dump_fields(self).items() if value}


@dataclass(frozen=True)
class Around(JsonForm):
    own: Own
    sparse: Sparse


@dataclass(frozen=True)
class Of(Generic[T]):
    """A dataclass of something that is known to its caller."""

    found: T
    count: int = 0


def test_a_dataclass_may_have_a_form_of_its_own() -> None:
    around = Around(Own(("a", "b")), Sparse(other="x"))
    assert around.to_dict() == {"own": {"text": "a b"}, "sparse": {"other": "x"}}
    assert Around.from_dict(around.to_dict()) == around


def test_what_a_type_variable_stands_for_dumps_itself() -> None:
    form = dump_fields(Of(Inner(AT), 2))
    assert form == {"found": Inner(AT).to_dict(), "count": 2}
    assert load_fields(Of, {**form, "found": Inner.from_dict(form["found"])}) == Of(Inner(AT), 2)


@pytest.mark.parametrize("hint", [complex, list, dict, Inner | Plain, tuple])
def test_a_type_without_a_form_is_refused_at_once(hint: Any) -> None:
    with pytest.raises(TypeError, match="has"):
        form_of(hint)


def everything_with_a_form() -> list[type[JsonForm]]:
    """All classes of the product that say they have one."""
    for module in walk_packages(waypost.__path__, "waypost."):
        import_module(module.name)
    found: list[type[JsonForm]] = []
    open_ = [JsonForm]
    while open_:
        some = open_.pop().__subclasses__()
        found += some
        open_ += some
    return [each for each in found if each.__module__.startswith("waypost.")]


def test_every_form_of_the_product_can_be_made() -> None:
    classes = everything_with_a_form()
    assert len(classes) > 5
    each: Any
    for each in classes:
        assert "__dataclass_fields__" in vars(each), each
        form_of(each)
