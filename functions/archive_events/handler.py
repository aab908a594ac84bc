"""Write new events, and messages and journeys whose time is over, to the archive. Called by the stream of the contacts table."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.event_archive import S3EventArchive, stream_changes
from waypost.aws.function_log import function_log
from waypost.events.archive_events import ArchiveEvents
from waypost.events.retention import load_retention
from waypost.files.folders import EVENTS, LEDGER, Folders

logger = function_log("archive_events")
metrics = Metrics(service="archive_events")


@cache
def archive_events() -> ArchiveEvents:
    """Wire ArchiveEvents to its stores and settings; once per process."""
    store = S3EventArchive(client("s3"), wiring.settings().files_bucket, Folders(writes=(EVENTS, LEDGER)))
    return ArchiveEvents(store=store, retention=load_retention())


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Archive a batch; an error lets Lambda try it again, in halves if need be."""
    written = archive_events().archive(stream_changes(event))
    metrics.add_metric(name="EventsArchived", unit=MetricUnit.Count, value=written["events"])
    metrics.add_metric(name="RowsArchived", unit=MetricUnit.Count, value=written["rows"])
    logger.info("events archived", extra=written)
    return written
