"""``waypost send-event`` reports what the API answered: accepted, accepted with warnings, or refused and what was stored until then."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from local.loopback import Answer
from local.problems import LocalError
from local.running.event_sending import Outcome, SentEvent, send_event, traits_of, values_of
from local.running.tracking import identify_call, track_call
from tests.intake.fakes import NOW, SERVER_KEY, Desk, basic, posted
from waypost.intake.http_answers import answer


@dataclass
class ApiSender:
    """Posts to the receiver itself with a server key, without HTTP; the calls in ``down`` are refused by the gateway before it."""

    desk: Desk = field(default_factory=Desk)
    down: Mapping[str, Answer] = field(default_factory=dict)

    def identify(self, user_id: str, traits: Mapping[str, Any], *, at: datetime) -> Answer:
        return self._post("identify", identify_call(user_id, traits, at=at))

    def track(self, user_id: str, event: str, properties: Mapping[str, Any], *, at: datetime) -> Answer:
        return self._post("track", track_call(user_id, event, properties, at=at))

    def _post(self, call: str, body: dict[str, Any]) -> Answer:
        if call in self.down:
            return self.down[call]
        given = answer(self.desk.receiver.segment(call, posted(body, authorization=basic(SERVER_KEY))))
        return Answer(given.status, given.headers, json.dumps(given.body).encode())

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.desk.queue.events.values()]


def sent(sender: ApiSender, event: str, *, user_id: str = "lin", traits: Any = (), properties: Any = ()) -> SentEvent:
    return send_event(sender, user_id, event, properties=dict(properties), traits=dict(traits), at=NOW)


def test_an_event_that_is_taken_whole_is_accepted() -> None:
    sender = ApiSender()
    answered = sent(sender, "registered", properties={"source": "app"})
    assert (answered.outcome, answered.warnings, sender.types) == (Outcome.ACCEPTED, [], ["registered"])


def test_traits_that_are_left_out_are_warnings_and_the_event_is_sent_once() -> None:
    sender = ApiSender()
    answered = sent(sender, "cart_updated", traits={"tags": "vip", "email": "n/a"}, properties={"total": 120})
    assert answered.outcome is Outcome.ACCEPTED_WITH_WARNINGS
    assert [warning.partition(":")[0] for warning in answered.warnings] == ["traits.email", "traits.tags"]
    assert sender.types == ["identified", "cart_updated"]


def test_what_is_left_out_of_the_event_is_a_warning() -> None:
    far = send_event(ApiSender(), "lin", "registered", properties={}, traits={}, at=NOW.replace(year=2031))
    assert far.outcome is Outcome.ACCEPTED_WITH_WARNINGS
    assert far.to_dict()["answer"]["accepted"] == 1
    assert far.warnings[0].startswith("timestamp: ")


def test_refused_traits_keep_the_event_from_being_sent() -> None:
    sender = ApiSender()
    with pytest.raises(LocalError, match=r"the event was not sent: .*userId: ") as refused:
        sent(sender, "registered", user_id="undefined", traits={"city": "Wuhan"})
    assert sender.types == []
    assert refused.value.advice == "correct it and send it again"


def test_an_event_that_is_rejected_says_that_the_traits_were_taken() -> None:
    sender = ApiSender()
    with pytest.raises(
        LocalError, match="the event was refused, but what was to be known of the contact was accepted: prop"
    ):
        sent(sender, "points_earned", traits={"city": "Wuhan"}, properties={"points": "many"})
    assert sender.types == ["identified"]


def test_an_answer_that_is_no_json_is_shown_as_it_is() -> None:
    sender = ApiSender(down={"track": Answer(413, {}, b"Request Too Long")})
    with pytest.raises(LocalError, match="the event was refused with 413: Request Too Long"):
        sent(sender, "registered")


def test_tags_consent_and_lists_can_be_given() -> None:
    found = traits_of(
        traits=["email=lin@example.com", "groups=staff, friends", "consent.sms=false"],
        tags=["vip", "gold"],
        consents=["email", "push=no"],
    )
    assert found == {
        "email": "lin@example.com",
        "groups": ["staff", "friends"],
        "consent": {"sms": False, "email": True, "push": False},
        "tags": ["vip", "gold"],
    }


def test_tags_and_consent_that_are_given_arrive() -> None:
    sender = ApiSender()
    answered = sent(sender, "registered", traits=traits_of(traits=["tags=early"], tags=["vip"], consents=["email"]))
    assert (answered.outcome, answered.warnings) == (Outcome.ACCEPTED, [])
    assert next(iter(sender.desk.queue.events.values())).profile == {
        "tags": ["early", "vip"],
        "consent": {"email": True},
    }


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["total=120"], {"total": 120}),
        (["cart_id=c-9", "items=[1]"], {"cart_id": "c-9", "items": [1]}),
        (["booking.starts_at=2031-03-05", "booking.room.floor=4"], {"booking": {"starts_at": "2031-03-05", "room": {"floor": 4}}}),
        (['note="5"', "blank="], {"note": "5", "blank": ""}),
    ],
)  # fmt: skip
def test_values_are_read_as_json_and_dotted_names_go_into_mappings(texts: list[str], found: dict[str, Any]) -> None:
    assert values_of(texts, "--property") == found


@pytest.mark.parametrize(
    "texts", [["total"], ["=5"], ["a..b=1"], [".a=1"], ["a=1", "a=2"], ["a=1", "a.b=2"], ["a.b=2", "a=1"]]
)
def test_what_is_no_name_with_a_value_is_refused(texts: list[str]) -> None:
    with pytest.raises(LocalError):
        values_of(texts, "--property")


@pytest.mark.parametrize("consent", ["=true", "email=maybe", ""])
def test_a_consent_without_a_channel_or_an_answer_is_refused(consent: str) -> None:
    with pytest.raises(LocalError, match="is not CHANNEL"):
        traits_of(traits=[], tags=[], consents=[consent])
