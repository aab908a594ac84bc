"""Hop 13: counts what became of all rows and writes the report. Called by the operation import-contacts."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class FinishImport(Hop):
    """Writes the files that a person looks at, beside the imported one."""

    def __init__(self, scope: Construct, *, platform: Platform, files: Files) -> None:
        super().__init__(
            scope,
            "finish_import",
            platform=platform,
            purpose="Writes the report of an import",
            timeout=Duration.minutes(15),
            memory_mb=1769,  # one whole core: this is work for a processor
            settings={"files_bucket": files.name},
        )
        files.readable_by(self, "work/imports/")
        files.writable_by(self, "imports/")
