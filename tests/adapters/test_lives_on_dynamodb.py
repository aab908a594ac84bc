"""The engine on the real stores, in moto: the same lives, the same facts, also when every answer gets lost once.

boto3 repeats a call whose answer did not come. ``Repeating`` does every write twice and gives the second answer.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from tests.adapters.stores import Stores, dynamo_stores, in_nurture
from tests.adapters.test_merges_contract import merged, two
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeBulkContacts
from tests.fakes.enrolments import FakeEnrolments
from tests.fakes.history import FakeHistory
from tests.fakes.ledger import FakeLedger
from tests.fakes.world import CONTACT, Play, World, send_request, touch
from tests.journeys.test_crashes import EXPECTED, LIVES
from waypost.aws.contacts import DynamoContacts
from waypost.aws.enrolment_row import ended_sk
from waypost.aws.enrolments import DynamoEnrolments
from waypost.aws.ledger import DynamoLedger
from waypost.contacts.ports import LONGEST_WRITE
from waypost.contacts.profile import Contact
from waypost.errors import TemporarilyUnavailable
from waypost.journeys.enrolment import Enrolment, TriggerEvent, first_hop
from waypost.journeys.ports import NEVER, EntryTerms
from waypost.sending.ledger import ClaimResult, Decision

WRITES = {"delete_item", "put_item", "update_item", "transact_write_items"}


class Repeating:
    """A DynamoDB client whose writes all happen twice."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name not in WRITES:
            return call

        def twice(**request: Any) -> Any:
            call(**request)
            return call(**request)

        return twice


class Dying:
    """A DynamoDB client that breaks down before its n-th write (counted from 0), once."""

    def __init__(self, client: Any, at: int) -> None:
        self._client, self._left = client, at

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name not in WRITES:
            return call

        def counted(**request: Any) -> Any:
            self._left -= 1
            if self._left == -1:
                throttled: Any = {"Error": {"Code": "ThrottlingException"}}
                raise ClientError(throttled, name)
            return call(**request)

        return counted


def world_on(stores: Stores, name: str) -> World:
    """The fakes of a world replaced by these stores, where there is one."""
    world = World(published=LIVES[name].published)
    world.clock.now = LIVES[name].events[0].occurred_at
    world.contacts = cast("FakeBulkContacts", stores.contacts)
    world.history = cast("FakeHistory", stores.history)
    world.enrolments = cast("FakeEnrolments", stores.enrolments)
    world.ledger = cast("FakeLedger", stores.ledger)
    if (prepare := LIVES[name].prepare) is not None:
        prepare(world)
    return world


@pytest.mark.parametrize("repeating", [False, True], ids=["once", "every_write_repeated"])
@pytest.mark.parametrize(
    "name", ["never_answers", "answers", "orders_before_a_deferred_message", "is_throttled", "enters_two_journeys"]
)
def test_a_life_on_dynamodb_is_the_life_on_the_fakes(dynamodb: Any, table: str, name: str, repeating: bool) -> None:
    life, (expected, expected_play) = LIVES[name], EXPECTED[name]
    stores = dynamo_stores(Repeating(dynamodb) if repeating else dynamodb, table)
    world = world_on(stores, name)
    play = Play(world, body=life.body, after=life.after)
    play.to_the_end(life.events)

    assert play.trail == expected_play.trail
    assert world.machines.executions == expected.machines.executions
    contact = stores.contacts.load(CONTACT)
    assert contact is not None
    assert contact.to_dict() | {"version": 0} == expected.contacts[CONTACT].to_dict() | {"version": 0}
    for enrolment in expected.enrolments:
        found = stores.enrolments.load(CONTACT, enrolment.enrolment_id)
        assert found is not None
        assert repeating or found.revision == enrolment.revision
        assert replace(found, revision=0) == replace(enrolment, revision=0)
        for state in {row.occasion.label for row in expected.ledger}:
            request = send_request(enrolment, state, state=state)
            row = stores.ledger.snapshot(request).row
            assert row is not None
            assert (row.state, row.attempt) == (expected.ledger[request.message_key].state, row.attempt)
            assert row.decisions[-1] == expected.ledger[request.message_key].decisions[-1]
            assert world.email.risky_calls(request.message_key) + world.sms.risky_calls(request.message_key) <= 1
    assert {event_id for _, event_id in expected.history.routed} == {
        each.id for each in stores.history.since(CONTACT, FakeClock("2020-01-01T00:00:00Z")())
    }


def enrolled(dynamodb: Any, table: str, clock: FakeClock) -> tuple[Enrolment, EntryTerms]:
    trigger = TriggerEvent("e-1", "registered", clock(), {})
    enrolment = in_journey("n-1", trigger, clock)
    terms = EntryTerms(one_at_a_time=True, exclusive_group="onboarding")
    store = DynamoEnrolments(dynamodb, table)
    assert store.open(enrolment, terms) is None
    return replace(enrolment, revision=1), terms


