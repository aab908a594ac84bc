"""What every Ledger must do."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.adapters.stores import Stores, in_nurture
from tests.fakes.clock import FakeClock
from tests.fakes.world import touch
from waypost.contacts.profile import Contact
from waypost.events.envelope import Event
from waypost.journeys.enrolment import TriggerEvent
from waypost.journeys.ports import EntryTerms
from waypost.sending.ledger import Confirmation, Decision, LedgerRow, Touches
from waypost.sending.occasion import BroadcastSlot, JourneyStep, Occasion, Reply, StaffNotice, enrolment_origin
from waypost.sending.request import SendOutcome, SendRequest


def request(state: str = "Day 1, welcome", enrolment: str = "n-1", **changes: Any) -> SendRequest:
    step = JourneyStep("c-1", enrolment, "nurture", state, after_exit=changes.pop("after_exit", False))
    return SendRequest(**{"occasion": step, "message": "nurture/welcome", **changes})


def decision(clock: FakeClock, outcome: SendOutcome = "sent", reason: str = "every_guard_allowed") -> Decision:
    return Decision(clock(), "2027-03-01T10:00:00+08:00", outcome, reason, "email")


def claim(stores: Stores, clock: FakeClock, asked: SendRequest, claim_id: str = "claim-1", **options: Any) -> str:
    given: dict[str, Any] = {
        "channel": "email",
        "at": clock(),
        "local_time": "2027-03-01T10:00:00+08:00",
        "touches": None,
    } | options
    if given["touches"] is not None:
        given["touches"] = given["touches"].plus(touch(asked.message_key, clock(), topic="offers", priority="high"))
    return stores.ledger.claim(asked, claim_id=claim_id, **given)


def row(stores: Stores, asked: SendRequest) -> LedgerRow:
    found = stores.ledger.snapshot(asked).row
    assert found is not None
    return found


def touched(stores: Stores) -> Touches:
    return stores.ledger.snapshot(request()).touches


def defer(stores: Stores, clock: FakeClock, asked: SendRequest, claim_id: str | None = None) -> bool:
    later = replace(asked, attempt=asked.attempt + 1)
    waits = decision(clock, "deferred", "quiet_hours")
    return stores.ledger.defer(later, decision=waits, until=clock() + timedelta(hours=8), claim_id=claim_id)


def test_a_snapshot_of_a_journey_step_has_everything_it_is_decided_on(stores: Stores, clock: FakeClock) -> None:
    contact = Contact(contact_id="c-1", created_at=clock(), attributes={"email": "lin@example.com"})
    trigger = TriggerEvent("e-1", "registered", clock(), {})
    enrolment = in_nurture("n-1", "c-1", trigger, clock())
    stores.contacts.save(contact, claim={})
    stores.enrolments.open(enrolment, EntryTerms(one_at_a_time=True))
    snapshot = stores.ledger.snapshot(request())
    assert snapshot.contact == replace(contact, version=1)
    assert snapshot.enrolment == replace(enrolment, revision=1)
    assert (snapshot.row, snapshot.event, snapshot.touches) == (None, None, Touches())


def test_a_snapshot_leaves_the_row_out_where_it_is_not_asked_for(stores: Stores, clock: FakeClock) -> None:
    assert claim(stores, clock, request()) == "claimed"
    assert stores.ledger.snapshot(request()).row is not None
    assert stores.ledger.snapshot(request(), with_row=False).row is None


def test_a_snapshot_of_an_unknown_contact_is_empty(stores: Stores) -> None:
    snapshot = stores.ledger.snapshot(request())
    assert (snapshot.contact, snapshot.enrolment, snapshot.row) == (None, None, None)


SLOT = BroadcastSlot("c-1", "spring", "2027", "teaser", variant="a")
NOTICE = StaffNotice("c-1", "order_refused", "o-1", urgent=True)


def reply(clock: FakeClock, event_id: str = "e-1") -> Reply:
    return Reply("c-1", event_id, "message_received", clock())


@pytest.mark.parametrize("kind", ["broadcast_slot", "staff_notice", "reply"])
def test_other_occasions_are_claimed_deferred_and_found_without_an_enrolment(
    stores: Stores, clock: FakeClock, kind: str
) -> None:
    occasions: dict[str, Occasion] = {each.kind: each for each in (SLOT, NOTICE, reply(clock))}
    asked = request(occasion=occasions[kind])
    assert stores.ledger.snapshot(asked).enrolment is None
    assert defer(stores, clock, asked)
    assert defer(stores, clock, request())
    (found,) = stores.ledger.deferred_of("c-1", asked.occasion.origin)
    assert (found.message_key, found.occasion) == (asked.message_key, asked.occasion)
    assert claim(stores, clock, replace(asked, attempt=1), touches=stores.ledger.snapshot(asked).touches) == "claimed"
    assert claim(stores, clock, replace(asked, attempt=1), "claim-2") == "taken"
    assert [touch.message_key for touch in touched(stores).recent] == [asked.message_key]
    assert stores.ledger.deferred_of("c-1", asked.occasion.origin) == []


def test_a_snapshot_of_a_reply_has_the_event_it_answers(stores: Stores, clock: FakeClock) -> None:
    asked = Event(
        id="e-1",
        type="message_received",
        contact={"contact_id": "c-1"},
        occurred_at=clock(),
        received_at=clock(),
        source="shop",
        properties={"question": "Where is my order?"},
    )
    stores.history.record("c-1", asked, routed_at=clock())
    assert stores.ledger.snapshot(request(occasion=reply(clock))).event == asked
    assert stores.ledger.snapshot(request(occasion=reply(clock, "e-2"))).event is None
    assert stores.ledger.snapshot(request(occasion=SLOT)).event is None


def test_a_key_is_claimed_once(stores: Stores, clock: FakeClock) -> None:
    assert claim(stores, clock, request(), "claim-1") == "claimed"
    assert claim(stores, clock, request(), "claim-2") == "taken"
    claimed = row(stores, request())
    assert (claimed.state, claimed.claim_id, claimed.claimed_at) == ("claimed", "claim-1", clock())
    assert claimed.claimed_local_time == "2027-03-01T10:00:00+08:00"
    assert (claimed.message_key, claimed.occasion) == (request().message_key, request().occasion)
    assert (claimed.contact_id, claimed.message) == ("c-1", "nurture/welcome")


@pytest.mark.parametrize("touches", [None, Touches()])
def test_a_claim_repeated_under_its_own_id_is_still_ours(
    stores: Stores, clock: FakeClock, touches: Touches | None
) -> None:
    assert claim(stores, clock, request(), touches=touches) == "claimed"
    assert claim(stores, clock, request(), touches=touches) == "claimed"
    assert len(touched(stores).recent) == (0 if touches is None else 1)


def test_other_steps_have_their_own_keys(stores: Stores, clock: FakeClock) -> None:
    assert claim(stores, clock, request("Day 1, welcome")) == "claimed"
    assert claim(stores, clock, request("Day 3, survey"), "claim-2") == "claimed"


def test_a_claim_counts_a_touch(stores: Stores, clock: FakeClock) -> None:
    assert claim(stores, clock, request(), touches=touched(stores)) == "claimed"
    touches = touched(stores)
    assert list(touches.recent) == [touch(request().message_key, clock(), topic="offers", priority="high")]
    assert touches.version == 1


def test_a_claim_without_touches_counts_none(stores: Stores, clock: FakeClock) -> None:
    assert claim(stores, clock, request(), touches=None) == "claimed"
    assert touched(stores) == Touches()


def test_a_claim_on_outdated_touches_claims_nothing(stores: Stores, clock: FakeClock) -> None:
    read = touched(stores)
    claim(stores, clock, request("Day 1, welcome"), "claim-1", touches=read)
    assert claim(stores, clock, request("Day 3, survey"), "claim-2", touches=read) == "touches_changed"
    assert stores.ledger.snapshot(request("Day 3, survey")).row is None
    again = claim(stores, clock, request("Day 3, survey"), "claim-3", touches=touched(stores))
    assert again == "claimed"
    assert len(touched(stores).recent) == 2


def test_a_taken_key_is_taken_even_when_touches_changed(stores: Stores, clock: FakeClock) -> None:
    read = touched(stores)
    claim(stores, clock, request(), "claim-1", touches=read)
    assert claim(stores, clock, request(), "claim-2", touches=read) == "taken"


def test_the_providers_answer_settles_our_claim(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request())
    stores.ledger.settle(
        request(), claim_id="claim-1", state="accepted", decision=decision(clock), provider_message_id="ses-1"
    )
    settled = row(stores, request())
    assert (settled.state, settled.provider_message_id) == ("accepted", "ses-1")
    assert list(settled.decisions) == [decision(clock)]
    result = settled.result()
    assert (result.outcome, result.reason, result.at) == ("sent", "every_guard_allowed", clock())


def test_what_stood_in_the_answer_to_a_callback_is_kept_for_its_repetition(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request(), "claim-1")
    said = {"MsgType": "news", "ArticleCount": 1, "Articles": {"item": {"Title": "新品", "Url": ""}}}
    stores.ledger.settle(request(), claim_id="claim-1", state="accepted", decision=decision(clock), in_answer=said)
    assert row(stores, request()).result().in_answer == said


def test_a_claim_is_settled_by_its_holder_alone(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request())
    stores.ledger.settle(request(), claim_id="claim-2", state="accepted", decision=decision(clock))
    assert row(stores, request()).state == "claimed"


def test_a_late_answer_settles_an_unknown(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request())
    assert stores.ledger.give_up_claim(row(stores, request()), at=clock())
    stores.ledger.settle(
        request(), claim_id="claim-1", state="accepted", decision=decision(clock), provider_message_id="ses-1"
    )
    settled = row(stores, request())
    assert settled.state == "accepted"
    assert [each.outcome for each in settled.decisions] == ["unknown", "sent"]


def test_a_provider_event_that_was_faster_keeps_its_word_and_the_decision_is_kept_too(
    stores: Stores, clock: FakeClock
) -> None:
    claim(stores, clock, request())
    stores.ledger.confirm("c-1", request().message_key, state="delivered", at=clock())
    for _ in range(2):
        stores.ledger.settle(
            request(), claim_id="claim-1", state="accepted", decision=decision(clock), provider_message_id="ses-1"
        )
    settled = row(stores, request())
    assert (settled.state, settled.provider_message_id) == ("delivered", "ses-1")
    assert list(settled.decisions) == [decision(clock)]


def test_a_rejected_message_takes_its_touch_back(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request("Day 1, welcome"), "claim-1", touches=touched(stores))
    claim(stores, clock, request("Day 3, survey"), "claim-2", touches=touched(stores))
    rejected = decision(clock, "rejected", "provider: MessageRejected")
    for _ in range(2):
        stores.ledger.settle(request(), claim_id="claim-1", state="rejected", decision=rejected)
    assert row(stores, request()).result().outcome == "rejected"
    assert list(row(stores, request()).decisions) == [rejected]
    assert [touch.message_key for touch in touched(stores).recent] == [request("Day 3, survey").message_key]


def test_an_unknown_message_keeps_its_touch(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request(), touches=touched(stores))
    unknown = decision(clock, "unknown", "provider: ReadTimeoutError")
    stores.ledger.settle(request(), claim_id="claim-1", state="unknown", decision=unknown)
    assert row(stores, request()).result().outcome == "unknown"
    assert len(touched(stores).recent) == 1


def test_a_skipped_message_is_final(stores: Stores, clock: FakeClock) -> None:
    skipped = decision(clock, "skipped", "no_consent")
    assert stores.ledger.skip(request(), decision=skipped)
    assert not stores.ledger.skip(request(), decision=skipped)
    assert claim(stores, clock, request()) == "taken"
    assert not defer(stores, clock, request())
    result = row(stores, request()).result()
    assert (result.outcome, result.reason) == ("skipped", "no_consent")


def test_a_claimed_message_is_neither_skipped_nor_deferred_by_another_call(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request())
    assert not stores.ledger.skip(request(), decision=decision(clock, "skipped", "no_consent"))
    assert not defer(stores, clock, request())
    assert not defer(stores, clock, request(), claim_id="claim-2")
    assert row(stores, request()).state == "claimed"


def test_a_deferred_message_waits_for_its_next_attempt_only(stores: Stores, clock: FakeClock) -> None:
    assert defer(stores, clock, request())
    waiting = row(stores, request())
    assert (waiting.state, waiting.attempt, waiting.deferred_until) == ("deferred", 1, clock() + timedelta(hours=8))
    assert waiting.result().at == waiting.deferred_until
    assert not defer(stores, clock, request())
    assert claim(stores, clock, request(), "claim-2") == "taken"
    assert not stores.ledger.skip(request(), decision=decision(clock, "skipped", "no_consent"))
    assert claim(stores, clock, request(attempt=1), "claim-3") == "claimed"
    assert claim(stores, clock, request(attempt=1), "claim-4") == "taken"


def test_a_deferred_message_can_be_deferred_again_by_its_next_attempt(stores: Stores, clock: FakeClock) -> None:
    assert defer(stores, clock, request())
    assert defer(stores, clock, request(attempt=1))
    assert not defer(stores, clock, request(attempt=1))
    assert row(stores, request()).attempt == 2
    assert stores.ledger.skip(request(attempt=2), decision=decision(clock, "skipped", "too_late"))


def test_an_attempt_whose_booking_was_not_noted_may_go_ahead(stores: Stores, clock: FakeClock) -> None:
    defer(stores, clock, request())
    assert claim(stores, clock, request(attempt=2)) == "claimed"


def test_a_refused_claim_is_given_back_with_its_touch(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request(), touches=touched(stores))
    assert defer(stores, clock, request(), claim_id="claim-1")
    waiting = row(stores, request())
    assert (waiting.state, waiting.attempt, waiting.claim_id) == ("deferred", 1, None)
    assert list(touched(stores).recent) == []
    assert list(stores.ledger.stale_claims(clock() + timedelta(days=1))) == []
    assert claim(stores, clock, request(attempt=1), "claim-2", touches=touched(stores)) == "claimed"


def test_deferred_messages_of_an_enrolment_are_found_and_dropped(stores: Stores, clock: FakeClock) -> None:
    defer(stores, clock, request("Day 1, welcome"))
    defer(stores, clock, request("Goodbye", after_exit=True))
    defer(stores, clock, request("Day 1, welcome", enrolment="n-2"))
    claim(stores, clock, request("Day 3, survey"))
    found = {each.occasion.label: each for each in stores.ledger.deferred_of("c-1", enrolment_origin("n-1"))}
    assert {step: each.occasion for step, each in found.items()} == {
        "Day 1, welcome": request("Day 1, welcome").occasion,
        "Goodbye": request("Goodbye", after_exit=True).occasion,
    }
    dropped = decision(clock, "skipped", "left_journey")
    stores.ledger.drop(found["Day 1, welcome"], decision=dropped)
    result = row(stores, request()).result()
    assert (result.outcome, result.reason) == ("skipped", "left_journey")
    assert claim(stores, clock, request(attempt=1), "claim-2") == "taken"


def test_a_deferred_message_that_has_moved_on_is_not_dropped(stores: Stores, clock: FakeClock) -> None:
    defer(stores, clock, request())
    (found,) = stores.ledger.deferred_of("c-1", enrolment_origin("n-1"))
    claim(stores, clock, request(attempt=1))
    stores.ledger.drop(found, decision=decision(clock, "skipped", "left_journey"))
    assert row(stores, request()).state == "claimed"


def test_stale_claims_are_found_until_they_are_settled(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request("Day 1, welcome"))
    claim(stores, clock, request("Day 3, survey"), "claim-2")
    assert list(stores.ledger.stale_claims(clock())) == []
    later = clock() + timedelta(minutes=15)
    stores.ledger.settle(request("Day 3, survey"), claim_id="claim-2", state="accepted", decision=decision(clock))
    assert [each.occasion.label for each in stores.ledger.stale_claims(later)] == ["Day 1, welcome"]
    (stale,) = stores.ledger.stale_claims(later)
    assert stores.ledger.give_up_claim(stale, at=later)
    assert not stores.ledger.give_up_claim(stale, at=later)
    assert list(stores.ledger.stale_claims(later)) == []
    given_up = row(stores, request()).decisions[-1]
    assert (given_up.outcome, given_up.reason, given_up.at) == ("unknown", "no_answer", clock())


def test_the_claims_of_a_hop_are_found_through_its_enrolment(stores: Stores, clock: FakeClock) -> None:
    of_hop, settled = request("Day 1, welcome", fails_hop=True), request("Day 3, survey", fails_hop=True)
    claim(stores, clock, of_hop)
    claim(stores, clock, settled, "claim-2")
    claim(stores, clock, request("Day 1, welcome", "n-2", fails_hop=True), "claim-3")
    stores.ledger.settle(settled, claim_id="claim-2", state="accepted", decision=decision(clock))
    later, origin = clock() + timedelta(minutes=15), enrolment_origin("n-1")
    assert list(stores.ledger.stale_claims(later)) == []
    assert stores.ledger.claims_of("c-1", origin, clock()) == []
    (found,) = stores.ledger.claims_of("c-1", origin, later)
    assert found.message_key == of_hop.message_key
    assert stores.ledger.give_up_claim(found, at=later)
    assert stores.ledger.claims_of("c-1", origin, later) == []


def test_a_settled_claim_is_not_given_up(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request())
    read = row(stores, request())
    stores.ledger.settle(request(), claim_id="claim-1", state="accepted", decision=decision(clock))
    assert not stores.ledger.give_up_claim(read, at=clock())
    assert row(stores, request()).state == "accepted"


@pytest.mark.parametrize("state", ["accepted", "delivered", "bounced", "complained", "rejected"])
def test_a_provider_event_settles_an_unknown(stores: Stores, clock: FakeClock, state: Confirmation) -> None:
    claim(stores, clock, request())
    stores.ledger.give_up_claim(row(stores, request()), at=clock())
    assert stores.ledger.confirm("c-1", request().message_key, state=state, at=clock())
    assert row(stores, request()).state == state


def test_a_provider_event_ends_the_watch_over_a_claim(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request())
    stores.ledger.confirm("c-1", request().message_key, state="accepted", at=clock())
    assert list(stores.ledger.stale_claims(clock() + timedelta(days=1))) == []


def test_a_later_word_of_the_provider_counts_but_nothing_turns_back_into_accepted(
    stores: Stores, clock: FakeClock
) -> None:
    claim(stores, clock, request())
    stores.ledger.settle(request(), claim_id="claim-1", state="accepted", decision=decision(clock))
    assert stores.ledger.confirm("c-1", request().message_key, state="delivered", at=clock())
    assert stores.ledger.confirm("c-1", request().message_key, state="complained", at=clock())
    assert not stores.ledger.confirm("c-1", request().message_key, state="accepted", at=clock())
    assert row(stores, request()).state == "complained"


def test_of_two_words_of_the_provider_the_later_by_its_own_clock_counts(stores: Stores, clock: FakeClock) -> None:
    claim(stores, clock, request())
    stores.ledger.settle(request(), claim_id="claim-1", state="accepted", decision=decision(clock))
    key, later = request().message_key, clock() + timedelta(minutes=5)
    assert stores.ledger.confirm("c-1", key, state="complained", at=later)
    assert not stores.ledger.confirm("c-1", key, state="delivered", at=clock())
    assert row(stores, request()).state == "complained"
    assert stores.ledger.confirm("c-1", key, state="complained", at=later)


def test_nobody_confirms_a_message_that_is_not_there(stores: Stores, clock: FakeClock) -> None:
    assert not stores.ledger.confirm("c-1", request().message_key, state="delivered", at=clock())
    assert stores.ledger.snapshot(request()).row is None


def test_a_claim_without_an_answer_is_taken_over_by_one_caller_and_keeps_its_time(
    stores: Stores, clock: FakeClock
) -> None:
    asked = request()
    first_at = clock()
    assert claim(stores, clock, asked) == "claimed"
    clock.advance(minutes=1)
    assert claim(stores, clock, asked, "claim-2", repeats="another") == "taken"
    assert claim(stores, clock, asked, "claim-2", repeats="claim-1") == "claimed"
    assert claim(stores, clock, asked, "claim-3", repeats="claim-1") == "taken"
    assert (row(stores, asked).claim_id, row(stores, asked).claimed_at) == ("claim-2", first_at)
    stores.ledger.settle(asked, claim_id="claim-2", state="unknown", decision=decision(clock, "unknown", "timeout"))
    assert claim(stores, clock, asked, "claim-4", repeats="claim-2", touches=touched(stores)) == "claimed"
    assert row(stores, asked).state == "claimed"
    stores.ledger.settle(asked, claim_id="claim-4", state="accepted", decision=decision(clock), provider_message_id="7")
    assert claim(stores, clock, asked, "claim-5", repeats="claim-4") == "taken"
    assert (row(stores, asked).state, row(stores, asked).provider_message_id) == ("accepted", "7")


def test_a_claim_is_not_taken_over_for_touches_that_have_changed(stores: Stores, clock: FakeClock) -> None:
    asked, stale = request(), touched(stores)
    assert claim(stores, clock, asked, touches=stale) == "claimed"
    assert claim(stores, clock, request("Day 3"), touches=touched(stores)) == "claimed"
    assert claim(stores, clock, asked, "claim-2", repeats="claim-1", touches=stale) == "touches_changed"
    assert claim(stores, clock, asked, "claim-2", repeats="claim-0", touches=stale) == "taken"


def test_the_targets_of_short_links_are_found_by_how_the_key_begins(stores: Stores, clock: FakeClock) -> None:
    asked, targets = request(), ["https://shop.example.com/a", "https://shop.example.com/b"]
    assert claim(stores, clock, asked, links=targets) == "claimed"
    found = stores.ledger.row_of("c-1", asked.message_key[:14])
    assert found is not None
    assert (found.message_key, list(found.links)) == (asked.message_key, targets)
    assert stores.ledger.row_of("c-1", "m-000000000000") is None
    assert stores.ledger.row_of("c-2", asked.message_key[:14]) is None


def test_a_message_is_found_by_what_its_provider_calls_it(stores: Stores, clock: FakeClock) -> None:
    asked = request()
    assert claim(stores, clock, asked) == "claimed"
    assert stores.ledger.sent_as("c-1", "4711") is None
    stores.ledger.settle(
        asked, claim_id="claim-1", state="accepted", decision=decision(clock), provider_message_id="4711"
    )
    found = stores.ledger.sent_as("c-1", "4711")
    assert found is not None
    assert found.message_key == asked.message_key
    assert stores.ledger.sent_as("c-2", "4711") is None
