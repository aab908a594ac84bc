"""All contacts that are in a journey, for a change that looks at each. Used by what plans and applies changes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from waypost.batches import batched
from waypost.journeys.changes.ports import ChangedEnrolments
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.ports import SHARDS

BATCH: Final = 100
"""Rows that one BatchGetItem reads."""
EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


def everybody(enrolments: ChangedEnrolments) -> Iterator[list[Enrolment]]:
    """Every unfinished enrolment once, some rows at a time, read consistently.

    A contact is noted at every Pause of the last days, so that the ids are remembered: some 70 bytes for each.
    """
    seen = set[int]()
    noted = (each for shard in range(SHARDS) for each in enrolments.find_due(shard, since=None, until=EVER))
    for batch in batched(noted, BATCH):
        by_id = {hash(each.enrolment_id): each for each in batch}
        news = [each for key, each in by_id.items() if key not in seen]
        seen |= by_id.keys()
        yield enrolments.load_many(news)
