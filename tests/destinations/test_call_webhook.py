"""A journey calls a system and uses its answer: what is posted, how often, and what the journey sees of what came back."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.posted import Script, ScriptedPoster
from tests.fakes.world import World, task_payload
from waypost.assembly import assemble
from waypost.destinations.call_webhook import LARGEST_VALUE, CallWebhook
from waypost.destinations.declared import Destination
from waypost.errors import EnrolmentNotFound, InvalidInput
from waypost.http.ports import Answer, Forbidden, NoAnswer, NotSent, Outcome
from waypost.journeys.enrolment import Enrolment

KEY = "whsec_" + "a" * 48
STEP = "Ask for the credit line"


class Secrets:
    """The secret of every system."""

    def __init__(self, **content: Any) -> None:
        self.content = content

    def read(self, destination: str) -> dict[str, Any]:
        return self.content


class Keeping(ScriptedPoster):
    """A poster that keeps the headers too."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.ids: list[str] = []

    def post(self, url: str, body: bytes, headers: Any, **more: Any) -> Outcome:
        assert headers["webhook-signature"]
        self.ids.append(headers["webhook-id"])
        return super().post(url, body, headers, **more)


class Scene:
    """A world with one enrolled contact, and the system that answers ``outcomes`` one after the other."""

    def __init__(self, *outcomes: Any, **secret: Any) -> None:
        self.world = World()
        contact = self.world.have_contact()
        self.world.contacts.put(
            replace(contact, attributes={**contact.attributes, "city": "Lyon", "address": {"zip": "69001"}})
        )
        self.enrolment = self.world.have_enrolment()
        left = list(outcomes) or [{}]
        self.poster = Keeping(lambda *_: left.pop(0) if len(left) > 1 else left[0])
        self.secrets = Secrets(**(secret or {"signing_keys": KEY}))
        self.called = True
        self.endpoint = ""

    @property
    def call_webhook(self) -> CallWebhook:
        system = Destination("crm", "standard_webhooks", "https://crm.example.com/in", (), called=self.called)
        return assemble.call_webhook(
            self.world.ports,
            destinations={"crm": system},
            secrets=self.secrets,
            poster=self.poster,
            endpoint=self.endpoint,
        )

    def call(self, enrolment: Enrolment | None = None, **payload: Any) -> dict[str, Any]:
        return self.call_webhook.call(
            task_payload(enrolment or self.enrolment, STEP, **{"destination": "crm", **payload})
        )

    @property
    def posted(self) -> dict[str, Any]:
        """The last body."""
        found: dict[str, Any] = json.loads(self.poster.bodies[-1])
        return found


def test_what_is_posted_says_who_which_step_and_the_mapped_fields() -> None:
    scene = Scene()
    fields = {
        "town": "attributes.city",
        "zip": "attributes.address.zip",
        "none": "attributes.nowhere",
        "kind": {"constant": 3},
    }
    scene.call(fields=fields, data={"asks": "credit"})
    assert scene.posted["type"] == "journey_called"
    data = scene.posted["data"]
    assert data["fields"] == {"town": "Lyon", "zip": "69001", "none": None, "kind": 3}
    assert (data["contact_id"], data["step"], data["data"]) == (scene.enrolment.contact_id, STEP, {"asks": "credit"})
    assert scene.poster.calls[-1][0] == "https://crm.example.com/in"


def test_only_what_the_journey_names_of_the_answer_reaches_it() -> None:
    large = "x" * LARGEST_VALUE
    scene = Scene({"result": {"approved": True, "limit": 500, "note": large}, "secret": "s"})
    asked = {
        "approved": "result.approved",
        "limit": "result.limit",
        "note": "result.note",
        "gone": "result.gone.deeper",
    }
    assert scene.call(answer=asked) == {
        "outcome": "answered",
        "status": 200,
        "answer": {"approved": True, "limit": 500, "note": None, "gone": None},
        "reason": "",
    }


