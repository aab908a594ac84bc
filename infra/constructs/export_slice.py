"""Hop 14: writes down the contacts of one slice. Called by the operation export-contacts, for many slices at once."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class ExportSlice(Hop):
    """Reads a slice of the index of profiles, or an audience by its ids."""

    def __init__(self, scope: Construct, *, platform: Platform, contacts: ContactsTable, files: Files) -> None:
        super().__init__(
            scope,
            "export_slice",
            platform=platform,
            purpose="Writes down the contacts of one slice",
            timeout=Duration.minutes(15),
            memory_mb=1769,  # one whole core: this is work for a processor
            settings={"contacts_table": contacts.name, "files_bucket": files.name},
        )
        contacts.readable_by(self)
        contacts.profiles_readable_by(self)
        files.readable_by(self, "audiences/", "work/exports/")
        files.writable_by(self, "work/exports/")
