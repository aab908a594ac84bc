"""Hop 16: previews a segment. Called by the operation preview-segment."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class PreviewSegment(Hop):
    """Asks a small base at once; plans the slices of a larger one."""

    def __init__(self, scope: Construct, *, platform: Platform, contacts: ContactsTable, files: Files) -> None:
        super().__init__(
            scope,
            "preview_segment",
            platform=platform,
            purpose="Previews a segment",
            timeout=Duration.minutes(5),
            memory_mb=1769,  # one whole core: this is work for a processor
            settings={"contacts_table": contacts.name, "files_bucket": files.name},
        )
        contacts.readable_by(self)
        contacts.profiles_readable_by(self)
        contacts.profiles_countable_by(self)
        files.readable_by(self, "audiences/")
        files.writable_by(self, "audiences/")
