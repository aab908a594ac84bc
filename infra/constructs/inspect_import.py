"""Hop 13: looks at a file of contacts and plans its import. Called by the operation import-contacts."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class InspectImport(Hop):
    """Reads the beginning of the file, and writes the plan."""

    def __init__(self, scope: Construct, *, platform: Platform, files: Files) -> None:
        super().__init__(
            scope,
            "inspect_import",
            platform=platform,
            purpose="Looks at a file of contacts and plans its import",
            timeout=Duration.minutes(1),
            settings={"files_bucket": files.name},
        )
        files.readable_by(self, "imports/", "work/imports/")
        files.writable_by(self, "work/imports/")
