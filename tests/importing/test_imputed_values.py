"""Missing values filled with what is usual in the file: mean, median, most frequent; marked, so that nobody takes them for the contact's own."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audiences.audience_world import SHANGHAI
from tests.importing.machine import START, Machines, base, rebuilt
from tests.importing.shipped import sections, shipped
from waypost.audiences.persona import traits
from waypost.authoring.authored_files import FileReader
from waypost.authoring.filling import filling
from waypost.clock import parse_instant
from waypost.contacts.identity.merge import merge_of
from waypost.contacts.identity.rules import BUILT_IN
from waypost.contacts.profile import Contact
from waypost.importing.statistics import Values, statistics_of
from waypost.segments.compile import compile_rule
from waypost.segments.subject import subject_of

RULES = {
    "rules": [
        {"attribute": "total_spent", "by": "mean"},
        {"attribute": "order_count", "by": "mean"},
        {"attribute": "level", "by": "median"},
        {"attribute": "city", "by": "most_frequent"},
    ]
}
FILE = """user_id,total_spent,order_count,level,city,level_note
u-1,10,1,1,上海,
u-2,20.5,2,2,上海,
u-3,,,9,杭州,
u-4,30,4,,,
wrong,x,1,1,苏州,
u-5,,,,,
"""


@pytest.fixture(autouse=True)
def _declared() -> Iterator[None]:
    with shipped(filling=RULES):
        yield


def imported() -> Machines:
    machines = Machines(rows_per_part=2)
    machines.upload(FILE)
    report = machines.import_file()
    assert (report["created"], report["rejected"]) == (5, 1)
    return machines


def values(machines: Machines, user: str) -> dict[str, Any]:
    found = machines.one("user_id", user).attributes
    return {name: found.get(name) for name in ("total_spent", "order_count", "level", "city", "imputed")}


def test_what_a_row_lacks_is_what_is_usual_in_the_file() -> None:
    machines = imported()
    assert values(machines, "u-5") == {
        "total_spent": 20.166667,
        "order_count": 2,
        "level": 2,
        "city": "上海市",
        "imputed": ["city", "level", "order_count", "total_spent"],
    }
    assert values(machines, "u-1") == {
        "total_spent": 10,
        "order_count": 1,
        "level": 1,
        "city": "上海市",
        "imputed": None,
    }
    assert values(machines, "u-4")["imputed"] == ["city", "level"]
    assert base(machines) == rebuilt(machines)


def test_a_value_that_becomes_known_is_no_longer_imputed() -> None:
    machines = imported()
    machines.clock.advance(days=1)
    machines.upload("user_id,level,city\nu-5,7,\nu-4,3,北京\n", "imports/next.csv")
    machines.import_file("imports/next.csv")
    assert (values(machines, "u-5")["level"], values(machines, "u-5")["city"]) == (7, "上海市")
    assert values(machines, "u-5")["imputed"] == ["city", "order_count", "total_spent"]
    assert values(machines, "u-4") == {
        "total_spent": 30,
        "order_count": 4,
        "level": 3,
        "city": "北京市",
        "imputed": None,
    }


def test_of_two_contacts_that_are_one_a_value_of_its_own_is_no_longer_imputed() -> None:
    at = parse_instant(START)
    imputed = {"imputed": ["city", "level"], "city": "上海市", "level": 2}
    first = Contact(contact_id="c-1", created_at=at, attributes=imputed, identities={"user_id": ["u-1"]})
    second = Contact(
        contact_id="c-2", created_at=at, attributes={"city": "北京市"}, attributes_at={"city": at}, identities={"email": ["e@example.com"]}
    )  # fmt: skip
    for survivor, absorbed in ((first, second), (second, first)):
        merge = merge_of(survivor, absorbed, rules=BUILT_IN, at=at, ground="event")
        assert merge is not None
        assert merge.result.attributes == {"imputed": ["level"], "city": "北京市", "level": 2}


def test_what_is_known_is_never_replaced() -> None:
    machines = Machines()
    machines.upload("user_id,level\nu-5,8\n", "imports/before.csv")
    machines.import_file("imports/before.csv")
    machines.clock.advance(days=1)
    machines.upload(FILE)
    machines.import_file()
    assert values(machines, "u-5")["level"] == 8
    assert "level" not in values(machines, "u-5")["imputed"]


def test_rules_and_cards_can_tell_it() -> None:
    machines = imported()
    subjects = {
        user: subject_of(machines.one("user_id", user), now=machines.clock(), default_zone=SHANGHAI)
        for user in ("u-1", "u-5")
    }
    is_imputed = compile_rule({"attribute": "imputed", "contains": "city"})
    assert [is_imputed(subjects[user]) for user in ("u-1", "u-5")] == [False, True]
    own = {"all": [{"attribute": "city", "equals": "上海市"}, {"not": {"attribute": "imputed", "contains": "city"}}]}
    assert [compile_rule(own)(subjects[user]) for user in ("u-1", "u-5")] == [True, False]
    assert [dict(traits(subjects[user]))["city"] for user in ("u-1", "u-5")] == ["上海市", ""]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_keeps_the_mark(form: str) -> None:
    machines = imported()
    other = Machines()
    other.upload(machines.files[machines.export(format=form)["files"][0]], f"imports/all.{form}")
    other.import_file(f"imports/all.{form}")
    assert values(other, "u-5") == values(machines, "u-5")


@given(st.lists(st.integers(-1000, 1000) | st.sampled_from([0.5, 2.25]), min_size=1))
def test_statistics_are_those_of_the_textbook(numbers: list[float]) -> None:
    profiles = [{"n": number} for number in numbers]
    assert statistics_of(profiles, {"n": "mean"})["n"] == pytest.approx(fmean(numbers), abs=1e-6)
    assert statistics_of(profiles, {"n": "median"})["n"] == pytest.approx(float(Fraction(median(numbers))), abs=1e-6)
    most = statistics_of(profiles, {"n": "most_frequent"})["n"]
    assert numbers.count(most) == max(map(numbers.count, numbers))


def test_a_file_without_a_value_fills_nothing() -> None:
    assert statistics_of([{}, {"n": None}, {"n": [1]}], {"n": "mean"}) == {}
    assert Values().of("median") is None


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("{ fill: gender, by: most_frequent }", "gender is never filled"),
        ("{ fill: city, by: mean }", "mean is of numbers"),
        ("{ fill: interests, by: most_frequent }", "a list has no most_frequent"),
        ("{ fill: level, by: mean, value: 3 }", "leave out 'value'"),
        ("{ fill: level, by: median, when_known: replace }", "never replaces what is known"),
        ("{ fill: level }", "or a statistic"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(tmp_path: Path, rule: str, reason: str) -> None:
    folder = tmp_path / "contacts"
    folder.mkdir()
    shipped_file = Path(__file__).parents[2] / "statemachines" / "contacts" / "attributes.yaml"
    (folder / "attributes.yaml").write_text(shipped_file.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "filling.yaml").write_text(f"rules:\n  - {rule}\n", encoding="utf-8")
    reader = FileReader(tmp_path)
    filling(reader)
    assert [problem for problem in reader.problems if reason in problem.reason], reader.problems
    (folder / "filling.yaml").write_text("rules:\n  - { fill: level, by: median }\n", encoding="utf-8")
    reader = FileReader(tmp_path)
    assert filling(reader)["rules"] == [{"attribute": "level", "when_known": "keep", "by": "median"}]
    assert reader.problems == []
    assert sections()["filling"]["rules"]
