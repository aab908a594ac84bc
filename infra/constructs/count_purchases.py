"""Hop 15: counts what the contacts of one slice bought. Called by refresh-contacts, for many slices at once."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform
from waypost.metrics.refresh import FOLDER


class CountPurchases(Hop):
    """Reads profiles and purchases, and leaves histograms without a name in them."""

    def __init__(self, scope: Construct, *, platform: Platform, contacts: ContactsTable, files: Files) -> None:
        super().__init__(
            scope,
            "count_purchases",
            platform=platform,
            purpose="Counts what the contacts of one slice bought",
            timeout=Duration.minutes(15),
            memory_mb=1024,
            settings={"contacts_table": contacts.name, "files_bucket": files.name},
        )
        contacts.readable_by(self)
        contacts.profiles_readable_by(self)
        files.readable_by(self, f"{FOLDER}/")
        files.writable_by(self, f"{FOLDER}/")
