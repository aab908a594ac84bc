"""The functions of refresh-contacts, called with their samples in the order of the state machine."""

from datetime import timedelta

from tests.functions.conftest import Deployment, sample
from waypost.products.watching import Watch


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


def test_the_sample_of_a_dropped_price_is_announced_to_who_watches(deployment: Deployment) -> None:
    world = deployment.world
    world.clock.set("2026-03-02T19:00:01.120Z")
    watch = Watch("all", world.clock(), world.clock() + timedelta(days=1))
    world.watches.keep("c-1", {"serum-30": watch}, added=["serum-30"])

    answer = deployment.call("update_products")
    assert (answer["taken"], answer["done"]) == (2, True)
    assert sample("notify_watchers") in answer["changes"]
    assert deployment.call("notify_watchers")["notified"] == 1
    assert [event.properties["drop_percent"] for event in world.queue.sent[-1:]] == [20]
