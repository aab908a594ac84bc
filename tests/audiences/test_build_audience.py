"""Audiences: everybody whom the rule selects and nobody else, once, however the base is sliced and the run interrupted."""

import gzip
import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audiences.audience_world import NOW, Audiences
from tests.segments.naive import naive
from waypost.audiences import build_audience_slice as slicing
from waypost.audiences.plan_audience import SLICES
from waypost.audiences.sketches import SetDigest
from waypost.bulk.pages import BaseSize
from waypost.bulk.run_slice import RESERVE, SliceRunner
from waypost.bulk.state import SliceState, merged
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.segments.buckets import sample
from waypost.segments.saved_segments import SavedSegment

RULES: dict[str, dict[str, Any]] = {
    "tag": {"tag": "vip"},
    "attributes": {"all": [{"attribute": "gender", "equals": "female"}, {"attribute": "level", "at_least": 2}]},
    "consent": {"all": [{"consent": "email"}, {"not": {"tag": "dormant-warning"}}]},
    "history": {
        "all": [{"event": "cart_updated", "within": "30d"}, {"not": {"event": "order_placed", "within": "30d"}}]
    },
    "property": {"event": "order_placed", "where": {"property": "total", "at_least": 100}},
    "mixed": {"any": [{"tag": "vip"}, {"event": "page_viewed", "at_least": 2}]},
    "nobody": {"attribute": "city", "equals": "Atlantis"},
}
VIP = SavedSegment("vip", "Very important", "tests", {"tag": "vip"}, "off")


def expected(world: Audiences, rule: dict[str, Any]) -> set[str]:
    """Whom the rule selects, asked one by one in the plainest way."""
    return {each.contact_id for each in world.contacts if naive(rule, world.whole_subject(each))}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("slices", [1, 4])
def test_an_audience_is_everybody_whom_the_rule_selects_and_nobody_else(rule: dict[str, Any], slices: int) -> None:
    world = Audiences(size=150)
    output = world.build({"rule": rule, "audience": "a", "slices": slices})
    wanted = expected(world, rule)
    members = world.ids_in(world.manifest(output)["files"])
    assert len(members) == len(set(members))
    assert set(members) == wanted
    assert (output["count"], output["matching"], output["contacts"]) == (len(wanted), len(wanted), 150)


def test_only_those_whose_profile_cannot_tell_have_their_events_read() -> None:
    world = Audiences(size=150)
    output = world.build({"rule": RULES["history"], "audience": "a"})
    never = sum("cart_updated" not in each.seen for each in world.contacts)
    assert 0 < output["histories_read"] <= 150 - never
    assert world.build({"rule": RULES["tag"], "audience": "b"})["histories_read"] == 0


def test_a_run_that_is_cut_off_after_every_page_finds_the_same() -> None:
    whole, cut = Audiences(size=150), Audiences(size=150)
    given_ = {"rule": RULES["mixed"], "audience": "a", "slices": 3}
    in_one = whole.build(given_)
    work = cut.planner.plan({"input": given_, "execution": "run-1"})
    assert cut.do_slices(work, remaining=RESERVE - 1) > 20
    in_pieces = cut.gatherer.gather(work)
    assert in_pieces["digest"] == in_one["digest"]
    assert sorted(cut.ids_in(cut.manifest(in_pieces)["files"])) == sorted(whole.ids_in(whole.manifest(in_one)["files"]))
    assert (in_pieces["sample"], in_pieces["share"]) == (in_one["sample"], in_one["share"])


def test_a_finished_slice_is_not_read_again() -> None:
    world = Audiences()
    work = world.planner.plan({"input": {"rule": RULES["tag"], "audience": "a", "slices": 2}, "execution": "run-1"})
    world.do_slices(work)
    before = list(world.scan.scans)
    assert world.builder.step(work["slices"][0], remaining=lambda: 900_000)["done"]
    assert world.scan.scans == before


def test_another_execution_goes_on_with_a_run_that_failed() -> None:
    world = Audiences()
    given_ = {"rule": RULES["tag"], "audience": "a", "slices": 2}
    work = world.planner.plan({"input": given_, "execution": "run-1"})
    world.builder.step(work["slices"][0], remaining=lambda: 900_000)
    world.clock.advance(hours=5)
    again = world.planner.plan({"input": {**given_, "run": "run-1"}, "execution": "run-2"})
    world.do_slices(again)
    assert [segment for segment, _ in world.scan.scans] == [0, 1]
    assert world.gatherer.gather(again)["at"] == "2027-03-01T02:00:00.000Z"


