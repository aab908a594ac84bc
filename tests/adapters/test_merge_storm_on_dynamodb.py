"""The storm of merges on DynamoDB (moto): every call to the service is one step, and any caller's may come next."""

from typing import Any

import pytest

from tests.contacts.interleaving import TakingTurns, Turns, until_done
from tests.contacts.test_merge_storm import PEOPLE, profile_event, record, storm
from waypost.aws.contacts import DynamoContacts
from waypost.aws.profile_scan import DynamoProfileScan


@pytest.mark.parametrize(("count", "seed"), [(10, 1), (4, 2), (4, 3)])
def test_writers_who_link_three_people_leave_one_contact_on_dynamodb(
    dynamodb: Any, table: str, count: int, seed: int
) -> None:
    alone = DynamoContacts(dynamodb, table)
    for number, person in enumerate(PEOPLE):
        record(profile_event(number, person, **{f"first_{number}": True}), alone)
    turns, events = Turns(seed), storm(count)
    shared = DynamoContacts(TakingTurns(dynamodb, turns), table)
    turns.run([until_done(lambda event=event: record(event, shared), tries=count) for event in events])  # type: ignore[misc]

    found = {alone.resolve({kind: value})[kind] for event in events for kind, value in event.contact.items()}
    (one,) = {loaded.contact_id: loaded for owner in found if (loaded := alone.load(owner))}.values()
    wanted = {f"value_{number}": number for number in range(count)} | {f"first_{number}": True for number in range(3)}
    assert {name: one.attributes.get(name) for name in wanted} == wanted
    assert one.points == count + 3
    assert {(kind, value) for kind, values in one.identities.items() for value in values} == {
        pair for event in events for pair in event.contact.items()
    }
    living = [
        each.contact_id for page in DynamoProfileScan(dynamodb, table).slice(0, 1) for each in page
    ]  # a scan gives living contacts only
    assert living == [one.contact_id]
    assert sum(len(alone.merges(owner)) for owner in one.partitions) == len(one.absorbed)
