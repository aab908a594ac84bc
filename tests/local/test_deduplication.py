"""What a queue of the embedded cloud knows of its last messages, and for how long."""

import time

from local.cloud.deduplication import prune


def test_only_what_has_ended_is_forgotten() -> None:
    now = time.time()
    ends = {"first": now - 2, "second": now - 1, "third": now + 60, "fourth": now + 61}
    queue = {"dedup_cache": {key: {"expire": end} for key, end in ends.items()}}
    prune(queue)
    assert list(queue["dedup_cache"]) == ["third", "fourth"]
    prune(queue)
    assert list(queue["dedup_cache"]) == ["third", "fourth"]


def test_a_queue_that_knows_nothing_has_nothing_to_forget() -> None:
    queue: dict[str, dict[str, dict[str, float]]] = {"dedup_cache": {}}
    prune(queue)
    assert queue["dedup_cache"] == {}
