"""The functions of refresh-contacts, called with their samples in the order of the state machine."""

from tests.functions.conftest import Deployment, sample


def test_the_samples_refresh_the_contact_of_the_story(deployment: Deployment) -> None:
    deployment.call("route_events")
    deployment.world.clock.set("2026-03-02T19:00:01.120Z")

    plan = deployment.call("plan_refresh")
    assert plan["slices"] == [sample("count_purchases")]
    counted = deployment.call("count_purchases")
    assert (counted["done"], counted["counts"]["contacts"]) == (True, 1)
    assert deployment.call("rank_customers") == {"recency": [], "frequency": [], "monetary": []}

    assert deployment.call("relate_products") == {"products": 0, "groups": 0, "short": 0}

    refreshed = deployment.call("refresh_contacts")
    assert (refreshed["done"], refreshed["counts"]["measured"], refreshed["counts"]["failed"]) == (True, 1, 0)
    written = len(deployment.world.effects.log)
    assert deployment.call("refresh_contacts") == refreshed
    assert (
        deployment.call("refresh_contacts", sample("refresh_contacts") | {"run": "another"})["counts"]["changed"] == 0
    )
    assert len(deployment.world.effects.log) == written


def test_the_engagement_of_a_slice_is_judged_again(deployment: Deployment) -> None:
    answer = deployment.call("rescore_engagement")
    assert (answer["slice"], answer["done"], answer["counts"]["changed"]) == (0, True, 0)
