"""Hop 15: says where the fifths of the customer base begin. Called by the operation refresh-contacts."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform
from waypost.metrics.refresh import FOLDER


class RankCustomers(Hop):
    """Adds up the histograms of all slices; sees no contact."""

    def __init__(self, scope: Construct, *, platform: Platform, files: Files) -> None:
        super().__init__(
            scope,
            "rank_customers",
            platform=platform,
            purpose="Says where the fifths of the customer base begin",
            timeout=Duration.minutes(15),
            settings={"files_bucket": files.name},
        )
        files.readable_by(self, f"{FOLDER}/")