@pytest.mark.parametrize("body", [b"no json", b"[1]", b"", None])
def test_an_answer_that_is_no_object_leaves_every_value_empty_and_says_so(body: bytes | None) -> None:
    found = Scene(Answer(200, body=body)).call(answer={"approved": "result.approved"})
    assert (found["outcome"], found["answer"], bool(found["reason"])) == ("answered", {"approved": None}, True)


@pytest.mark.parametrize(
    ("first", "outcome", "attempts"),
    [
        (Answer(503), "answered", 2),
        (Answer(429, retry_after=timedelta(seconds=2)), "answered", 2),
        (NotSent("refused"), "answered", 2),
        (NoAnswer("timed out"), "answered", 2),
        (Answer(429, retry_after=timedelta(minutes=5)), "unavailable", 1),
        (Answer(400), "rejected", 1),
        (Answer(302), "rejected", 1),
        (Answer(410), "rejected", 1),
        (Forbidden("no public address"), "rejected", 1),
    ],
)
def test_what_may_pass_by_itself_is_tried_again_under_the_same_id(first: Outcome, outcome: str, attempts: int) -> None:
    scene = Scene(first, {})
    assert scene.call()["outcome"] == outcome
    assert len(scene.poster.ids) == attempts
    assert len(set(scene.poster.ids)) == 1
    assert len(set(scene.poster.bodies)) == 1


def test_nobody_waits_for_a_system_that_is_down() -> None:
    scene = Scene(Answer(503))
    found = scene.call(answer={"approved": "result.approved"})
    assert found == {"outcome": "unavailable", "status": 503, "answer": {"approved": None}, "reason": "answered 503"}
    assert len(scene.poster.ids) == 3
    assert scene.world.naps == [1, 4]


def test_a_repeated_step_has_the_same_id_and_another_round_another() -> None:
    scene = Scene()
    scene.call()
    scene.call()
    scene.call(occurrence=2)
    assert scene.poster.ids[0] == scene.poster.ids[1] != scene.poster.ids[2]


def test_an_upsert_is_the_same_for_the_same_content_whichever_step_sends_it() -> None:
    scene = Scene()
    scene.call(upsert=True, fields={"town": "attributes.city"})
    scene.call(upsert=True, fields={"town": "attributes.city"}, occurrence=2)
    assert scene.posted["type"] == "contact_upserted"
    assert "step" not in scene.posted["data"]
    contact = scene.world.contacts[scene.enrolment.contact_id]
    scene.world.contacts.put(replace(contact, attributes={**contact.attributes, "city": "Paris"}))
    scene.call(upsert=True, fields={"town": "attributes.city"})
    assert scene.poster.ids[0] == scene.poster.ids[1] != scene.poster.ids[2]


def test_an_address_in_the_secret_goes_before_the_files_and_the_harness_before_both() -> None:
    scene = Scene({}, signing_keys=KEY, url="https://other.example.com/in")
    scene.call()
    scene.endpoint = "http://127.0.0.1:9/called"
    scene.call()
    assert [url for url, _ in scene.poster.calls] == ["https://other.example.com/in", "http://127.0.0.1:9/called/crm"]


def test_without_a_key_or_a_system_that_may_be_called_nothing_is_posted() -> None:
    scene = Scene({}, signing_keys=[])
    assert scene.call()["outcome"] == "rejected"
    scene = Scene()
    scene.called = False
    assert scene.call()["outcome"] == "rejected"
    assert scene.call(destination="gone")["outcome"] == "rejected"
    assert scene.poster.ids == []


def test_nothing_is_said_of_a_contact_who_is_gone() -> None:
    scene = Scene()
    scene.world.contacts.put(replace(scene.world.contacts[scene.enrolment.contact_id], erased=True))
    assert scene.call()["outcome"] == "rejected"
    assert scene.poster.ids == []


def test_a_call_that_is_too_large_is_refused() -> None:
    with pytest.raises(InvalidInput, match="data"):
        Scene().call(data={"text": "x" * 40_000})


def test_a_passage_that_does_not_exist_calls_nobody() -> None:
    scene = Scene()
    with pytest.raises(EnrolmentNotFound):
        scene.call(replace(scene.enrolment, enrolment_id="n-gone"))
