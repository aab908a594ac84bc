"""Hop 16: plans an audience. Called by the operation build-audience."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class PlanAudience(Hop):
    """Checks the request and decides in how many slices the base is read."""

    def __init__(self, scope: Construct, *, platform: Platform, contacts: ContactsTable, files: Files) -> None:
        super().__init__(
            scope,
            "plan_audience",
            platform=platform,
            purpose="Plans an audience",
            timeout=Duration.minutes(1),
            settings={"contacts_table": contacts.name, "files_bucket": files.name},
        )
        contacts.profiles_countable_by(self)
        files.readable_by(self, "audiences/")
        files.writable_by(self, "audiences/")
