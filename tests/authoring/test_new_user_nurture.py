"""The new-user nurture as authored: it must keep saying what its catalogue row promises."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from jsonata import Jsonata  # type: ignore[import-untyped]

from waypost.authoring.discovery import JourneyFolder, discover
from waypost.authoring.graph import scopes
from waypost.authoring.yaml_reading import read_yaml
from waypost.channels.registry import plugin
from waypost.channels.sms.length import sms_length
from waypost.content.message import PublishedMessage
from waypost.journeys.published import PublishedJourney
from waypost.segments.compile import Subject, compile_rule

ROOT = Path(__file__).parents[2] / "statemachines"
COUPONS = {"beauty": "BEAUTY15", "home": "HOME15", "digital": "DIGITAL15", "favourites": "WELCOME10"}


@pytest.fixture(scope="module")
def journey() -> JourneyFolder:
    [found] = [journey for journey in discover(ROOT).journeys if journey.name == "new-user-nurture"]
    return found


@pytest.fixture(scope="module")
def published(journey: JourneyFolder) -> PublishedJourney:
    return PublishedJourney.from_dict(journey.published())


@pytest.fixture(scope="module")
def states(journey: JourneyFolder) -> dict[str, Any]:
    authored = read_yaml(journey.path / "definition.asl.yaml")
    return {name: state for scope in scopes(authored) for name, state in scope.states.items()}


def rendered(journey: JourneyFolder, message: str, channel: Any, locale: str, **contact: str) -> str:
    variables = {
        "contact": {"id": "c-1", **contact},
        "event": {"id": "e-1", "type": "registered", "occurred_at": "2027-03-01T02:00:00.000Z", "properties": {}},
        "journey": {"name": journey.name},
        "message": {"name": message, "channel": channel},
        "links": {"unsubscribe": "https://api.example.com/u/1"},
        "products": {"currency": "CNY", "related": [], "cart": []},
    }
    content = plugin(channel).render(
        PublishedMessage.from_dict(journey.messages[message]),
        locale=locale,
        default_locale="zh-CN",
        zone=UTC,
        variables=variables,
    )
    return "\n".join(text for text in asdict(content).values() if isinstance(text, str))


def test_a_contact_without_an_interest_tag_enters_once(published: PublishedJourney) -> None:
    enters = compile_rule(published.entry)
    now = datetime(2027, 3, 1, tzinfo=UTC)
    assert published.trigger.event == "registered"
    assert enters(Subject(attributes={}, tags=frozenset({"vip"}), now=now))
    for tag in ("interest-beauty", "interest-home", "interest-digital", "interest-other"):
        assert not enters(Subject(attributes={}, tags=frozenset({tag}), now=now))
    assert published.re_entry.kind == "never"


def test_an_order_with_a_coupon_of_day_5_is_the_goal_and_unsubscribing_the_exit(published: PublishedJourney) -> None:
    assert published.goal is not None
    wins = compile_rule(published.goal.where)
    someone = {"attributes": {}, "tags": frozenset[str](), "now": datetime(2027, 3, 5, tzinfo=UTC)}
    assert all(wins(Subject(**someone, properties={"coupon": coupon})) for coupon in COUPONS.values())  # type: ignore[arg-type]
    assert not wins(Subject(**someone, properties={"coupon": "CARE10"}))  # type: ignore[arg-type]
    assert [rule.event for rule in published.exit_on] == ["unsubscribed"]
    assert published.target == {"metric": "survey_completion", "at_least": 0.6}


@pytest.mark.parametrize(
    ("result", "interest"),
    [
        ({"outcome": "event", "event": {"properties": {"interest": "beauty"}}}, "beauty"),
        ({"outcome": "event", "event": {"properties": {"interest": "digital"}}}, "digital"),
        ({"outcome": "event", "event": {"properties": {"interest": "interest-vip'"}}}, "other"),
        ({"outcome": "event", "event": {"properties": {"interest": 5}}}, "other"),
        ({"outcome": "event", "event": {"properties": {}}}, "other"),
        ({"outcome": "elapsed"}, "other"),
    ],
)
def test_any_answer_leads_to_one_of_four_interests(
    states: dict[str, Any], result: dict[str, Any], interest: str
) -> None:
    assigned = {
        name: Jsonata(text[2:-2].strip()).evaluate(None, {"states": {"result": result}})
        for name, text in states["Until day 7 at ten, or an answer"]["Assign"].items()
    }
    assert assigned == {"answered": result["outcome"] == "event", "interest": interest}


def test_each_interest_has_its_own_recommendation_and_coupon(states: dict[str, Any], journey: JourneyFolder) -> None:
    choice = states["Which interest?"]
    targets = [*(each["Next"] for each in choice["Choices"]), choice["Default"]]
    messages = [states[target]["Arguments"]["Payload"]["message"] for target in targets]
    assert messages == ["beauty-coupon", "home-coupon", "digital-coupon", "favourites-coupon"]
    for message, coupon in zip(messages, COUPONS.values(), strict=True):
        for locale in ("zh-CN", "en"):
            assert coupon in rendered(journey, message, "email", locale)
            assert coupon in rendered(journey, message, "sms", locale)


def test_the_welcome_greets_by_name_when_there_is_one(journey: JourneyFolder) -> None:
    assert "欢迎来到路标商店，小林！" in rendered(journey, "welcome", "email", "zh-CN", first_name="小林")
    assert "欢迎来到路标商店！" in rendered(journey, "welcome", "email", "zh-CN")
    assert "Hello Ann, good to meet you!" in rendered(journey, "welcome", "email", "en-US", first_name="Ann")


def test_an_sms_is_short(journey: JourneyFolder) -> None:
    parts = {
        (name, locale): sms_length(rendered(journey, name, "sms", locale)).parts
        for name, message in journey.messages.items()
        for locale in message["variants"].get("sms", {})
    }
    assert max(parts.values()) == 2
    assert {name for (name, _), count in parts.items() if count > 1} == {"interest-survey"}


def scenarios() -> Iterator[dict[str, Any]]:
    yield from read_yaml(ROOT / "journeys" / "new-user-nurture" / "scenarios.yaml")["scenarios"]


def test_every_fate_has_its_scenario() -> None:
    assert {
        "answers the survey",
        "never answers",
        "orders with the coupon on day 5",
        "unsubscribes on day 2",
        "signs up at half past eleven at night in New York",
        "signs up twice",
        "has no phone",
        "has an interest tag already",
    } <= {scenario["name"] for scenario in scenarios()}


@pytest.mark.parametrize("scenario", list(scenarios()), ids=lambda scenario: scenario["name"])
def test_a_scenario_speaks_of_states_and_messages_that_exist(
    scenario: dict[str, Any], states: dict[str, Any], journey: JourneyFolder
) -> None:
    expected = scenario["expect"]
    assert set(expected.get("trail", [])) <= set(states)
    assert {row["message"] for row in expected["messages"]} <= set(journey.messages)
    assert all(row["channel"] in journey.messages[row["message"]]["channels"] for row in expected["messages"])


def test_the_people_of_the_scenarios_are_different_and_cannot_be_reached() -> None:
    contacts = [scenario["contact"] for scenario in scenarios()]
    for identity in ("user_id", "email", "phone"):
        values = [contact[identity] for contact in contacts if identity in contact]
        assert len(values) == len(set(values))
    assert all(contact["email"].endswith("@example.com") for contact in contacts if "email" in contact)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(each["phone"])) for each in contacts if "phone" in each)
