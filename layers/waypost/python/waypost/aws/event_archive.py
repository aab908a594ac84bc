"""The archive of events in S3: packed lines of JSON by day. Used by archive_events, and to rebuild profiles."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from waypost.aws import table
from waypost.aws.enrolment_row import PAST, unpacked
from waypost.aws.translation import translates_errors
from waypost.events.archive_events import RETENTION_TAG, ArchiveObject, StreamChanges, day_folder
from waypost.events.history import AppliedEvent
from waypost.files.folders import EVENTS, Folders

_CONTACT = "contact#"
_EVENT = "event#"
_MESSAGE = "message#"
BY_TIME_TO_LIVE: Final = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
"""Who removes an item whose time is over. Source: DynamoDB Developer Guide, "DynamoDB Streams and Time to Live"."""


@translates_errors
@dataclass(frozen=True, slots=True)
class S3EventArchive:
    """An ArchiveStore, and ArchivedEvents, on the folder of events in the bucket of files."""

    client: Any
    bucket: str
    folders: Folders

    def put(self, object_: ArchiveObject) -> None:
        """See ArchiveStore. The tag comes with the object, so there is no moment without it."""
        self.folders.check_write(object_.key)
        self.client.put_object(
            Bucket=self.bucket,
            Key=object_.key,
            Body=object_.body,
            ContentType="application/gzip",
            Tagging=f"{RETENTION_TAG}={object_.retention}",
        )

    def applied(self, contact_id: str, *, since: date | None = None) -> Iterator[AppliedEvent]:
        """See ArchivedEvents. Reads every object from that day on; for many contacts at once ask Athena instead."""
        self.folders.check_read(EVENTS)
        after = {"StartAfter": day_folder(since.isoformat())} if since else {}
        mark = f'"contact_id":"{contact_id}"'.encode()
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=EVENTS, **after):
            for entry in page.get("Contents", []):
                body = self.client.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read()
                for line in gzip.decompress(body).splitlines():
                    if mark in line and (row := json.loads(line))["contact_id"] == contact_id:
                        yield AppliedEvent.from_dict(row)


def stream_changes(stream_event: Mapping[str, Any]) -> StreamChanges:
    """What an invocation by the table's stream brings for the archive.

    The event source mapping lets nothing else through; what comes through all the same is left out here.
    """
    events, rows = list[dict[str, Any]](), list[dict[str, Any]]()
    for record in stream_event["Records"]:
        keys = record["dynamodb"]["Keys"]
        pk, sk = (str(keys.get(name, {}).get("S", "")) for name in ("pk", "sk"))
        if not pk.startswith(_CONTACT):
            continue
        owner = {"contact_id": pk.removeprefix(_CONTACT)}
        match record["eventName"]:
            case "INSERT" if sk.startswith(_EVENT):
                events.append(table.load_item(record["dynamodb"]["NewImage"]) | owner)
            case "REMOVE" if sk.startswith((_MESSAGE, PAST)) and record.get("userIdentity") == BY_TIME_TO_LIVE:
                row = table.load_item(record["dynamodb"]["OldImage"])
                rows.append(unpacked(row) | {"kind": sk.partition("#")[0]} | owner)
            case _:
                pass
    return StreamChanges(tuple(events), tuple(rows))
