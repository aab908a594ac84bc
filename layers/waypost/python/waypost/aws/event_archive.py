"""The archive of events in S3: packed lines of JSON by day. Used by archive_events, and to rebuild profiles."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.events.archive_events import RETENTION_TAG, ArchiveObject, day_folder
from waypost.events.history import AppliedEvent
from waypost.files.folders import EVENTS, Folders

_CONTACT = "contact#"
_EVENT = "event#"


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


def inserted_events(stream_event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events in an invocation by the table's stream: inserted ``event#`` items, each with its ``contact_id``.

    The event source mapping lets nothing else through; what comes through all the same is left out here.
    """
    found = []
    for record in stream_event["Records"]:
        image = record["dynamodb"].get("NewImage", {})
        pk, sk = (image.get(name, {}).get("S", "") for name in ("pk", "sk"))
        if record["eventName"] == "INSERT" and pk.startswith(_CONTACT) and sk.startswith(_EVENT):
            found.append(table.load_item(image) | {"contact_id": pk.removeprefix(_CONTACT)})
    return found