def test_throttling_loses_no_page_that_was_read() -> None:
    world = Audiences(size=100)
    pages = iter(range(1, 100))

    def throttle_the_third() -> None:
        if next(pages) == 3:
            raise TemporarilyUnavailable("Scan: throttled")

    world.scan.fails = throttle_the_third
    work = world.planner.plan({"input": {"rule": RULES["tag"], "audience": "a", "slices": 1}, "execution": "run-1"})
    with pytest.raises(TemporarilyUnavailable):
        world.builder.step(work["slices"][0], remaining=lambda: 900_000)
    world.do_slices(work)
    assert world.scan.scans[1] == (0, f"c-{13:024x}")
    output = world.gatherer.gather(work)
    assert set(world.ids_in(world.manifest(output)["files"])) == expected(world, RULES["tag"])


def test_a_call_that_died_leaves_no_member_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are there, its state is not; the retry stops earlier, and what it does not write over it empties."""
    monkeypatch.setattr(slicing, "CONTACTS_PER_FILE", 4)
    world = Audiences(size=100)
    given_ = {"rule": RULES["mixed"], "audience": "a", "slices": 1}
    work = world.planner.plan({"input": given_, "execution": "run-1"})
    world.builder.step(work["slices"][0], remaining=lambda: 900_000)
    del world.files.contents["work/audiences/a/run-1/slices/00000/000001.json"]
    world.do_slices(work, remaining=0)
    output = world.gatherer.gather(work)
    lines = [
        json.loads(line)["contact_id"]
        for key, content in world.files.contents.items()
        if key.startswith(output["folder"])
        for line in content.splitlines()
    ]
    assert sorted(lines) == sorted(expected(world, RULES["mixed"]))


def test_an_audience_is_frozen() -> None:
    world = Audiences()
    first = world.build({"rule": RULES["tag"], "audience": "a"})
    before = dict(world.files.contents)
    world.clock.advance(days=1)
    assert world.build({"rule": RULES["mixed"], "audience": "a"}) == first
    assert {key: before[key] for key in before if "manifest" in key} == {
        key: world.files[key] for key in before if "manifest" in key
    }


def test_the_manifest_proves_who_was_in_the_audience() -> None:
    world = Audiences(size=150)
    output = world.build({"rule": RULES["mixed"], "audience": "a", "slices": 3})
    manifest = world.manifest(output)
    members = world.ids_in(manifest["files"])
    sent, skipped, failed = SetDigest.of(members[::3]), SetDigest.of(members[1::3]), SetDigest.of(members[2::3])
    together = SetDigest()
    for part in (failed, sent, skipped):
        together.merge(part)
    assert (together.contacts, together.text) == (manifest["count"], manifest["digest"])
    assert SetDigest.of(members[1:]).text != manifest["digest"]
    assert SetDigest.of([*members[1:], members[1]]).text != manifest["digest"]
    assert sum(file["contacts"] for file in manifest["files"]) == manifest["count"]
    assert (manifest["rule"], manifest["at"]) == (RULES["mixed"], "2027-03-01T02:00:00.000Z")


def test_a_hold_out_is_kept_out_and_written_down_beside_the_members() -> None:
    world = Audiences(size=200)
    plain = world.manifest(world.build({"rule": RULES["mixed"], "audience": "a"}))
    output = world.build(
        {"rule": RULES["mixed"], "audience": "b", "hold_out": {"salt": "may", "percent": 30}}, execution="run-2"
    )
    manifest = world.manifest(output)
    members, held_out = world.ids_in(manifest["files"]), world.ids_in(manifest["held_out_files"])
    assert sorted([*members, *held_out]) == sorted(world.ids_in(plain["files"]))
    assert output["held_out"]["contacts"] == len(held_out)
    assert 0.15 < len(held_out) / plain["count"] < 0.45
    assert all(file["key"].startswith("audiences/b/run-2/held-out/") for file in manifest["held_out_files"])


def test_a_bucket_is_one_more_condition() -> None:
    world = Audiences(size=200)
    everybody = {"not": {"tag": "nobody-has-this"}}
    parts = [
        world.manifest(
            world.build(
                {"rule": everybody, "audience": f"part-{start}", "bucket": {"salt": "s", "from": start, "to": end}}
            )
        )
        for start, end in ((0, 25), (25, 100))
    ]
    found = [contact_id for part in parts for contact_id in world.ids_in(part["files"])]
    assert sorted(found) == sorted(each.contact_id for each in world.contacts)


@pytest.mark.parametrize("slices", [1, 5])
def test_a_hundred_people_are_the_same_hundred_however_the_base_is_sliced(slices: int) -> None:
    world = Audiences(size=300)
    output = world.build({"rule": {"consent": "email"}, "audience": "trial", "limit": 100, "slices": slices})
    wanted = sorted(expected(world, {"consent": "email"}))
    members = world.ids_in(world.manifest(output)["files"])
    assert members == sample(wanted, 100, "trial")
    assert (output["count"], output["matching"], output["beyond_limit"]) == (100, len(wanted), len(wanted) - 100)
    assert output["digest"] == SetDigest.of(members).text
    assert [each["contact_id"] for each in output["sample"]] == members[:10]


def test_the_sample_shows_only_members() -> None:
    world = Audiences(size=100)
    output = world.build({"rule": {"consent": "email"}, "audience": "trial", "limit": 4})
    assert [each["contact_id"] for each in output["sample"]] == world.ids_in(world.manifest(output)["files"])


def test_a_limit_above_the_audience_takes_everybody() -> None:
    world = Audiences(size=100)
    output = world.build({"rule": RULES["tag"], "audience": "a", "limit": {"contacts": 5000, "salt": "s"}})
    assert set(world.ids_in(world.manifest(output)["files"])) == expected(world, RULES["tag"])
    assert output["beyond_limit"] == 0


def test_files_hold_so_many_contacts_and_may_be_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicing, "CONTACTS_PER_FILE", 10)
    world = Audiences(size=100)
    everybody = {"not": {"tag": "x"}}
    manifest = world.manifest(world.build({"rule": everybody, "audience": "a", "compressed": True}))
    assert [file["contacts"] for file in manifest["files"]] == [10] * 10
    assert manifest["files"][3]["key"] == "audiences/a/run-1/members/00000-00003.jsonl.gz"
    lines = [
        json.loads(line)
        for file in manifest["files"]
        for line in gzip.decompress(world.files[file["key"]]).splitlines()
    ]
    assert sorted(line["contact_id"] for line in lines) == [each.contact_id for each in world.contacts]


def test_what_people_see_names_and_addresses_nobody() -> None:
    world = Audiences(size=100)
    output = world.build({"rule": {"not": {"tag": "x"}}, "audience": "a"})
    assert len(output["sample"]) == 10
    assert all(
        set(each) <= {"contact_id", "gender", "age", "city", "level", "lifecycle", "tags"} for each in output["sample"]
    )
    assert "example.com" not in json.dumps(output)
    assert not any(b"example.com" in content for content in world.files.contents.values())


def test_a_run_reports_what_it_cost() -> None:
    world = Audiences(size=70)
    cost = world.build({"rule": RULES["tag"], "audience": "a", "slices": 2})["cost"]
    assert (cost["read_units"], cost["calls"], cost["slices"]) == (25.0, 2, 2)
    assert 0 < cost["dollars"] < 0.001


def test_a_saved_segment_is_built_by_name() -> None:
    world = Audiences(segments={"vip": VIP})
    output = world.build({"segment": "vip"})
    assert (output["audience"], output["segment"]) == ("vip", "vip")
    assert set(world.ids_in(world.manifest(output)["files"])) == expected(world, {"tag": "vip"})
    inside = world.build({"rule": {"not": {"segment": "vip"}}, "audience": "others"})
    assert inside["count"] == 60 - output["count"]


@pytest.mark.parametrize(
    ("given_", "field", "says"),
    [
        ({}, "segment", "either"),
        ({"segment": "vip", "rule": {"tag": "vip"}}, "segment", "either"),
        ({"segment": "vipp"}, "segment", "did you mean 'vip'"),
        ({"rule": {"tagg": "vip"}, "audience": "a"}, "rule", "event at hand"),
        ({"rule": {"tag": 5}, "audience": "a"}, "rule.tag", "expected a name"),
        ({"rule": {"engagement": "accepted"}, "audience": "a"}, "rule", "no such event is kept"),
        ({"rule": {"tag": "vip"}}, "audience", "lower-case"),
        ({"rule": {"tag": "vip"}, "audience": "../x"}, "audience", "lower-case"),
        ({"segment": "vip", "limit": 0}, "limit", "from 1 to 10,000"),
        ({"segment": "vip", "hold_out": {"percent": 5}}, "hold_out", '"salt"'),
        ({"segment": "vip", "hold_out": {"salt": "s", "percent": 500}}, "hold_out", '"salt"'),
        ({"segment": "vip", "sliced": 3}, "sliced", "is not known"),
        ({"segment": "vip", "card": "no"}, "card", "true or false"),
        ({"segment": "vip", "language": "fr"}, "language", "zh-CN, en"),
        ([], "input", "an object"),
    ],
)
def test_a_wrong_request_is_refused_with_its_field(given_: Any, field: str, says: str) -> None:
    world = Audiences(segments={"vip": VIP})
    with pytest.raises(InvalidInput, match=says) as refused:
        world.planner.plan({"input": given_, "execution": "run-1"})
    assert refused.value.field == field
    assert not world.files.contents


def test_a_slice_that_is_not_finished_is_not_gathered() -> None:
    world = Audiences()
    work = world.planner.plan({"input": {"rule": {"tag": "vip"}, "audience": "a", "slices": 2}, "execution": "run-1"})
    world.builder.step(work["slices"][1], remaining=lambda: 900_000)
    with pytest.raises(InvalidInput, match=r"slice 0 .* not finished"):
        world.gatherer.gather(work)


def test_slices_grow_with_the_base_and_end_at_a_thousand() -> None:
    sizes = [(0, 0), (60, 90_000), (1_000_000, 1_500_000_000), (100_000_000, 150_000_000_000)]
    assert [SLICES.slices(BaseSize(*size)) for size in sizes] == [1, 1, 12, 1000]


def test_a_preview_of_a_small_base_takes_one_call_and_keeps_only_its_card() -> None:
    world = Audiences(segments={"vip": VIP})
    preview = world.preview({"segment": "vip"})
    wanted = expected(world, {"tag": "vip"})
    assert (preview["count"], preview["share"]) == (len(wanted), round(len(wanted) / 60, 6))
    assert [each["contact_id"] for each in preview["sample"]] == sample(wanted, 10, "vip")
    assert list(world.files.contents) == [preview["card"]] == ["audiences/vip/run-1/card.html"]


@pytest.mark.parametrize("how", ["large", "slow"])
def test_a_preview_of_a_large_base_says_the_same_in_slices(how: str) -> None:
    world, small = Audiences(size=100), Audiences(size=100)
    if how == "large":
        world.scan.counted = slicing_size()
    given_ = {"rule": RULES["mixed"], "slices": 4 if how == "large" else 1}
    preview = world.preview(given_, remaining=900_000 if how == "large" else 0)
    same = small.preview({"rule": RULES["mixed"]})
    for name in ("count", "digest", "share", "sample", "contacts"):
        assert preview[name] == same[name]
    assert not any("/members/" in key for key in world.files.contents)


def slicing_size() -> Any:
    """A base that was counted when it was large."""
    return BaseSize(items=500_000, bytes=700_000_000)


def stored_again(state: SliceState[slicing.AudienceFound]) -> SliceState[slicing.AudienceFound]:
    """A state as the next invocation reads it."""
    return SliceState.from_dict(json.loads(json.dumps(state.to_dict())), slicing.AudienceFound)


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=6), slices=st.integers(1, 5))
def test_states_add_up_in_any_order(cuts: list[int], slices: int) -> None:
    """However a run is cut into slices and calls, and in whatever order slices come together, the result is the same."""
    world = Audiences(size=40)
    plan = world.planner.planned(
        {"rule": RULES["consent"], "audience": "a", "slices": slices, "limit": 7, "card": False},
        execution="r",
        keeps_files=False,
    )
    single = Audiences(size=40).preview({"rule": RULES["consent"], "audience": "a", "limit": 7, "card": False})
    states = []
    for slice_ in range(slices):
        state = SliceState(slicing.new_found(plan))
        work = slicing.AudienceWork(world.builder.reader, plan, slice_, lambda _: slicing.NoSink())
        for cut in [*cuts, 0]:
            world.scan.page = cut or 100
            if not state.done:
                remaining = partial(int, 0 if cut else 900_000)
                SliceRunner().run(state, slice_, work, remaining=remaining, store=lambda: True)
            state = stored_again(state)
        assert state.done
        states.append(state)
    for order in (states, states[::-1]):
        result = world.gatherer.result(plan, merged(map(stored_again, order)))
        for name in ("count", "digest", "matching", "contacts", "sample", "beyond_limit"):
            assert result[name] == single[name]
    assert plan.at == NOW