def in_journey(enrolment_id: str, trigger: TriggerEvent, clock: FakeClock) -> Enrolment:
    hop = first_hop(enrolment_id, clock())
    fields: dict[str, Any] = {"hop": hop, "due_at": clock(), "exclusive_group": "onboarding"}
    return Enrolment(enrolment_id, "c-1", "nurture", 1, trigger, clock(), **fields)


@pytest.mark.parametrize("dies_at", range(3))
def test_an_entry_that_broke_down_is_made_good_by_its_event_and_let_nobody_else_in(
    dynamodb: Any, table: str, clock: FakeClock, dies_at: int
) -> None:
    trigger, terms = TriggerEvent("e-1", "registered", clock(), {}), EntryTerms(True, exclusive_group="onboarding")
    entering, store = in_journey("n-1", trigger, clock), DynamoEnrolments(dynamodb, table)
    with pytest.raises(TemporarilyUnavailable):
        DynamoEnrolments(Dying(dynamodb, dies_at), table).open(entering, terms)
    assert store.unfinished("c-1") == []
    if dies_at:  # its place is held
        other = in_journey("n-2", TriggerEvent("e-2", "registered", clock(), {}), clock)
        assert store.open(other, terms) == "enrolled_before"
    clock.advance(minutes=20)
    assert store.open(replace(entering, enrolled_at=clock()), terms) is None
    assert [each.enrolment_id for each in store.unfinished("c-1")] == ["n-1"]
    assert store.end(replace(entering, revision=1).ended("completed", clock()))
    assert store.open(in_journey("n-3", TriggerEvent("e-3", "registered", clock(), {}), clock), terms) is None


@pytest.mark.parametrize("not_since", [None, NEVER])
@pytest.mark.parametrize("dies_at", [1, 2])
@pytest.mark.parametrize("under", ["c-1", "c-2"])
def test_an_entry_that_broke_down_is_made_good_by_its_event_when_the_contact_was_merged_meanwhile(
    dynamodb: Any, table: str, clock: FakeClock, dies_at: int, under: str, not_since: datetime | None
) -> None:
    trigger, store = TriggerEvent("e-1", "registered", clock(), {}), DynamoEnrolments(dynamodb, table)
    terms = EntryTerms(True, not_since, exclusive_group="onboarding")
    with pytest.raises(TemporarilyUnavailable):
        DynamoEnrolments(Dying(dynamodb, dies_at), table).open(in_journey("n-1", trigger, clock), terms)
    merged = replace(terms, also_under=("c-2" if under == "c-1" else "c-1",))

    def of(enrolment_id: str, event: TriggerEvent) -> Enrolment:
        return replace(in_journey(enrolment_id, event, clock), contact_id=under)

    assert store.open(of("n-2", TriggerEvent("e-2", "registered", clock(), {})), merged) == "enrolled_before"
    assert store.open(of("n-1" if under == "c-1" else "n-3", trigger), merged) is None
    assert len(store.unfinished(under)) == 1
    assert store.open(of("n-4", TriggerEvent("e-4", "registered", clock(), {})), merged) == "already_in_journey"


def test_an_event_that_was_acted_on_under_another_id_lets_nobody_in_twice(
    dynamodb: Any, table: str, clock: FakeClock
) -> None:
    first, terms = enrolled(dynamodb, table, clock)
    store, merged = DynamoEnrolments(dynamodb, table), replace(terms, also_under=("c-1",), not_since=NEVER)
    again = replace(in_journey("n-2", first.trigger, clock), contact_id="c-2")
    assert store.open(again, merged) == "already_in_journey"
    assert store.end(first.ended("completed", clock()))
    assert store.open(again, merged) == "enrolled_before"


def test_a_group_is_not_held_for_ever_by_a_journey_that_was_never_stored(
    dynamodb: Any, table: str, clock: FakeClock
) -> None:
    terms, store = EntryTerms(True, exclusive_group="onboarding"), DynamoEnrolments(dynamodb, table)
    died = in_journey("n-1", TriggerEvent("e-1", "registered", clock(), {}), clock)
    with pytest.raises(TemporarilyUnavailable):
        DynamoEnrolments(Dying(dynamodb, 2), table).open(died, terms)

    def welcome_back() -> Enrolment:
        trigger = TriggerEvent("e-2", "logged_in", clock(), {})
        return replace(in_journey("n-2", trigger, clock), journey="welcome_back")

    assert store.open(welcome_back(), terms) == "exclusive_group_taken"
    clock.advance(minutes=16)
    assert store.open(welcome_back(), terms) is None
    clock.advance(minutes=16)
    late = replace(died, journey="third", enrolled_at=clock())
    assert store.open(late, terms) == "exclusive_group_taken", "whose row is stored holds it"


