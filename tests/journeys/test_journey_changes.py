"""A journey is changed while a thousand contacts wait in it: each goes on as the policy says, none twice and none lost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.fakes.changes import FakeChanges
from tests.fakes.effects import CRASH_MODES, Crash, CrashMode
from tests.fakes.published_journeys import JOURNEY
from tests.fakes.world import Play, Step, World, pause_payload, task_payload
from waypost import ids
from waypost.assembly import assemble
from waypost.errors import TemporarilyUnavailable
from waypost.journeys.changes.change import ANY_STATE, WALKING, Act, Change, change_id
from waypost.journeys.enrolment import Enrolment

OLD, NEW = "aaaaaaaa", "bbbbbbbb"
FIRST, SECOND, RENAMED = "Until day 3", "Until day 5", "Until day 4"
BEFORE: Final[Sequence[Step]] = (
    ("send", "welcome", {}),
    ("pause", FIRST, {"until": {"day": 3, "at": "10:00"}}),
    ("send", "reminder", {}),
    ("pause", SECOND, {"until": {"day": 5, "at": "10:00"}}),
    ("send", "order_confirmation", {}),
)
AFTER: Final[Sequence[Step]] = (
    ("send", "welcome", {}),
    ("pause", FIRST, {"until": {"day": 3, "at": "10:00"}}),
    ("send", "survey", {}),
    ("pause", RENAMED, {"until": {"day": 4, "at": "10:00"}}),
    ("send", "order_confirmation", {}),
)
MANY, SECOND_ONES = 1_000, 400
"""Contacts, and how many of them have come to the second Pause."""


class Stage:
    """A world with contacts in the old version of the journey."""

    def __init__(self, contacts: int = 5, second: int = 2) -> None:
        self.world = World()
        self.changes = FakeChanges(self.world.effects)
        self.seen: list[int] = []
        for number in range(contacts):
            state, payload = (BEFORE[3] if number < second else BEFORE[1])[1:]
            self.have(f"c-{number}", state, payload)

    def have(self, contact_id: str, state: str, payload: Mapping[str, Any], **changes: Any) -> Enrolment:
        """A contact that has had what comes before its Pause."""
        self.world.have_contact(contact_id, identities={})
        enrolment = self.world.have_enrolment(contact_id, machine_version=OLD, **changes)
        self.world.park(enrolment, payload, state)
        return self.world.stored(enrolment)

    def change(self, acts: Mapping[str, Act], to_version: str = NEW) -> Change:
        now = self.world.clock()
        return Change(change_id(JOURNEY, to_version, now), JOURNEY, to_version, {OLD: acts}, "ops", now)

    def apply(self, change: Change, *, wait: Any = lambda: False) -> Change:
        applier = assemble.apply_change(self.world.ports, changes=self.changes, wait=wait)
        return applier.apply([change], progress=self.seen.append)[0]

    def undo(self, change: Change) -> Change:
        undoer = assemble.undo_change(self.world.ports, changes=self.changes, progress=self.seen.append)
        return undoer.undo(change, by="ops")

    def play(self) -> Play:
        """All timers fire until every journey has ended; each version walks its own states."""
        play = Play(self.world, body=BEFORE, versions={f"{JOURNEY}--{NEW}": AFTER})
        play.to_the_end([])
        return play

    @property
    def messages(self) -> Counter[str]:
        """How often each message went out."""
        return Counter(row.message.partition("/")[2] for row in self.world.ledger if row.state == "accepted")

    def check(self) -> None:
        """Nothing went out twice, and nobody is left behind."""
        world = self.world
        assert all(provider.calls.most_common(1)[0][1] == 1 for provider in (world.email, world.sms) if provider.calls)
        assert {each.status for each in world.enrolments} == {"ended"}
        assert all(each.failure is None for each in world.enrolments)


def follow(state: str) -> Act:
    return Act("follow", to=state, visit="1")


MOVE, STAY, STOP = Act("move", to=RENAMED, visit="1"), Act("stay"), Act("stop", reason="a new journey replaces it")


@pytest.mark.parametrize(
    ("acts", "counts", "messages"),
    [
        pytest.param(
            {FIRST: follow(FIRST), SECOND: MOVE},
            {FIRST: {"follow": 600}, SECOND: {"move": 400}},
            {"survey": 600, "order_confirmation": 1000},
            id="follow and move",
        ),
        pytest.param(
            {FIRST: STAY, SECOND: STAY},
            {FIRST: {"stay": 600}, SECOND: {"stay": 400}},
            {"reminder": 600, "order_confirmation": 1000},
            id="stay",
        ),
        pytest.param(
            {FIRST: STOP, SECOND: STAY},
            {FIRST: {"stop": 600}, SECOND: {"stay": 400}},
            {"order_confirmation": 400},
            id="stop some",
        ),
        pytest.param(
            {FIRST: Act("move", to=RENAMED, visit="1"), SECOND: STOP},
            {FIRST: {"move": 600}, SECOND: {"stop": 400}},
            {"order_confirmation": 600},
            id="skip a part",
        ),
    ],
)
def test_a_thousand_parked_contacts_go_on_as_the_policy_says(
    acts: Mapping[str, Act], counts: Mapping[str, Any], messages: Mapping[str, int]
) -> None:
    stage = Stage(MANY, SECOND_ONES)

    done = stage.apply(stage.change(acts))

    assert done.counts == {OLD: counts}
    assert done.finished_at is not None
    assert stage.seen[-1] == MANY
    stage.play()
    stage.check()
    assert stage.messages == messages


def test_a_moved_contact_waits_as_long_as_before_and_its_timeline_says_who_moved_it() -> None:
    stage = Stage(1, 1)
    (before,) = stage.world.enrolments

    stage.apply(stage.change({SECOND: MOVE}))

    (after,) = stage.world.enrolments
    assert after.pause is not None
    assert before.pause is not None
    assert (after.pause.state, after.pause.due_at, after.machine_version) == (RENAMED, before.pause.due_at, NEW)
    (move,) = after.moves
    assert (move.act, move.from_state, move.to_state, move.by) == ("move", SECOND, RENAMED, "ops")


def test_an_event_that_a_moved_contact_waits_for_still_ends_its_pause() -> None:
    stage = Stage(0)
    payload = {"until": {"day": 5, "at": "10:00"}, "or": {"event": "survey_answered"}}
    moved = stage.have(ids.contact_id("user_id", "u-1"), SECOND, payload)
    stage.apply(stage.change({SECOND: MOVE}))

    resumed = stage.world.enrolments.load(moved.contact_id, moved.enrolment_id)

    assert resumed is not None
    assert resumed.pause is not None
    assert resumed.pause.waits_for == {"event": "survey_answered"}
    stage.play()
    stage.check()


def test_a_contact_that_is_moved_back_walks_the_way_again_and_gets_nothing_twice() -> None:
    stage = Stage(3, 0)
    world = stage.world
    while any(each.pause and each.pause.state == FIRST for each in world.enrolments):
        world.fire_next(sets_out=False)
        Play(world, body=BEFORE).advance()
    stage.apply(stage.change({SECOND: Act("move", to=FIRST, visit="1")}))

    stage.play()

    stage.check()
    assert stage.messages == {"reminder": 3, "survey": 3, "order_confirmation": 3}


def test_variables_that_the_new_version_needs_are_given_and_others_are_left_behind() -> None:
    stage = Stage(0)
    world = stage.world
    world.have_contact("c-1", identities={})
    enrolment = world.have_enrolment("c-1", machine_version=OLD)
    row = {"at": FIRST, "input": {"a": 1}, "variables": {"kept": 1, "round": 3, "old": 2}}
    world.pause_journey.ask(task_payload(enrolment, FIRST, **{"for": "2d", "row": row}))
    act = Act("move", to=SECOND, needs=("coupon", "kept"), variables={"coupon": "WELCOME"}, visit="round")

    stage.apply(stage.change({FIRST: act}))

    (moved,) = world.enrolments
    assert moved.pause is not None
    assert moved.pause.row == {"at": SECOND, "input": {"a": 1}, "variables": {"coupon": "WELCOME", "kept": 1}}
    assert moved.pause.pause_id == ids.pause_id(moved.enrolment_id, SECOND, 3)


def test_a_row_that_lacks_what_the_new_version_needs_stays_where_it_is() -> None:
    stage = Stage(1, 0)
    done = stage.apply(stage.change({FIRST: Act("follow", to=FIRST, needs=("coupon",), visit="1")}))
    assert done.counts == {OLD: {FIRST: {"undecided": 1}}}
    stage.play()
    stage.check()


def test_a_contact_at_a_pause_of_which_nothing_was_said_finishes_on_its_version() -> None:
    stage = Stage(4, 2)
    done = stage.apply(stage.change({FIRST: follow(FIRST)}))
    assert done.counts == {OLD: {FIRST: {"follow": 2}, SECOND: {"undecided": 2}}}
    stage.play()
    stage.check()


def test_a_contact_whose_hop_walks_is_taken_when_it_has_parked() -> None:
    stage = Stage(3, 0)
    world = stage.world
    walks = world.have_enrolment("c-walks", machine_version=OLD)
    world.have_contact("c-walks", identities={})
    change = stage.change({FIRST: follow(FIRST), SECOND: MOVE})

    first = stage.apply(change)
    assert first.counts == {OLD: {FIRST: {"follow": 3}, WALKING: {"walking": 1}}}
    assert first.finished_at is None

    def wait() -> bool:
        world.park(walks, {"until": {"day": 3, "at": "10:00"}}, FIRST)
        return True

    done = stage.apply(first, wait=wait)
    assert done.counts == {OLD: {FIRST: {"follow": 4}}}
    assert done.finished_at is not None
    stage.play()
    stage.check()


def test_a_contact_that_is_resumed_in_the_moment_of_the_change_walks_on_alone() -> None:
    stage = Stage(1, 0)
    world = stage.world
    (parked,) = world.enrolments

    def resumes() -> None:
        assert parked.pause is not None
        world.clock.set(parked.pause.due_at)
        world.resume_journey.resume_one(parked.contact_id, parked.enrolment_id)
        world.set_out()

    world.effects.meanwhile["enrolments.save"] = resumes
    done = stage.apply(stage.change({FIRST: follow(FIRST), SECOND: MOVE}))

    assert done.counts == {OLD: {WALKING: {"walking": 1}}}
    (now,) = world.enrolments
    assert (now.position, now.machine_version) == ("running", OLD)
    stage.play()
    stage.check()


def test_a_change_that_is_applied_by_two_at_once_takes_each_contact_once() -> None:
    stage = Stage(6, 3)
    change = stage.change({FIRST: follow(FIRST), SECOND: STOP})
    stage.world.effects.meanwhile["enrolments.save"] = lambda: stage.apply(change)

    done = stage.apply(change)

    assert done.counts == {OLD: {FIRST: {"follow": 3}, SECOND: {"stop": 3}}}
    assert all(len(each.moves) <= 1 for each in stage.world.enrolments)
    stage.play()
    stage.check()


@pytest.mark.parametrize("mode", CRASH_MODES)
def test_a_change_that_dies_at_any_write_is_done_by_the_next_call(mode: CrashMode) -> None:
    acts = {FIRST: follow(FIRST), SECOND: STOP}
    calm = Stage(3, 1)
    begins = len(calm.world.effects.log)
    calm.apply(calm.change(acts))
    for index in range(begins, len(calm.world.effects.log)):
        stage = Stage(3, 1)
        change = stage.change(acts)
        stage.world.effects.crash_at, stage.world.effects.mode = index, mode
        try:
            done = stage.apply(change)
        except (Crash, TemporarilyUnavailable):
            done = stage.apply(change)

        assert done.counts == {OLD: {FIRST: {"follow": 2}, SECOND: {"stop": 1}}}, index
        stage.play()
        stage.check()
        assert stage.messages == {"survey": 2, "order_confirmation": 2}


@pytest.mark.parametrize("mode", CRASH_MODES)
def test_an_undo_that_dies_at_any_write_is_done_by_the_next_call(mode: CrashMode) -> None:
    acts = {FIRST: follow(FIRST), SECOND: STOP}
    calm = Stage(2, 1)
    change = calm.apply(calm.change(acts))
    begins = len(calm.world.effects.log)
    calm.undo(change)
    for index in range(begins, len(calm.world.effects.log)):
        stage = Stage(2, 1)
        change = stage.apply(stage.change(acts))
        stage.world.effects.crash_at, stage.world.effects.mode = index, mode
        try:
            stage.undo(change)
        except (Crash, TemporarilyUnavailable):
            assert sum(stage.undo(change).undone.values()) == 2
        assert {each.machine_version for each in stage.world.enrolments} == {OLD}
        stage.play()
        stage.check()
        assert stage.messages == {"reminder": 1, "order_confirmation": 2}


def test_a_removed_journey_is_stopped_for_those_who_walk_too() -> None:
    stage = Stage(2, 1)
    stage.world.have_contact("c-walks", identities={})
    stage.world.have_enrolment("c-walks", machine_version=OLD)

    done = stage.apply(stage.change({ANY_STATE: STOP}, to_version=""))

    assert done.counts == {OLD: {FIRST: {"stop": 1}, SECOND: {"stop": 1}, WALKING: {"stop": 1}}}
    assert {each.outcome for each in stage.world.enrolments} == {"stopped"}
    assert {each.stopped.reason for each in stage.world.enrolments if each.stopped} == {STOP.reason}


def test_stopping_says_why_in_the_event_stream_and_frees_what_was_held() -> None:
    stage = Stage(1, 0)
    held = {"active": True, "enrolment_id": next(iter(stage.world.enrolments)).enrolment_id, "enrolled_at": None}
    stage.world.enrolments.holders["c-0", "group#welcome"] = held

    stage.apply(stage.change({FIRST: STOP}))

    (ended,) = stage.world.queue.events.values()
    assert (ended.type, ended.properties["outcome"], ended.properties["reason"]) == (
        "journey_ended",
        "stopped",
        STOP.reason,
    )
    assert held["active"] is False


def test_a_change_is_undone_from_its_record() -> None:
    stage = Stage(6, 3)
    before = {each.enrolment_id: each for each in stage.world.enrolments}
    change = stage.apply(stage.change({FIRST: follow(FIRST), SECOND: MOVE}))

    undone = stage.undo(change)

    assert undone.undone == {"restored": 6}
    for each in stage.world.enrolments:
        was = before[each.enrolment_id]
        assert replace(each, moves=(), revision=was.revision) == was
        assert [move.act for move in each.moves][-1] == "undo"
    assert stage.undo(undone).undone == {"undone_before": 6}
    stage.play()
    stage.check()
    assert stage.messages == {"reminder": 3, "order_confirmation": 6}


def test_an_undo_leaves_those_who_have_walked_on() -> None:
    stage = Stage(3, 0)
    world = stage.world
    change = stage.apply(stage.change({FIRST: follow(FIRST)}))
    one = next(iter(world.enrolments))
    assert one.pause is not None
    world.clock.set(one.pause.due_at)
    world.resume_journey.resume_one(one.contact_id, one.enrolment_id)
    world.set_out()

    assert stage.undo(change).undone == {"walked_on": 1, "restored": 2}

    stage.play()
    stage.check()
    assert stage.messages == {"survey": 1, "reminder": 2, "order_confirmation": 3}


def test_a_stopped_contact_is_put_back_unless_its_place_is_taken() -> None:
    stage = Stage(3, 0)
    world = stage.world
    group = [("c-0", False), ("c-1", True)]
    change = stage.apply(stage.change({FIRST: STOP}))
    for contact_id, taken in group:
        world.enrolments.holders[contact_id, f"reentry#{JOURNEY}"] = {
            "active": taken,
            "enrolment_id": "n-other",
            "enrolled_at": world.clock(),
        }

    assert stage.undo(change).undone == {"restored": 2, "place_taken": 1}

    back = {each.contact_id: each.status for each in world.enrolments}
    assert back == {"c-0": "active", "c-1": "ended", "c-2": "active"}
    stage.play()
    stage.check()
    ends = [each for each in world.queue.events.values() if each.type == "journey_ended"]
    assert Counter(each.properties["outcome"] for each in ends) == {"stopped": 3, "completed": 2}


def test_applying_a_change_again_does_not_take_those_whom_an_undo_has_put_back() -> None:
    stage = Stage(2, 0)
    change = stage.apply(stage.change({FIRST: follow(FIRST)}))
    stage.undo(change)
    stage.apply(change)
    assert {each.machine_version for each in stage.world.enrolments} == {OLD}


def test_a_hop_of_the_former_version_cannot_take_the_row_of_a_moved_contact() -> None:
    stage = Stage(1, 0)
    world = stage.world
    (parked,) = world.enrolments
    assert parked.pause is not None
    stage.apply(stage.change({FIRST: follow(FIRST)}))
    world.clock.set(parked.pause.due_at)
    world.resume_journey.resume_one(parked.contact_id, parked.enrolment_id)

    late = replace(parked.resumed("elapsed", {"outcome": "elapsed"}, world.clock()), machine_version=OLD)

    assert world.pause_journey.ask(pause_payload(late, FIRST, **{"for": "2d"})) == {"status": "parked"}
    stage.play()
    stage.check()
