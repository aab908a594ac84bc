"""Hop 16: puts the slices of an audience together. Called by build-audience and preview-segment, at their end."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class GatherAudience(Hop):
    """Writes the manifest and the persona card; knows no contact but by its id."""

    def __init__(self, scope: Construct, *, platform: Platform, files: Files) -> None:
        super().__init__(
            scope,
            "gather_audience",
            platform=platform,
            purpose="Puts the slices of an audience together",
            timeout=Duration.minutes(15),
            memory_mb=1769,  # one whole core: this is work for a processor
            settings={"files_bucket": files.name},
        )
        files.readable_by(self, "audiences/", "work/audiences/")
        files.writable_by(self, "audiences/")
