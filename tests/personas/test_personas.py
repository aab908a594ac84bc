"""Everything about personas but the grouping itself, which is scikit-learn's: features, names, assignment, cards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from personas import running
from personas.features import BEHAVIOUR, by_name, row_of, tag_features
from personas.files import write_cards
from personas.naming import ORDINARY, names_of
from personas.ports import Bounds
from personas.running import FEWEST_CONTACTS, Found, PersonaRun
from tests.fakes.contacts import FakeContacts
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput

NOW = datetime(2027, 3, 1, tzinfo=UTC)
ORDERS = next(place for place, feature in enumerate(BEHAVIOUR) if feature.name == "orders")


@dataclass
class Halves:
    """A Grouper that parts those who buy from those who do not; ``seen`` are the rows it was shown."""

    seen: list[list[float]] = field(default_factory=list)

    @property
    def centres(self) -> Sequence[Sequence[float]]:
        width = len(self.seen[0])
        return [[1.0 if place == ORDERS else 0.0 for place in range(width)], [-1.0] + [0.0] * (width - 1)]

    @property
    def silhouettes(self) -> Mapping[int, float]:
        return {2: 0.5}

    def group(self, rows: Sequence[Sequence[float]], bounds: Bounds) -> "Halves":
        self.seen = [list(row) for row in rows]
        return self

    def assign(self, rows: Sequence[Sequence[float]]) -> list[int]:
        return [0 if row[ORDERS] else 1 for row in rows]


def person(number: int, **fields: Any) -> Contact:
    metrics = {"rfm_frequency": 3, "rfm_monetary": 300.0, "activity": 10.0} if number % 3 == 0 else {"activity": 0.0}
    return Contact(f"c-{number:03d}", NOW - timedelta(days=number), metrics=metrics, **fields)


@pytest.fixture
def store() -> FakeContacts:
    """Sixty contacts, of whom every third buys."""
    contacts = FakeContacts()
    for number in range(60):
        contacts.put(person(number, tags=frozenset({"vip"} if number % 2 else {"vip", "home"})))
    return contacts


def run(store: FakeContacts, *, writes: bool = True, grouper: Halves | None = None) -> Found:
    return PersonaRun(
        profiles=lambda: [store[name] for name in sorted(store.items, reverse=True)],
        grouper=grouper or Halves(),
        store=store if writes else None,
        now=NOW,
    ).run()


def test_everybody_is_in_one_persona_and_the_profile_says_in_which(store: FakeContacts) -> None:
    found = run(store)
    assert [(each.name, each.contacts) for each in found.personas] == [("buy often", 20), ("newcomers", 40)]
    assert (found.contacts, found.changed) == (60, 60)
    assert {store[name].metrics["persona"] for name in store.items} == {"buy often", "newcomers"}
    assert store["c-003"].metrics["rfm_frequency"] == 3


def test_a_second_run_writes_nothing(store: FakeContacts) -> None:
    run(store)
    assert run(store).changed == 0


def test_a_dry_run_writes_nothing(store: FakeContacts) -> None:
    assert run(store, writes=False).changed == 0
    assert "persona" not in store["c-003"].metrics


def test_a_profile_that_is_changed_meanwhile_keeps_that_change(store: FakeContacts) -> None:
    store.before_save = lambda: store.put(replace(store["c-059"], attributes={"city": "Wuhan"}))
    run(store)
    assert store["c-059"].attributes == {"city": "Wuhan"}
    assert "persona" in store["c-059"].metrics


def test_groups_are_found_among_the_same_contacts_in_whatever_order_they_come(
    store: FakeContacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_ROWS", 25)
    monkeypatch.setattr(running, "FEWEST_CONTACTS", 10)
    shown = []
    for backwards in (False, True):
        grouper = Halves()
        people = [store[name] for name in sorted(store.items, reverse=backwards)]
        PersonaRun(profiles=lambda people=people: people, grouper=grouper, store=None, now=NOW).run()  # type: ignore[misc]
        shown.append(grouper.seen)
    assert shown[0] == shown[1]
    assert 10 <= len(shown[0]) <= 50


def test_few_contacts_are_no_personas(store: FakeContacts) -> None:
    for name in sorted(store.items)[FEWEST_CONTACTS - 1 :]:
        del store.items[name]
    with pytest.raises(InvalidInput, match="are 49; personas need at least 50"):
        run(store)


def test_the_features_are_what_a_contact_does() -> None:
    day = date(2027, 2, 19)
    contact = person(
        100,
        points=50,
        seen={"order_placed": (day, day), "message_clicked": (day, day), "lifecycle_changed": (day, NOW.date())},
    )
    features = [*BEHAVIOUR, *tag_features([replace(contact, tags=frozenset({"vip"})), contact], NOW)]
    row = by_name(features, row_of(contact, features, NOW))
    assert {name: round(value, 2) for name, value in row.items()} == {
        "days_known": 4.62,  # ln 101
        "days_silent": 2.4,  # ln 11: what Waypost concludes is no sign of life
        "activity": 0.0,
        "spread": 0.0,
        "orders": 0.0,
        "spent": 0.0,
        "points": 3.93,
        "variety": 2.0,
        "opens": 1.0,
        "tag:vip": 0.0,
    }


def test_a_tag_that_everybody_or_nobody_has_is_no_feature() -> None:
    people = [person(number, tags=frozenset({"all", *(["some"] if number < 30 else [])})) for number in range(100)]
    people[0] = replace(people[0], tags=people[0].tags | {"one"})
    assert [feature.name for feature in tag_features(people, NOW)] == ["tag:some"]


def named(*centres: Mapping[str, float]) -> list[str]:
    return names_of([[centre.get(feature.name, 0.0) for feature in BEHAVIOUR] for centre in centres], BEHAVIOUR)


def test_a_cluster_is_called_by_what_sets_it_apart_most() -> None:
    assert named({"orders": 2.0, "activity": 1.0, "spent": 0.7}, {"activity": -1.5}, {"orders": 0.4}) == [
        "buy often, very active",
        "hardly active",
        ORDINARY,
    ]


def test_no_two_clusters_have_one_name() -> None:
    alike = {"orders": 2.0, "activity": 1.0}
    assert named({**alike, "spent": 0.9}, {**alike, "spent": -0.9}) == [
        "buy often, very active, spend much",
        "buy often, very active, spend little",
    ]
    assert named(alike, alike) == ["buy often, very active", "buy often, very active (2)"]


def test_having_little_of_some_things_describes_nobody() -> None:
    assert named({"spread": -2.0, "points": -1.0}, {"orders": 1.0}) == [ORDINARY, "buy often"]


def test_each_persona_has_its_card(store: FakeContacts, tmp_path: Path) -> None:
    pages = write_cards(run(store), tmp_path / "cards")
    assert [path.name for path in pages] == ["1-buy-often.html", "2-newcomers.html"]
    assert "buy often" in pages[0].read_text(encoding="utf-8")
