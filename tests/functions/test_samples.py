"""Each function's sample is accepted by it; together the samples tell the story of one contact."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.coupons.pools import pool
from tests.fakes.published_journeys import email
from tests.fakes.staff import directory
from tests.functions.conftest import FUNCTIONS, HANDLERS, JOURNEY, Deployment, sample
from waypost import ids
from waypost.channels.people_contract import Person
from waypost.clock import parse_instant
from waypost.coupons.pool import CouponPools
from waypost.tracking.scenes import DeclaredScenes, Scene

TESTS = FUNCTIONS.parent / "tests"
CONTACT = ids.contact_id("user_id", "u-1042")


@pytest.mark.parametrize("folder", sorted(FUNCTIONS.glob("*/handler.py")), ids=lambda path: path.parent.name)
def test_every_function_has_a_sample_and_a_sentence(folder: Path) -> None:
    assert isinstance(json.loads(folder.with_name("event.json").read_text(encoding="utf-8")), dict)
    assert folder.read_text(encoding="utf-8").startswith('"""')


def test_every_function_is_called_by_a_test() -> None:
    """Either in the stories of this file, by its name, or where its handler is imported."""
    sources = [path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")]
    stories = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    called = {name for source in stories for name in re.findall(r'\bcall\(\s*"(\w+)"', source)}
    imported = {name for source in sources for name in re.findall(r"functions[./](\w+)[./ ]", source)}

    assert set(HANDLERS) <= called | imported


def test_the_coupon_of_the_sample_is_issued_once(deployment: Deployment) -> None:
    deployment.begin()
    first = deployment.call("issue_coupon")
    assert (first["outcome"], first["pool"]) == ("issued", "welcome-10")
    assert deployment.call("issue_coupon") == first


def test_the_receipt_of_the_sample_is_answered_as_its_provider_expects(deployment: Deployment) -> None:
    answer = deployment.call("receive_callback")
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (200, 0)
    assert [notice.source for notice in deployment.notices.kept] == ["aliyun.sms"]


def test_a_member_of_staff_is_notified(deployment: Deployment) -> None:
    deployment.begin()
    answer = deployment.call("notify_staff")
    assert (answer["outcome"], [each["member"] for each in answer["notified"]]) == ("sent", ["lin.chen"])


def test_a_version_of_a_message_is_kept_and_shown(deployment: Deployment) -> None:
    asked = sample("publish_message")
    words = {"subject": "Spring", "html": "<p>{{ links.unsubscribe }}</p>", "text": "{{ links.unsubscribe }}"}
    version = {**email("welcome"), "variants": {"email": {"zh-CN": words, "en": words}}}
    deployment.world.files.write(asked["file"], json.dumps(version).encode())
    kept = deployment.call("publish_message", asked | {"approver": None})
    assert (kept["version"], kept["live"], kept["versions"][0]["state"]) == (1, 0, "draft")
    assert deployment.call("publish_message", asked | {"action": "show"})["versions"] == kept["versions"]


def test_a_message_is_tested_on_a_member_of_staff(deployment: Deployment) -> None:
    deployment.call("route_events")
    sent = deployment.call("send_test")
    assert (sent["outcome"], sent["channel"], sent["to"]) == ("sent", "email", "lin.chen")
    assert deployment.call("send_test") == sent
    assert deployment.world.email.calls.total() == 1


def test_the_samples_tell_one_story(deployment: Deployment) -> None:
    world = deployment.world

    assert deployment.call("route_events") == {"batchItemFailures": []}
    ((execution, (journey, given)),) = world.machines.executions.items()
    context = sample("send_message")["context"]["Execution"]
    assert (journey, execution, given) == (JOURNEY, context["Name"], context["Input"])

    begin = {"begin": True, "context": sample("send_message")["context"]}
    assert deployment.call("pause_journey", begin) == {"status": "over"}
    sent = deployment.call("send_message")
    assert (sent["outcome"], sent["channel"]) == ("sent", "email")
    assert sent["at"] == "2026-03-02T02:00:01.482Z"
    assert deployment.call("send_message") == sent
    assert world.email.calls.total() == 1

    world.clock.set("2026-03-02T02:00:05Z")
    assert deployment.call("record_delivery") == {"batchItemFailures": []}
    (bounced,) = world.queue.events.values()
    assert (bounced.type, bounced.properties["message_key"]) == ("message_bounced", sent["message_key"])

    world.clock.set("2026-03-04T02:00:02Z")
    assert deployment.call("evaluate_segment") == {"member": True}
    assert deployment.call("update_contact") == {"changed": True}
    assert world.contacts[CONTACT].tags == {"interest-beauty"}
    assert deployment.call("update_contact") == {"changed": False}

    assert deployment.call("pause_journey") == {"status": "parked"}
    ((booked, booking),) = world.schedules.booked.items()
    assert booked.startswith("resume-20260308T0200-")
    assert booking.payload == sample("resume_journey")

    nothing = {"overdue_pauses": 0, "lost_hops": 0, "journeys_given_up": 0, "unknown_messages": 0, "released": 0}
    assert deployment.call("sweep_journeys") == nothing
    assert deployment.call("ask_task_results")["waiting"] == 0
    assert deployment.call("show_task_results")["month"] == "2026-03"
    world.clock.set(parse_instant("2026-03-08T02:00:00Z"))
    assert deployment.call("resume_journey") == {"resumed": 1}
    asks = sample("pause_journey") | {"context": sample("close_enrolment")["context"]}
    asks["context"]["State"] = sample("pause_journey")["context"]["State"]
    assert deployment.call("pause_journey", asks) == {"status": "over", "result": {"outcome": "elapsed"}}
    assert deployment.call("resume_journey") == {"already_over": 1}

    execution, (journey, given) = list(world.machines.executions.items())[-1]
    context = sample("close_enrolment")["context"]["Execution"]
    assert (journey, execution, given) == (JOURNEY, context["Name"], context["Input"])
    closed = deployment.call("close_enrolment")
    assert (closed["closed"], closed["outcome"]) == (True, "failed")
    assert deployment.call("close_enrolment")["closed"] is False


def test_a_deferred_message_is_accepted_too(deployment: Deployment) -> None:
    deployment.begin()
    deployment.world.clock.advance(hours=13)
    assert deployment.call("send_message")["outcome"] == "deferred"
    booking = deployment.world.schedules.next_due()
    assert booking is not None
    deployment.world.clock.set(booking.at)
    [record] = sample("send_deferred")["Records"]
    assert json.loads(record["body"]) == booking.payload
    assert deployment.call("send_deferred") == {"batchItemFailures": []}
    assert deployment.world.email.calls.total() == 1


def test_a_message_that_an_earlier_deployment_deferred_is_sent(deployment: Deployment) -> None:
    deployment.begin()
    deployment.world.clock.advance(hours=13)
    deployment.call("send_message")
    booking = deployment.world.schedules.next_due()
    assert booking is not None
    deployment.world.clock.set(booking.at)
    assert deployment.call("send_message", booking.payload)["outcome"] == "sent"


def test_a_deferred_message_that_cannot_be_read_is_delivered_again(deployment: Deployment) -> None:
    batch = sample("send_deferred")
    batch["Records"][0] |= {"body": "{}", "messageId": "broken"}
    answer = deployment.call("send_deferred", batch)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "broken"}]}


