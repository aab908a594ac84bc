"""Hop 16: builds one slice of an audience. Called by build-audience and preview-segment, for many slices at once."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class BuildAudienceSlice(Hop):
    """Asks the rule of every profile of a slice, and of the events of those whose profile cannot tell."""

    def __init__(self, scope: Construct, *, platform: Platform, contacts: ContactsTable, files: Files) -> None:
        super().__init__(
            scope,
            "build_audience_slice",
            platform=platform,
            purpose="Builds one slice of an audience",
            timeout=Duration.minutes(15),
            memory_mb=1769,  # one whole core: this is work for a processor
            settings={"contacts_table": contacts.name, "files_bucket": files.name},
        )
        contacts.readable_by(self)
        contacts.profiles_readable_by(self)
        files.readable_by(self, "audiences/", "work/audiences/")
        files.writable_by(self, "audiences/", "work/audiences/")
