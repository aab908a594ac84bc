"""QR codes are made once for each declared scene, and where they are is kept."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.codes import FakeCodes
from tests.fakes.world import World
from waypost.assembly import assemble
from waypost.channels.code_contract import FormerCode, MadeCode, NoCode
from waypost.errors import InvalidInput
from waypost.tracking import make_codes
from waypost.tracking.make_codes import KEPT, TABLE, MakeCodes
from waypost.tracking.scenes import DeclaredScenes, Scene


def declared(*names: str, **given: Any) -> DeclaredScenes:
    code = {"account": "wx1", **given}
    return DeclaredScenes({name: Scene(f"来自 {name}", "lin.chen", {"wechat": code}) for name in names})


@pytest.fixture
def world() -> World:
    world = World()
    world.scenes = declared("a", "b", "c")
    return world


@pytest.fixture
def codes() -> FakeCodes:
    return FakeCodes()


def maker(world: World, codes: Any) -> MakeCodes:
    return assemble.make_codes(world.ports, scenes=lambda: world.scenes, makers=lambda _: codes)


def run(world: World, codes: Any, *, remaining: int = 300_000, **request: Any) -> dict[str, Any]:
    return maker(world, codes).make(request, remaining=lambda: remaining)


def rows(world: World) -> list[dict[str, str]]:
    text = (world.files.read(TABLE) or b"").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_every_scene_gets_its_code_and_a_second_run_makes_none(world: World, codes: FakeCodes) -> None:
    first, second = run(world, codes), run(world, codes)
    assert (first["made"], first["done"], second["made"], second["alive"]) == (3, True, 0, 3)
    assert codes.asked == ["a", "b", "c"]
    assert [(row["scene"], row["source"], row["staff"], row["url"]) for row in rows(world)] == [
        (name, f"来自 {name}", "lin.chen", f"https://code.example/{name}") for name in "abc"
    ]


def test_one_scene_may_be_chosen_and_an_unknown_one_is_refused(world: World, codes: FakeCodes) -> None:
    assert run(world, codes, scenes=["b"])["made"] == 1
    with pytest.raises(InvalidInput, match=r"'z' is not declared in scenes\.yaml"):
        run(world, codes, scenes=["z"])
    assert codes.asked == ["b"]


def test_what_is_refused_is_named_and_hinders_no_other(world: World, codes: FakeCodes) -> None:
    codes.refused["b"] = NoCode("48001 the account has no right to this interface")
    found = run(world, codes)
    assert (found["made"], found["done"]) == (2, True)
    assert found["failed"] == [
        {"scene": "b", "channel": "wechat", "reason": "48001 the account has no right to this interface"}
    ]
    codes.refused.clear()
    assert run(world, codes)["made"] == 1


def test_an_account_that_refuses_everything_is_not_asked_for_ever(world: World, codes: FakeCodes) -> None:
    names = [f"s-{number}" for number in range(60)]
    world.scenes = declared(*names)
    codes.refused = dict.fromkeys(names, NoCode("40164"))
    found = run(world, codes)
    assert (len(codes.asked), len(found["failed"]), found["done"]) == (20, 20, True)


def test_a_changed_declaration_makes_another_code(world: World, codes: FakeCodes) -> None:
    run(world, codes)
    world.scenes = declared("a", "b", "c", account="wx2")
    assert run(world, codes)["made"] == 3


def test_what_the_provider_can_change_is_handed_over_with_what_it_was_made_of(world: World, codes: FakeCodes) -> None:
    run(world, codes)
    assert codes.former == {}
    world.scenes = declared("a", account="wx2")
    run(world, codes)
    assert codes.former == {"a": FormerCode({"account": "wx1"}, "https://code.example/a.png", "id-a")}


def test_a_temporary_code_is_replaced_a_day_before_it_ends(world: World) -> None:
    class Temporary(FakeCodes):
        def make(self, scene: str, given: Any, former: FormerCode | None = None) -> MadeCode | NoCode:
            self.asked.append(scene)
            return MadeCode("u", "p", world.clock() + timedelta(days=7))

    codes = Temporary()
    world.scenes = declared("a", days=7)
    for days, made in ((0, 1), (5, 1), (2, 2)):
        world.clock.advance(days=days)
        run(world, codes)
        assert len(codes.asked) == made


def test_what_does_not_fit_into_a_call_is_made_by_the_next(
    world: World, codes: FakeCodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_codes, "MOST_CALLS", 2)
    first = run(world, codes)
    assert (first["made"], first["done"]) == (2, False)
    assert set(json.loads(world.files.read(KEPT) or b"")["codes"]) == {"wechat/a", "wechat/b"}
    second = run(world, codes, **first)
    assert (second["made"], second["done"]) == (3, True)


def test_without_time_nothing_is_begun(world: World, codes: FakeCodes) -> None:
    found = run(world, codes, remaining=10_000)
    assert (found["made"], codes.asked) == (0, [])
