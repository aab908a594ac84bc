"""Hop 14: gathers the slices of an export into a file. Called by the operation export-contacts."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class FinishExport(Hop):
    """Reads the slices and writes one file, or a few large ones."""

    def __init__(self, scope: Construct, *, platform: Platform, files: Files) -> None:
        super().__init__(
            scope,
            "finish_export",
            platform=platform,
            purpose="Gathers the slices of an export",
            timeout=Duration.minutes(15),
            memory_mb=1769,  # one whole core: this is work for a processor
            settings={"files_bucket": files.name},
        )
        files.readable_by(self, "work/exports/")
        files.writable_by(self, "exports/")
