"""All profiles of living contacts from their table, one slice at a time and parsed fast. Used by audiences, counts, exports and the refresh.

botocore's own parser walks through every attribute of every item in Python: 297 ms for a page of 1 MB, three quarters
of a bulk run. Its ``before-parse`` event lets a handler give the parsed answer instead; orjson needs 3 ms for it.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost.aws import profile_view, table
from waypost.aws.merges import LIVING
from waypost.aws.profile_view import StoredProfile
from waypost.aws.translation import translates_errors
from waypost.bulk.pages import BaseSize, Page
from waypost.contacts.profile import Contact
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject

PAGES_PER_COLLECTION: Final = 64
"""What else runs beside the scan may leave cycles behind, a few kilobytes a page."""

_FAST_OPERATIONS: Final = ("Scan", "Query")


def parse_fast(client: Any) -> None:
    """Have orjson parse this client's scans and queries; doing so again changes nothing.

    For clients whose items hold no binary values: botocore would decode those from Base64, and this does not.
    """
    for operation in _FAST_OPERATIONS:
        client.meta.events.register(
            f"before-parse.dynamodb.{operation}", parse_with_orjson, unique_id=f"waypost-parse-{operation}"
        )


def parse_with_orjson(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_more_of_the_event: Any
) -> None:
    """A handler of ``before-parse``: the whole answer from orjson, and nothing left for botocore to parse.

    Errors are left to botocore, and so is a body that is no JSON: it says what is wrong with it in its own words.
    """
    import orjson  # noqa: PLC0415 - 10 ms that only bulk runs need

    if response_dict["status_code"] >= 300:
        return
    try:
        with collector_at_rest():
            parsed = orjson.loads(response_dict["body"])
    except orjson.JSONDecodeError:
        return
    customized_response_dict.update(parsed)
    response_dict["body"] = b"{}"


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Look for no cycles meanwhile: JSON has none, and a look at a page's 80,000 objects takes longer than parsing it."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoProfileScan:
    """A ProfileScan on the table of the profiles.

    ``page_limit`` ends a page after so many profiles; without it DynamoDB ends it at 1 MB. Give it a client of
    ``bulk_client``: it slows down when DynamoDB throttles, instead of failing.
    """

    client: Any
    table_name: str
    page_limit: int | None = None

    def size(self) -> BaseSize:
        """See ProfileScan."""
        described = self.client.describe_table(TableName=table.profiles_table(self.table_name))["Table"]
        return BaseSize(items=int(described.get("ItemCount", 0)), bytes=int(described.get("TableSizeBytes", 0)))

    def slice(self, segment: int, total: int, *, after: str | None = None) -> Iterator[Page[Contact]]:
        """See ProfileScan."""
        for page in self.whole(segment, total, after=after):
            contacts = [Contact.from_dict(table.load_item(dict(item))) for item in page]
            yield Page(contacts, page.after, page.read_units)

    def whole(self, segment: int, total: int, *, after: str | None = None) -> Iterator[Page[StoredProfile]]:
        """Like ``slice``, unread."""
        yield from self._pages(segment, total, after, {})

    def stored(
        self, segment: int, total: int, *, reads: Reads, after: str | None = None
    ) -> Iterator[Page[StoredProfile]]:
        """See ProfileScan."""
        yield from self._pages(segment, total, after, profile_view.projection(reads))

    def viewer(self, reads: Reads, *, now: datetime, default_zone: ZoneInfo) -> Callable[[StoredProfile], Subject]:
        """See ProfileScan."""
        return profile_view.viewer(reads, now=now, default_zone=default_zone)

    def partitions_of(self, stored: StoredProfile) -> tuple[str, ...]:
        """See ProfileScan."""
        return profile_view.partitions_of(stored)

    def _pages(self, segment: int, total: int, after: str | None, projection: dict[str, Any]) -> Iterator[Page[Any]]:
        """The pages of a slice as stored."""
        parse_fast(self.client)
        request: dict[str, Any] = {
            "TableName": table.profiles_table(self.table_name),
            "FilterExpression": f"attribute_exists({LIVING})",
            "Segment": segment,
            "TotalSegments": total,
            "ReturnConsumedCapacity": "TOTAL",
            **projection,
        }
        if self.page_limit is not None:
            request["Limit"] = self.page_limit
        with collector_at_rest():  # also while a page is processed: it is full of objects and free of cycles
            for number in count(1):
                if after is not None:
                    request["ExclusiveStartKey"] = table.profile_key(after)
                answer = self.client.scan(**request)
                after = _contact_of(answer.get("LastEvaluatedKey"))
                units = float(answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0))
                yield Page(answer.pop("Items"), after, units)
                if after is None:
                    return
                if number % PAGES_PER_COLLECTION == 0:
                    gc.collect()


def _contact_of(place: dict[str, Any] | None) -> str | None:
    return str(place["contact_id"]["S"]) if place else None
