"""Hop 13: cuts a file of contacts into parts of whole rows. Called by the operation import-contacts."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class SplitImport(Hop):
    """Reads the file once, a block at a time, and writes where each part begins and ends."""

    def __init__(self, scope: Construct, *, platform: Platform, files: Files) -> None:
        super().__init__(
            scope,
            "split_import",
            platform=platform,
            purpose="Cuts a file of contacts into parts",
            timeout=Duration.minutes(15),
            memory_mb=1769,  # one whole core: this is work for a processor
            settings={"files_bucket": files.name},
        )
        files.readable_by(self, "imports/", "work/imports/")
        files.writable_by(self, "work/imports/")
