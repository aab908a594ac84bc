"""Counts what reading costs, where the calls themselves do not say. Used by bulk runs."""

from threading import Lock
from typing import Any, Final

_COUNTED: Final = ("Query", "BatchGetItem", "GetItem")


class ReadUnits:
    """The read request units that a client used up for queries and gets since it was first asked. Safe across threads.

    Scans are not counted: a page says itself what it cost.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = Lock()
        self._watches = False
        self._units = 0.0

    def __call__(self) -> float:
        """The units so far."""
        if not self._watches:  # only now, because watching a client makes it
            self._watches = True
            for operation in _COUNTED:
                self._client.meta.events.register(f"provide-client-params.dynamodb.{operation}", _ask)
                self._client.meta.events.register(f"after-call.dynamodb.{operation}", self._add)
        return self._units

    def _add(self, parsed: dict[str, Any], **_more_of_the_event: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        with self._lock:
            for each in consumed if isinstance(consumed, list) else [consumed]:
                self._units += float(each.get("CapacityUnits", 0))


def _ask(params: dict[str, Any], **_more_of_the_event: Any) -> dict[str, Any]:
    return {**params, "ReturnConsumedCapacity": "TOTAL"}
