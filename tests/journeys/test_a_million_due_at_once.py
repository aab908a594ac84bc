"""A million contacts due at the same minute, and an hour of backlog after an outage: counted calls, with the real constants."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any, Final

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.enrolments import FakeEnrolments
from tests.fakes.published_journeys import published
from tests.fakes.schedules import Booking, FakeSchedules
from tests.fakes.world import World, event
from waypost import ids
from waypost.channels.answers import RefusedForNow
from waypost.clock import parse_instant
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.ports import SHARDS, DueEnrolment
from waypost.journeys.resume_journey import BATCH, MOST_AT_ONCE, STARTS_A_SECOND, Outcome, ResumeJourney
from waypost.journeys.timers import book_timer

CONTACTS: Final = 1_000_000
DUE: Final = parse_instant("2027-03-03T02:00:00Z")
WHOLE_SHARD: Final = 3
"""The shard of which each row is loaded, resumed, saved and started; of the others the paging is counted."""
KEYS_OF_A_PAGE: Final = 8_000
"""Of one megabyte of the index: 130 bytes are an entry's four keys with their names."""
STARTS_OF_AN_ACCOUNT: Final = 6_000
"""A second, Express. Source: Step Functions Developer Guide, "Service quotas"."""
TIMEOUT: Final = timedelta(minutes=5)


@cache
def shards() -> list[list[int]]:
    """The contacts of each shard by their numbers, in the order of the index."""
    found: list[list[int]] = [[] for _ in range(SHARDS)]
    for number in range(CONTACTS):
        found[ids.shard_of(f"c-{number:07}", SHARDS)].append(number)
    return found


def parked() -> Enrolment:
    """What every one of the million rows looks like."""
    world = World(clock=FakeClock(DUE - timedelta(days=2)))
    world.have_contact()
    world.park(world.have_enrolment(), {"for": "2d"})
    (enrolment,) = world.enrolments
    return enrolment