def test_the_sweeper_counts_what_it_found(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.begin()
    deployment.call("pause_journey")
    deployment.world.clock.now += timedelta(days=9)
    assert deployment.call("sweep_journeys")["overdue_pauses"] == 1
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (metrics["OverduePauses"], metrics["UnknownMessages"]) == ([1.0], [0.0])


def test_a_batch_counts_what_was_routed_repeated_and_set_aside(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    good, same = sample("route_events")["Records"]
    bad = good | {"messageId": "bad", "body": "not json"}
    assert deployment.call("route_events", {"Records": [good, same, good, bad]}) == {"batchItemFailures": []}
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    counts = {name: metrics[name] for name in ("EventsRouted", "EventsRepeated", "EventsDeadLettered")}
    assert counts == {"EventsRouted": [2.0], "EventsRepeated": [1.0], "EventsDeadLettered": [1.0]}
    assert [message_id for message_id, _ in deployment.dead_letters.letters] == ["bad"]


def test_what_is_to_be_routed_again_is_named(deployment: Deployment) -> None:
    deployment.world.effects.crash_on, deployment.world.effects.mode = "bus.publish", "refused"
    first, second = (record["messageId"] for record in sample("route_events")["Records"])
    answer = deployment.call("route_events")
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [first, second]
    assert deployment.call("route_events") == {"batchItemFailures": []}
    assert len(deployment.world.machines) == 1


def test_a_preview_of_a_merge_says_that_the_two_are_one_already(deployment: Deployment) -> None:
    deployment.call("route_events")
    shown = deployment.call("merge_contacts")
    assert (shown["allowed"], shown["reason"]) == (False, "same_contact")
    assert set(shown["contacts"]) == {CONTACT}


def test_the_page_of_a_contact_says_where_it_waits(deployment: Deployment) -> None:
    deployment.begin()
    deployment.call("pause_journey")
    shown = deployment.call("show_contact")
    assert shown["contact_id"] == CONTACT
    assert [(each["journey"], each["status"]) for each in shown["journeys"]] == [(JOURNEY, "active")]
    assert shown["journeys"][0]["waits_until"] == "2026-03-08T02:00:00.000Z"
    assert shown["page"] in shown["link"]


def test_what_was_decided_on_the_message_of_the_sample_is_explained(deployment: Deployment) -> None:
    deployment.begin()
    deployment.call("send_message")
    explained = deployment.call("explain_contact")
    [message] = explained["messages"]
    assert (message["message"], message["reason"]) == (f"{JOURNEY}/welcome", "every_guard_allowed")
    assert message["decisions"][0]["guards"][0]["guard"] == "erased"
    assert explained["page"] in explained["link"]


def test_the_policy_of_the_sample_is_in_force_for_the_next_message(deployment: Deployment) -> None:
    changed = deployment.call("change_policy")
    assert [each["section"] for each in changed["sections"]] == ["frequency_cap"]
    deployment.begin()
    deployment.call("send_message")
    [row] = deployment.world.ledger
    assert (row.decisions[0].saw["fc"], row.decisions[0].policy) == ("0/3 in 24h", changed["version_then"])


def test_an_operator_stops_the_journey_of_the_sample(deployment: Deployment) -> None:
    deployment.begin()
    [stopped] = deployment.call("stop_journey")["journeys"]
    assert (stopped["journey"], stopped["status"], stopped["outcome"]) == (JOURNEY, "ended", "stopped")
    assert (stopped["by"], stopped["reason"]) == ("lin.chen", sample("stop_journey")["reason"])


def test_the_journey_of_the_sample_is_asked_for(deployment: Deployment) -> None:
    deployment.begin()
    answer = deployment.call("start_journey")
    assert (answer["requested"], answer["done"]) == (1, True)
    asked = deployment.world.queue.sent[-1]
    assert (asked.type, asked.contact) == ("journey_requested", {"contact_id": CONTACT})


def test_the_event_of_the_sample_reaches_who_waits_for_the_product(deployment: Deployment) -> None:
    deployment.begin()
    known = deployment.world.contacts[CONTACT]
    deployment.world.contacts.put(replace(known, attributes={**known.attributes, "waiting_for": ["s-1"]}))
    answer = deployment.call("spread_event")
    assert (answer["given"], answer["done"]) == (1, True)
    given = deployment.world.queue.sent[-1]
    assert (given.type, given.contact) == ("back_in_stock", {"contact_id": CONTACT})


def test_the_codes_of_a_file_wait_in_their_pool(deployment: Deployment) -> None:
    deployment.world.pools = CouponPools({"welcome-10": pool("welcome-10", codes="imported")})
    deployment.world.files.write("imports/codes.csv", b"code\nSHOP-1\n")
    answer = deployment.call("import_coupons")
    assert (answer["added"], answer["rejected"], answer["done"]) == (1, 0, True)
    assert deployment.world.coupons.count_free("welcome-10", now=deployment.world.clock()) == 1


def test_the_journey_of_the_sample_is_paused(deployment: Deployment) -> None:
    deployment.begin()
    paused = deployment.call("control_journey")
    assert (paused["journey"], paused["state"], paused["reason"]) == (JOURNEY, "paused", "the survey's page is down")


def test_a_second_person_is_asked_before_the_journey_of_the_sample_is_stopped(deployment: Deployment) -> None:
    asked = deployment.call("ask_for_approval")
    request = deployment.world.approvals.load(asked["approval"])
    assert request is not None
    assert (request.requested_by, request.approver, request.subject.request["action"]) == (
        "lin.chen",
        "wei.zhang",
        "stop",
    )


def test_the_list_of_a_file_is_looked_at_before_it_is_in_force(deployment: Deployment) -> None:
    deployment.world.files.write("imports/staff.csv", b"id,name,wecom\nshop-1,Shop 1,Shop1\n")
    answer = deployment.call("import_staff")
    assert (answer["rows"], answer["rejected"], answer["joined_members"]) == (1, 0, ["shop-1"])
    assert not deployment.world.live_staff.kept.lists, "it is a dry run"


def test_the_customers_of_the_samples_member_are_in_a_file(deployment: Deployment) -> None:
    deployment.world.staff = directory("lin.chen", channels={"wecom": "LinChen"})
    answer = deployment.call("show_customers")
    assert (answer["userid"], answer["customers"]) == ("LinChen", 0)
    assert deployment.world.files.read(answer["file"])


def test_the_members_in_wecom_are_looked_at_before_they_are_in_force(deployment: Deployment) -> None:
    answer = deployment.call("sync_staff")
    assert (answer["found"], answer["joined_members"]) == (1, ["linchen"])
    assert not deployment.world.live_staff.kept.lists, "it is a dry run"


def test_the_code_of_the_sample_is_made_and_kept(deployment: Deployment) -> None:
    deployment.world.scenes = DeclaredScenes({"shop-7": Scene("徐汇店", "lin.chen", {"wechat": {"account": "wx1"}})})
    answer = deployment.call("make_codes")
    assert (answer["made"], answer["failed"], answer["done"]) == (1, [], True)
    assert (
        "徐汇店,lin.chen,https://code.example/shop-7"
        in (deployment.world.files.read("codes/codes.csv") or b"").decode()
    )


def test_the_customer_of_the_sample_gets_their_unionid(deployment: Deployment) -> None:
    deployment.begin()
    world, customer = deployment.world, "woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA"
    known = world.contacts[CONTACT]
    world.contacts.put(replace(known, identities={**known.identities, "external_userid": [customer]}))
    world.people.known[customer] = Person(identities={"unionid": "o6-union"})
    assert deployment.call("sync_person") == {"batchItemFailures": []}
    learnt = world.queue.sent[-1]
    assert (learnt.type, learnt.contact) == (
        "contact_synced",
        {"external_userid": customer, "unionid": "o6-union"},
    )


def test_an_operator_opens_the_address_that_the_sample_closed(deployment: Deployment) -> None:
    deployment.begin()
    deployment.call("record_delivery")
    opened = deployment.call("lift_suppression")
    assert (opened["suppression"], opened["suppressed_at"]) == ("", "2026-03-02T02:00:04.883Z")
    assert deployment.world.queue.sent[-1].type == "suppression_lifted"


def test_a_contact_of_the_sample_becomes_a_test_contact(deployment: Deployment) -> None:
    deployment.begin()
    assert deployment.call("mark_test_contact") == {"contact_id": CONTACT, "test": True, "was": False}
    assert deployment.world.queue.sent[-1].type == "test_contact_marked"


def test_a_journey_asks_for_another_and_stops_one(deployment: Deployment) -> None:
    deployment.begin()
    asked = deployment.call("start_other_journey")
    assert asked == {"outcome": "no_such_journey", "journey": "level-up"}  # the samples' world has one journey
    stopped = deployment.call("stop_other_journey")
    assert stopped == {"outcome": "not_in_journey", "journey": "level-up", "stopped": 0}


def test_a_journey_calls_a_system_and_uses_its_answer(deployment: Deployment) -> None:
    deployment.begin()
    assert deployment.call("call_webhook") == {
        "outcome": "answered", "status": 200, "answer": {"approved": True}, "reason": "",
    }  # fmt: skip