def test_an_event_that_was_acted_on_twice_at_once_enters_once(dynamodb: Any, table: str, clock: FakeClock) -> None:
    terms, store = EntryTerms(True, exclusive_group="onboarding"), DynamoEnrolments(dynamodb, table)
    entering = in_journey("n-1", TriggerEvent("e-1", "registered", clock(), {}), clock)

    def enters_and_ends() -> None:
        assert store.open(entering, terms) is None
        assert store.end(replace(entering, revision=1).ended("completed", clock()))

    for writes in range(3):
        meanwhile = DynamoEnrolments(Meanwhile(dynamodb, writes, enters_and_ends), table)
        assert meanwhile.open(entering, terms) == "enrolled_before"
        assert store.unfinished("c-1") == []
        dynamodb.delete_item(
            TableName=table, Key={"pk": {"S": "contact#c-1"}, "sk": {"S": ended_sk(entering.enrolment_id)}}
        )
    other = replace(in_journey("n-2", TriggerEvent("e-2", "registered", clock(), {}), clock), journey="other")
    assert store.open(other, terms) is None, "nothing is held"


@pytest.mark.parametrize("not_since", [None, timedelta(days=30)])
def test_a_refused_entry_leaves_the_place_in_the_journey_as_it_was(
    dynamodb: Any, table: str, clock: FakeClock, not_since: timedelta | None
) -> None:
    store = DynamoEnrolments(dynamodb, table)
    free = EntryTerms(True)
    if not_since is not None:
        before = replace(in_journey("n-0", TriggerEvent("e-0", "registered", clock(), {}), clock), exclusive_group=None)
        assert store.open(before, free) is None
        assert store.end(replace(before, revision=1).ended("completed", clock()))
    holder = replace(in_journey("n-9", TriggerEvent("e-9", "registered", clock(), {}), clock), journey="holder")
    assert store.open(holder, EntryTerms(True, exclusive_group="onboarding")) is None
    clock.advance(days=40)
    since = None if not_since is None else clock() - not_since
    terms = EntryTerms(True, not_since=since, exclusive_group="onboarding")
    refused = in_journey("n-1", TriggerEvent("e-1", "registered", clock(), {}), clock)
    assert store.open(refused, terms) == "exclusive_group_taken"
    again = replace(in_journey("n-2", TriggerEvent("e-2", "registered", clock(), {}), clock), exclusive_group=None)
    assert store.open(again, EntryTerms(True, not_since=since)) is None


@pytest.mark.parametrize("dies_at", range(4))
def test_an_end_that_broke_down_is_made_good_and_frees_everything(
    dynamodb: Any, table: str, clock: FakeClock, dies_at: int
) -> None:
    enrolment, terms = enrolled(dynamodb, table, clock)
    with pytest.raises(TemporarilyUnavailable):
        DynamoEnrolments(Dying(dynamodb, dies_at), table).end(enrolment.ended("completed", clock()))
    store = DynamoEnrolments(dynamodb, table)
    stored = store.load("c-1", "n-1")
    assert stored is not None
    assert stored.status == "active", "until it has ended, its end is retried"
    assert store.end(enrolment.ended("completed", clock()))
    again = in_journey("n-2", enrolment.trigger, clock)
    assert store.open(again, terms) is None


@pytest.mark.parametrize("dies_at", range(2))
def test_a_refusal_that_broke_down_never_lets_a_second_call_through(
    dynamodb: Any, table: str, clock: FakeClock, dies_at: int
) -> None:
    enrolment, _ = enrolled(dynamodb, table, clock)
    request = send_request(enrolment, "welcome", state="welcome")
    ledger = DynamoLedger(dynamodb, table)
    touches = ledger.snapshot(request).touches
    ledger.claim(
        request,
        channel="email",
        claim_id="claim-1",
        at=clock(),
        local_time="",
        touches=touches.plus(touch(request.message_key, clock())),
    )
    decision = Decision(clock(), "2027-03-01T10:00:00+08:00", "rejected", "provider: MessageRejected", "email")
    with pytest.raises(TemporarilyUnavailable):
        DynamoLedger(Dying(dynamodb, dies_at), table).settle(
            request, claim_id="claim-1", state="rejected", decision=decision
        )
    touches = ledger.snapshot(request).touches
    again = ledger.claim(
        request,
        channel="email",
        claim_id="claim-2",
        at=clock(),
        local_time="",
        touches=touches.plus(touch(request.message_key, clock())),
    )
    assert again == "taken"


