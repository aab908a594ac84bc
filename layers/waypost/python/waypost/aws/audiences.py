"""The adapters of the functions that build audiences, each made once. Used by their handlers."""

from functools import cache

from waypost.audiences.build_audience_slice import ContactReader
from waypost.audiences.gather_audience import GatherAudience
from waypost.audiences.plan_audience import PlanAudience
from waypost.aws import wiring
from waypost.aws.clients import bulk_client
from waypost.aws.enrolments import DynamoEnrolments
from waypost.aws.files import S3Files
from waypost.aws.history import DynamoHistory
from waypost.aws.profile_scan import DynamoProfileScan
from waypost.aws.read_units import ReadUnits
from waypost.bulk.run_slice import SliceRunner
from waypost.clock import clock
from waypost.defaults import load_defaults
from waypost.events.listening import load_listening
from waypost.events.retention import load_retention
from waypost.segments.history_lookup import HistoryLookup
from waypost.segments.saved_segments import load_saved_segments


@cache
def files() -> S3Files:
    """The bucket of files."""
    return wiring.files()


@cache
def planner() -> PlanAudience:
    """What checks a request."""
    return PlanAudience(
        files=files(),
        scan=wiring.profile_scan(),
        segments=load_saved_segments(),
        default_zone=load_defaults().time_zone,
        clock=clock(),
        listening=load_listening(),
    )


@cache
def runner() -> SliceRunner:
    """What runs a slice, and counts what reading histories costs."""
    return SliceRunner(read_units=ReadUnits(bulk_client("dynamodb")))


@cache
def reader() -> ContactReader:
    """What reads contacts and their histories, both over the patient client and parsed fast."""
    client, table = bulk_client("dynamodb"), wiring.settings().contacts_table
    return ContactReader(
        scan=DynamoProfileScan(client, table),
        history_lookup=HistoryLookup(
            history=DynamoHistory(client, table, retention=load_retention(), clock=clock()),
            enrolments=DynamoEnrolments(client, table),
        ),
    )


@cache
def gatherer() -> GatherAudience:
    """What puts slices together."""
    return GatherAudience(files=files(), segments=load_saved_segments(), clock=clock())
