"""The adapters of the functions that build audiences, each made once. Used by their handlers."""

from functools import cache

from waypost.aws import wiring
from waypost.aws.clients import bulk_client
from waypost.aws.enrolments import DynamoEnrolments
from waypost.aws.files import S3Files
from waypost.aws.history import DynamoHistory
from waypost.aws.profile_scan import DynamoProfileScan
from waypost.aws.read_units import ReadUnits
from waypost.clock import clock
from waypost.events.retention import load_retention
from waypost.journeys.published import load_published
from waypost.segments.audience import AudiencePlanner
from waypost.segments.gathering import AudienceGatherer
from waypost.segments.past import Past
from waypost.segments.saved import load_saved_segments
from waypost.segments.slicing import SliceReader


@cache
def files() -> S3Files:
    """The bucket of files."""
    return wiring.files()


@cache
def planner() -> AudiencePlanner:
    """What checks a request."""
    return AudiencePlanner(
        files=files(),
        scan=wiring.profile_scan(),
        segments=load_saved_segments(),
        default_zone=load_published().sending.default_time_zone,
        clock=clock(),
    )


@cache
def reader() -> SliceReader:
    """What reads slices; histories come over the patient client too, and are parsed fast."""
    client, table = bulk_client("dynamodb"), wiring.settings().contacts_table
    return SliceReader(
        scan=DynamoProfileScan(client, table),
        past=Past(
            history=DynamoHistory(client, table, retention=load_retention(), clock=clock()),
            enrolments=DynamoEnrolments(client, table),
        ),
        read_units=ReadUnits(client),
    )


@cache
def gatherer() -> AudienceGatherer:
    """What puts slices together."""
    return AudienceGatherer(files=files(), segments=load_saved_segments(), clock=clock())