class Meanwhile:
    """A DynamoDB client on whose n-th write (counted from 0) something else happens first."""

    def __init__(self, client: Any, at: int, happens: Callable[[], object]) -> None:
        self._client, self._left, self._happens = client, at, happens

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name not in WRITES:
            return call

        def second(**request: Any) -> Any:
            self._left -= 1
            if self._left == -1:
                self._happens()
            return call(**request)

        return second


def marketing(ledger: DynamoLedger, enrolment: Enrolment, clock: FakeClock, claim_id: str) -> ClaimResult:
    """A claim of the welcome as the sender makes it, on the touches of this moment."""
    request = send_request(enrolment, "welcome", state="welcome")
    counted = ledger.snapshot(request).touches.plus(touch(request.message_key, clock()))
    return ledger.claim(request, channel="email", claim_id=claim_id, at=clock(), local_time="", touches=counted)


@pytest.mark.parametrize("dies_at", range(2))
def test_a_claim_that_broke_down_is_made_by_the_repeated_request_and_counts_once(
    dynamodb: Any, table: str, clock: FakeClock, dies_at: int
) -> None:
    enrolment, _ = enrolled(dynamodb, table, clock)
    request = send_request(enrolment, "welcome", state="welcome")
    with pytest.raises(TemporarilyUnavailable):
        marketing(DynamoLedger(Dying(dynamodb, dies_at), table), enrolment, clock, "claim-1")
    ledger = DynamoLedger(dynamodb, table)
    broken = ledger.snapshot(request)
    assert broken.row is None
    assert len(broken.touches.recent) == dies_at, "counted first: a cap never counts one too few"
    assert marketing(ledger, enrolment, clock, "claim-2") == "claimed"
    assert marketing(ledger, enrolment, clock, "claim-3") == "taken"
    assert len(ledger.snapshot(request).touches.recent) == 1


def test_a_key_that_is_skipped_while_it_is_claimed_counts_nothing(dynamodb: Any, table: str, clock: FakeClock) -> None:
    enrolment, _ = enrolled(dynamodb, table, clock)
    request, ledger = send_request(enrolment, "welcome", state="welcome"), DynamoLedger(dynamodb, table)
    decision = Decision(clock(), "2027-03-01T10:00:00+08:00", "skipped", "no_consent", "email")
    slow = Meanwhile(dynamodb, 1, lambda: ledger.skip(request, decision=decision))
    assert marketing(DynamoLedger(slow, table), enrolment, clock, "claim-1") == "taken"
    found = ledger.snapshot(request)
    assert found.row is not None
    assert (found.row.state, list(found.touches.recent)) == ("skipped", [])


def test_a_merge_between_the_two_writes_of_a_claim_takes_its_touch_along(
    dynamodb: Any, table: str, clock: FakeClock
) -> None:
    stores = dynamo_stores(dynamodb, table)
    survivor, absorbed = two(stores, clock)
    enrolment = in_nurture("n-1", "c-2", TriggerEvent("e-1", "registered", clock(), {}), clock())
    request = send_request(enrolment, "welcome", state="welcome")
    slow = Meanwhile(dynamodb, 1, lambda: merged(stores, clock, survivor, absorbed))
    assert marketing(DynamoLedger(slow, table), enrolment, clock, "claim-1") == "claimed"
    found = stores.ledger.snapshot(request)
    assert found.contact is not None
    assert found.contact.contact_id == "c-1"
    assert [each.message_key for each in found.touches.recent] == [request.message_key]
    assert marketing(DynamoLedger(dynamodb, table), enrolment, clock, "claim-2") == "taken"


def test_an_identity_without_its_contact_is_released_when_its_writer_must_be_dead(
    dynamodb: Any, table: str, clock: FakeClock
) -> None:
    def dies() -> None:
        raise TemporarilyUnavailable("the process is gone")

    new = Contact(contact_id="c-1", created_at=clock(), identities={"email": ["lin@example.com"]})
    with pytest.raises(TemporarilyUnavailable):
        DynamoContacts(Meanwhile(dynamodb, 1, dies), table, clock).save(new, claim={"email": "lin@example.com"})
    contacts, named = DynamoContacts(dynamodb, table, clock), {"email": "lin@example.com"}
    assert (contacts.resolve(named), contacts.load("c-1")) == ({"email": "c-1"}, None)
    clock.now += LONGEST_WRITE
    contacts.release("email", "lin@example.com", "c-1")
    assert contacts.resolve(named) == {"email": "c-1"}, "its writer may still come"
    clock.now += timedelta(seconds=1)
    contacts.release("email", "lin@example.com", "c-2")
    assert contacts.resolve(named) == {"email": "c-1"}, "it leads elsewhere"
    contacts.release("email", "lin@example.com", "c-1")
    assert contacts.resolve(named) == {}
