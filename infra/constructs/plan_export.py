"""Hop 14: plans an export of contacts. Called by the operation export-contacts."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class PlanExport(Hop):
    """Decides in how many slices the contacts are read, and writes the plan."""

    def __init__(self, scope: Construct, *, platform: Platform, contacts: ContactsTable, files: Files) -> None:
        super().__init__(
            scope,
            "plan_export",
            platform=platform,
            purpose="Plans an export of contacts",
            timeout=Duration.minutes(1),
            settings={"contacts_table": contacts.name, "files_bucket": files.name},
        )
        contacts.profiles_countable_by(self)
        files.readable_by(self, "audiences/", "work/exports/")
        files.writable_by(self, "work/exports/")