@dataclass
class Million(FakeEnrolments):
    """The rows of a million parked contacts, made when they are read; ``queries`` counts pages of the index."""

    row: Enrolment = field(default_factory=parked)
    queries: int = 0

    def find_due(self, shard: int, *, after: DueEnrolment | None = None, **_: Any) -> Iterator[DueEnrolment]:
        """See EnrolmentStore."""
        behind = int(after.contact_id.removeprefix("c-")) if after else -1
        listed = 0
        for number in shards()[shard]:
            if number <= behind:
                continue
            if listed % KEYS_OF_A_PAGE == 0:
                self.queries += 1
            listed += 1
            yield DueEnrolment(f"c-{number:07}", f"n-{number:07}", DUE)

    def glance(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """See EnrolmentStore."""
        return replace(self.row, contact_id=contact_id, enrolment_id=enrolment_id)

    def save(self, _: Enrolment) -> bool:
        """See EnrolmentStore. A timer writes nothing."""
        raise AssertionError("a timer has written a row")


@dataclass
class Starts:
    """Machines that count starts by execution."""

    names: Counter[str] = field(default_factory=Counter)

    def start(self, journey: str, name: str, execution_input: Mapping[str, Any]) -> None:
        """See Machines."""
        self.names[name] += 1


@dataclass
class Calls:
    """What the calls for all shards did. ``starts`` is by second after the minute, ``longest`` the longest call."""

    number: int = 0
    resumed: int = 0
    starts: Counter[int] = field(default_factory=Counter)
    longest: timedelta = timedelta()


def work_off(store: Million, schedules: FakeSchedules, machines: Starts) -> Calls:
    """Every schedule fires at its time; the shards run side by side, each on a clock of its own."""
    calls = Calls()
    while (booking := schedules.next_due()) is not None:
        schedules.take(booking)
        call(booking, calls, store, schedules, machines)
    return calls


def call(booking: Booking, calls: Calls, store: Million, schedules: FakeSchedules, machines: Starts) -> None:
    """One call of resume_journey."""
    world = World()
    clock = FakeClock(booking.at)

    def in_turn(act: Callable[[DueEnrolment], Outcome], batch: Iterable[DueEnrolment]) -> Iterable[Outcome]:
        due = list(batch)
        calls.starts[int((clock() - DUE).total_seconds())] += len(due)
        return map(act, due) if booking.payload["shard"] == WHOLE_SHARD else ["resumed"] * len(due)

    resumer = ResumeJourney(
        contacts=world.contacts,
        enrolments=store,
        close_enrolment=world.close_enrolment,
        default_zone=world.default_zone,
        timers=schedules,
        machines=machines,
        held=world.held_journeys,
        clock=clock,
        sleep=lambda seconds: clock.advance(seconds=seconds),
        side_by_side=in_turn,
    )
    calls.resumed += sum(resumer.resume(booking.payload).values())
    calls.number += 1
    calls.longest = max(calls.longest, clock() - booking.at)


@pytest.fixture(scope="module")
def worked_off() -> tuple[Million, Starts, Calls, int]:
    """The store, the machines, what the calls did, and how many schedules the pauses had booked."""
    store, schedules, machines = Million(), FakeSchedules(), Starts()
    for number in (*shards()[WHOLE_SHARD], *(shard[0] for shard in shards())):
        contact = replace(store.row, contact_id=f"c-{number:07}")
        book_timer(schedules, contact, now=DUE - timedelta(days=2))
    booked = len(schedules)
    return store, machines, work_off(store, schedules, machines), booked


def test_a_million_who_are_due_at_one_minute_book_a_schedule_for_each_shard(
    worked_off: tuple[Million, Starts, Calls, int],
) -> None:
    *_, booked = worked_off
    assert booked == SHARDS


def test_a_million_are_resumed_once_each_by_one_more_call_for_each_shard(
    worked_off: tuple[Million, Starts, Calls, int],
) -> None:
    _, machines, calls, _ = worked_off
    whole = shards()[WHOLE_SHARD]

    assert calls.resumed == CONTACTS
    assert calls.number == sum(-(-len(shard) // MOST_AT_ONCE) for shard in shards()) == 2 * SHARDS
    assert len(machines.names) == len(whole)
    assert set(machines.names.values()) == {1}


def test_the_index_is_read_in_pages_and_not_by_contact(worked_off: tuple[Million, Starts, Calls, int]) -> None:
    store, *_ = worked_off
    pages = sum(-(-MOST_AT_ONCE // KEYS_OF_A_PAGE) + 1 for _ in range(SHARDS))
    assert store.queries <= pages + SHARDS
    assert store.queries < CONTACTS / 5_000


def test_no_second_starts_more_than_an_account_may_and_no_call_runs_out_of_time(
    worked_off: tuple[Million, Starts, Calls, int],
) -> None:
    *_, calls, _ = worked_off
    assert SHARDS * STARTS_A_SECOND < STARTS_OF_AN_ACCOUNT
    fullest = max(sum(calls.starts[second + step] for step in range(4)) / 4 for second in calls.starts)
    assert fullest <= STARTS_OF_AN_ACCOUNT
    assert calls.longest < TIMEOUT
    assert max(calls.starts) < 240, "a million are on their way within four minutes"
    assert MOST_AT_ONCE % BATCH == 0


def test_an_hour_of_backlog_is_worked_off_and_nothing_stale_goes_out() -> None:
    """For an hour nothing fires, then everything does: each contact goes on once, what had to go out within the hour does not."""
    world = World(clock=FakeClock("2027-03-01T02:00:00Z"), published=published(sending={"send_within_hours": 1}))
    waiting = [f"c-{number}" for number in range(60)]
    for number, contact in enumerate(waiting):
        world.have_contact(contact, identities={"email": f"{contact}@example.com"})
        world.park(world.have_enrolment(contact), {"for": f"{61 + number}m", "or": {"event": "order_placed"}})
    world.have_contact()
    world.email.answers = [RefusedForNow("throttled")] * 4
    deferred = world.send(world.have_enrolment(), "welcome")
    assert deferred.outcome == "deferred"
    assert len(world.schedules) == len(waiting) + 1

    world.clock.set("2027-03-01T04:00:30Z")  # the outage ends; what came in meanwhile is routed first, or last
    world.route(event("order_placed", parse_instant("2027-03-01T03:10:00Z"), contact={"contact_id": waiting[40]}))
    sent = world.email.calls.total()
    while len(world.schedules):
        world.fire_next()
    world.route(event("order_placed", parse_instant("2027-03-01T03:10:00Z"), contact={"contact_id": waiting[50]}))

    assert world.email.calls.total() == sent, "the deferred message had an hour"
    assert world.ledger[deferred.message_key].decisions[-1].reason == "too_late"
    assert len(world.machines) == world.machines.calls == len(waiting)
    ends = {each.contact_id: each.pause.end for each in world.enrolments if each.pause is not None}
    assert [contact for contact, end in ends.items() if end == "event"] == [waiting[40]]
    late = world.stored(next(each for each in world.enrolments if each.contact_id == waiting[0]))
    assert world.send(late, "welcome", "Later").outcome == "sent", (
        "an hour later is not too late for who waited for days"
    )
