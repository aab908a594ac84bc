"""What a thousand entrants cost: shares of branches, ways through the journey, and the sum; what is not known is named."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from typer.testing import CliRunner

from local.commands.app import app
from local.forecast.branch_shares import branch_shares
from local.forecast.journey_forecast import ENTRANTS, Forecast, Sender, forecast, sms_parts
from local.forecast.journey_ways import journey_ways
from local.forecast.price_list import Price, PriceList, ProviderPrice, price_list
from local.forecast.step_usage import USED, StepUsage, step_usage
from local.problems import LocalError
from tests.reports.nurture import GRAPH, task
from waypost.authoring.journey_graphs import graph_of
from waypost.contacts.channels import Channel
from waypost.reports.journey_counts import JourneyCounts
from waypost.reports.journey_graph import JourneyGraph

EMAIL, SMS = Channel("email"), Channel("sms")


def choice(*targets: str, default: str) -> dict[str, Any]:
    return {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $x %}", "Next": each} for each in targets],
        "Default": default,
    }


def graph(states: Mapping[str, Any]) -> JourneyGraph:
    return graph_of("small", {"StartAt": next(iter(states)), "States": dict(states)}, version=1)


LOOP = graph(
    {
        "Remind": task("SendMessage", then="Wait", message="reminder"),
        "Wait": task("PauseJourney", then="Once more?"),
        "Once more?": choice("Remind", default="Done"),
        "Done": {"Type": "Succeed"},
    }
)


def shares(
    of: JourneyGraph, *given: str, rehearsed: JourneyCounts | None = None
) -> dict[tuple[str, str], tuple[float, str]]:
    found = branch_shares(of, given=given, rehearsed=rehearsed)
    return {(each.source, each.target): (each.share, each.origin) for each in found}


def test_a_branch_has_the_share_that_is_given_and_the_others_what_is_left() -> None:
    assert shares(GRAPH, "Tag=30%") == {
        ("Body", "Confirm"): (0.0, "nobody"),
        ("Body", "Left"): (0.0, "nobody"),
        ("Answered?", "Tag"): (0.3, "given"),
        ("Answered?", "Which?"): (0.7, "even"),
        ("Which?", "Look up"): (0.5, "even"),
        ("Which?", "Remind"): (0.5, "even"),
    }


def test_a_branch_is_taken_as_the_scenarios_took_it() -> None:
    counts = JourneyCounts()
    for _ in range(3):
        counts.add(GRAPH, ["Body", "Welcome", "Wait", "Answered?", "Tag", "Thank", "Wait again"], outcome="completed")
    counts.add(GRAPH, ["Body", "Welcome", "Wait", "Left"], outcome="exited")
    found = shares(GRAPH, rehearsed=counts)
    assert found["Answered?", "Tag"] == (1.0, "rehearsed")
    assert found["Body", "Left"] == (0.25, "rehearsed")
    assert found["Which?", "Remind"] == (0.5, "even")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (["Nowhere=0.3"], "no branch leads to 'Nowhere'"),
        (["Tag=1.3"], "gives no share"),
        (["Tag"], "no branch leads to ''"),
        (["Look up=0.6", "Remind=0.6"], "come to 1.2"),
        (["Look up=0.2", "Remind=0.3"], "come to 0.5"),
    ],
)
def test_a_share_that_fits_nowhere_is_refused(given: list[str], reason: str) -> None:
    with pytest.raises(LocalError) as refused:
        branch_shares(GRAPH, given=given)
    assert reason in refused.value.what


def test_a_branch_beside_another_to_the_same_state_is_named_with_where_it_begins() -> None:
    twice = graph(
        {
            "First?": choice("Gift", default="Second?"),
            "Second?": choice("Gift", default="Done"),
            "Gift": {"Type": "Succeed"},
            "Done": {"Type": "Succeed"},
        }
    )
    with pytest.raises(LocalError, match="several branches"):
        branch_shares(twice, given=["Gift=0.1"])
    assert shares(twice, "Second? -> Gift=0.1")["Second?", "Gift"] == (0.1, "given")


def test_the_ways_of_a_journey_add_up_to_everybody() -> None:
    found = journey_ways(GRAPH, branch_shares(GRAPH, given=["Tag=0.4", "Confirm=0.1", "Left=0.2"]))
    assert sum(way.share for way in found) == pytest.approx(1)
    left = [way for way in found if way.is_left]
    assert sum(way.share for way in left) == pytest.approx(0.3)
    assert {way.steps[-2] for way in left} == {"Wait", "Wait again"}
    assert sum(way.share for way in left if "Wait again" not in way.steps) == pytest.approx(0.15)
    tagged = [way for way in found if "Tag" in way.steps and not way.is_left]
    assert [(way.steps, way.branches) for way in tagged] == [
        (("Body", "Welcome", "Wait", "Answered?", "Tag", "Thank", "Wait again"), ("Answered? → Tag",))
    ]
    assert tagged[0].share == pytest.approx(0.4 * 0.7)


def test_a_loop_is_walked_until_what_is_left_is_negligible() -> None:
    found = journey_ways(LOOP, branch_shares(LOOP, given=["Remind=0.5"]))
    assert [round(way.share, 4) for way in found[:3]] == [0.5, 0.25, 0.125]
    assert sum(way.share for way in found) > 0.999
    reminders = sum(way.share * way.steps.count("Remind") for way in found)
    assert reminders == pytest.approx(2, rel=0.01)


def test_both_branches_of_a_parallel_are_walked() -> None:
    def branch(name: str) -> dict[str, Any]:
        return {"StartAt": name, "States": {name: task("SendMessage", message="m")}}

    both = graph({"Both": {"Type": "Parallel", "Branches": [branch("One"), branch("Other")], "End": True}})
    assert [(way.share, way.steps) for way in journey_ways(both, [])] == [(1.0, ("Both", "One", "Other"))]


def cheap(**providers: ProviderPrice) -> PriceList:
    unit = Price(what="things", per_million=1_000_000, source="https://example.com")
    return PriceList(as_of="2031-03", region="here", aws={"things": unit}, providers={"email": providers})


USAGE = StepUsage("2031-03-03", "another", {kind: {"things": 1.0} if kind == "hop" else {} for kind in USED})
MAIL = ProviderPrice(what="mails", per_million=100, source="https://example.com")
UNKNOWN = ProviderPrice(unknown="by country")


def forecast_of_loop(
    *, channels: tuple[Channel, ...] = (EMAIL,), reach: Mapping[Channel, float] | None = None
) -> Forecast:
    sender = Sender(channels={"reminder": channels}, parts={("reminder", SMS): 2}, reach=reach or {})
    given = branch_shares(LOOP, given=["Done=1", "Remind=0"])
    return forecast(LOOP, given, sender, prices={EMAIL: MAIL, SMS: UNKNOWN}, price_list=cheap(ses=MAIL), usage=USAGE)


def test_a_thousand_entrants_are_counted_and_priced() -> None:
    found = forecast_of_loop()
    assert found.amounts.steps["hop"] == pytest.approx(2 * ENTRANTS)
    assert found.amounts.messages == {EMAIL: pytest.approx(ENTRANTS)}
    assert found.bill.aws == pytest.approx(2 * ENTRANTS)
    assert found.bill.providers == {EMAIL: pytest.approx(0.1)}
    assert found.bill.unknown == []
    assert found.bill.known == pytest.approx(2 * ENTRANTS + 0.1)


def test_whom_a_channel_does_not_reach_gets_the_next_one_and_an_unknown_price_is_in_no_sum() -> None:
    found = forecast_of_loop(channels=(EMAIL, SMS), reach={EMAIL: 0.75})
    assert found.amounts.messages == {EMAIL: pytest.approx(750), SMS: pytest.approx(250)}
    assert found.amounts.parts[SMS] == pytest.approx(500)
    assert found.bill.unknown == [SMS]
    assert found.bill.known == pytest.approx(2 * ENTRANTS + 0.075)
    assert found.to_dict()["dollars"]["providers"]["sms"] is None


def test_the_parts_of_an_sms_are_those_of_its_words() -> None:
    assert sms_parts(["【路标】" + "好" * 70, "short {{ contact.first_name | default('you') }}"]) == 2
    assert sms_parts(["x" * 150 + "{% if a %}" + "y" * 10 + "{% endif %}"]) == 1


def test_every_quantity_that_steps_use_has_a_listed_price_with_its_source() -> None:
    listed = price_list()
    for used in step_usage().steps.values():
        assert listed.aws_dollars(used) > 0
    assert all(price.source.startswith("https://") for price in listed.aws.values())


def test_a_price_stands_with_its_source_or_says_why_there_is_none() -> None:
    with pytest.raises(ValueError, match="per_million with its source, or unknown"):
        ProviderPrice(what="mails")
    with pytest.raises(ValueError, match="has a source"):
        ProviderPrice(what="mails", per_million=1)
    assert price_list().of_channel(SMS, {"sms_provider": "end_user_messaging,aliyun"}).unknown
    assert price_list().of_channel(EMAIL, {"email_provider": "smtp"}).per_million is None
    assert price_list().of_channel(EMAIL, {}).per_million == 100


def cost(*options: str) -> str:
    shown = CliRunner().invoke(app, ["journey", "cost", "new-user-nurture", *options], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    return shown.stdout


def test_the_command_shows_the_ways_the_shares_and_what_it_assumes() -> None:
    shown = cost("--share", "Tag the interest=0.6")
    assert "share 60.0% (given): Survey answered? → Tag the interest" in shown
    assert "the price by sms is not known" in shown
    assert "sum without what sms costs" in shown
    assert "Order confirmation SMS" in shown


def test_the_command_takes_prices_and_answers_in_json() -> None:
    answer = json.loads(cost("--price", "sms=0.01", "--reach", "email=0.5", "--json"))
    assert answer["dollars"]["unknown"] == []
    assert answer["dollars"]["providers"]["sms"] == pytest.approx(0.01 * answer["parts"]["sms"], rel=0.01)
    assert answer["executions"] > ENTRANTS
    assert sum(way["share"] for way in answer["ways"]) == pytest.approx(1, abs=0.01)
    assert answer["prices"]["channels"]["sms"]["source"] == "the command line"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["nothing"], "there is no journey"),
        (["new-user-nurture", "--price", "pigeon=1"], "no channel 'pigeon'"),
        (["new-user-nurture", "--price", "sms=cheap"], "gives no price"),
        (["new-user-nurture", "--reach", "email"], "gives no number"),
        (["new-user-nurture", "--reach", "email=2"], "gives no share"),
    ],
)
def test_what_cannot_be_forecast_is_refused(options: list[str], reason: str) -> None:
    with pytest.raises(LocalError) as refused:
        CliRunner().invoke(app, ["journey", "cost", *options], catch_exceptions=False)
    assert reason in refused.value.what
