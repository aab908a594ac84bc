"""What a change of a journey asks of its stores, as fakes and on DynamoDB, and of the machines of a stage."""

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest

from tests.adapters.stores import REGION, Stores
from tests.adapters.test_enrolments_contract import ONE, enrolment, parked, stored
from tests.fakes.clock import FakeClock
from waypost.aws.journey_changes import StageMachines
from waypost.journeys.changes.change import ANY_STATE, Act, Change, Position
from waypost.journeys.enrolment import Move, Stopped
from waypost.journeys.ports import DueEnrolment

PREFIX = f"arn:aws:states:{REGION}:123456789012:stateMachine:waypost-dev-"
DEFINITION: dict[str, Any] = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}


def change(clock: FakeClock, name: str = "nurture--b-1") -> Change:
    acts = {"a": {"Until day 3": Act("move", to="Until day 4", needs=("kept",), variables={"coupon": 5}, visit="1")}}
    return Change(name, "nurture", "b", {**acts, "c": {ANY_STATE: Act("stop", reason="over")}}, "ops", clock())


def test_many_enrolments_are_read_at_a_time_without_those_that_ended(stores: Stores, clock: FakeClock) -> None:
    known = [enrolment(clock, contact=f"c-{number}", machine_version="a") for number in range(120)]
    for each in known:
        stores.enrolments.open(each, ONE)
    stores.enrolments.end(stored(stores, known[0]).ended("completed", clock()))
    references = [DueEnrolment(each.contact_id, each.enrolment_id, each.due_at) for each in known[:100]]

    found = stores.enrolments.load_many([*references[:99], references[1]])

    assert {each.enrolment_id for each in found} == {each.enrolment_id for each in known[1:99]}
    assert {each.machine_version for each in found} == {"a"}
    assert stores.enrolments.load_many([]) == []


def test_a_moved_enrolment_comes_back_as_it_was(stores: Stores, clock: FakeClock) -> None:
    stores.enrolments.open(enrolment(clock, machine_version="a"), ONE)
    known = stored(stores, enrolment(clock))
    move = Move("change", "move", clock(), "ops", "a", "Until day 3", "b", "Until day 4")
    after = parked(known, clock, days=2)
    assert after.pause is not None

    assert stores.enrolments.save(after.moved(move, replace(after.pause, state="Until day 4"), {}))

    assert stored(stores, known).moves == (move,)
    assert stored(stores, known).machine == "nurture--b"


def test_a_stopped_enrolment_is_taken_up_again_with_what_it_held(stores: Stores, clock: FakeClock) -> None:
    known = enrolment(clock, exclusive_group="welcome")
    stores.enrolments.open(known, replace(ONE, exclusive_group="welcome"))
    stores.enrolments.end(stored(stores, known).ended_from_outside(Stopped("over", "ops", "change"), clock()))

    assert stores.enrolments.reopen(stored(stores, known).reopened())

    assert stored(stores, known).status == "active"
    assert [each.enrolment_id for each in stores.enrolments.of_contact("c-1")] == [known.enrolment_id]
    other = enrolment(clock, "again", exclusive_group="welcome")
    assert stores.enrolments.open(other, ONE) == "already_in_journey"
    assert stores.enrolments.end(stored(stores, known).ended("completed", clock()))


def test_a_stopped_enrolment_stays_ended_when_its_place_is_taken(stores: Stores, clock: FakeClock) -> None:
    known = enrolment(clock)
    stores.enrolments.open(known, ONE)
    stores.enrolments.end(stored(stores, known).ended_from_outside(Stopped("over", "ops"), clock()))
    stores.enrolments.open(enrolment(clock, "again"), ONE)

    assert not stores.enrolments.reopen(stored(stores, known).reopened())

    assert stored(stores, known).status == "ended"


def test_a_stopped_enrolment_is_taken_up_once(stores: Stores, clock: FakeClock) -> None:
    known = enrolment(clock)
    stores.enrolments.open(known, ONE)
    stores.enrolments.end(stored(stores, known).ended_from_outside(Stopped("over", "ops"), clock()))
    ended = stored(stores, known)
    assert stores.enrolments.reopen(ended.reopened())
    assert not stores.enrolments.reopen(ended.reopened())


def test_a_record_comes_back_as_it_was_and_the_last_one_counts(stores: Stores, clock: FakeClock) -> None:
    first = change(clock)
    stores.changes.put(first)
    clock.advance(minutes=5)
    later = change(clock, "nurture--b-2")
    stores.changes.put(later)
    done = replace(first, finished_at=clock(), counts={"a": {"Until day 3": {"move": 12}}})
    stores.changes.put(done)

    assert stores.changes.load(first.id) == done
    assert stores.changes.load("unknown") is None
    assert stores.changes.recent() == [done, later]


def test_where_a_contact_stood_is_noted_from_the_latest_row_that_was_read(stores: Stores, clock: FakeClock) -> None:
    pause = parked(enrolment(clock), clock, days=2).pause
    noted = Position("change", clock(), "c-1", "n-1", "move", "a", pause, "p-2", revision=3)
    for each in (noted, replace(noted, pause_id="p-3", revision=5), replace(noted, pause_id="p-1", revision=2)):
        stores.changes.note(each)
    stores.changes.note(replace(noted, contact_id="c-2", pause=None))
    stores.changes.note(replace(noted, change="another"))

    found = {each.contact_id: each for each in stores.changes.positions("change")}

    assert found == {
        "c-1": replace(noted, pause_id="p-3", revision=5),
        "c-2": replace(noted, contact_id="c-2", pause=None),
    }


@pytest.fixture(scope="module")
def stepfunctions(aws: None) -> Any:
    client = boto3.client("stepfunctions", region_name=REGION)
    role = "arn:aws:iam::123456789012:role/journey"
    for name in (
        "dev-nurture--aaaa",
        "dev-nurture--bbbb",
        "dev-win-back--cccc",
        "dev-import-contacts",
        "prod-nurture--dddd",
    ):
        client.create_state_machine(name=f"waypost-{name}", definition=json.dumps(DEFINITION), roleArn=role)
    return client


def test_the_versions_of_a_stage_are_its_machines(stepfunctions: Any) -> None:
    machines = StageMachines(stepfunctions, PREFIX)

    assert [(each.journey, each.version) for each in machines.versions()] == [
        ("nurture", "aaaa"),
        ("nurture", "bbbb"),
        ("win-back", "cccc"),
    ]
    assert machines.definition("nurture", "aaaa") == DEFINITION
    machines.delete("nurture", "aaaa")
    assert [each.version for each in machines.versions()] == ["bbbb", "cccc"]
