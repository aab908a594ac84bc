"""The queue of the people about whom providers are asked: what they know of a person, and which tags they see."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.batch_queue import BatchQueue, Pace
from infra.constructs.hop import Hop
from infra.constructs.undelivered import Undelivered
from infra.deployment import Deployment

_PACE = Pace(
    batch=5,
    gathered_for=Duration.seconds(2),
    callers=2,  # WeCom takes 10,000 calls of an interface in a minute; a person takes one to a handful, of half a second each
    seconds=90,  # five people whose provider is slow
    attempts=12,  # an outage of the provider of an hour and more is waited out
)


class PersonSyncs(BatchQueue):
    """A queue whose requests may come twice and in any order: who is asked about twice is the same."""

    def __init__(self, scope: Construct, *, deployment: Deployment, undelivered: Undelivered, alarms: Alarms) -> None:
        super().__init__(
            scope,
            "PersonSyncs",
            name="person-syncs",
            pace=_PACE,
            deployment=deployment,
            undelivered=undelivered,
            alarms=alarms,
        )

    def asked_by(self, hop: Hop) -> None:
        """Call the hop with people, a batch at a time."""
        self.taken_by(
            hop,
            late_after=Duration.hours(2),
            late="People have waited longer than two hours to be asked about at WeChat or WeCom",
        )
