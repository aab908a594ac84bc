"""The queue of deferred messages: schedules put each in when its time has come, and one function sends many of them at a time."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.batch_queue import BatchQueue, Pace
from infra.constructs.hop import Hop
from infra.constructs.undelivered import Undelivered
from infra.deployment import Deployment

_PACE = Pace(
    batch=50,  # what SES takes in one call
    gathered_for=Duration.seconds(1),
    # Fifty messages take a few seconds, so these take what a large account may send, 100 to 200 a second; the pace holds back the rest.
    callers=10,
    seconds=60,  # three calls of a provider that times out, and fifty claims
    attempts=5,
)


class DeferredMessages(BatchQueue):
    """A queue whose messages may come twice and in any order: the ledger sends each at most once."""

    def __init__(self, scope: Construct, *, deployment: Deployment, undelivered: Undelivered, alarms: Alarms) -> None:
        super().__init__(
            scope,
            "DeferredMessages",
            name="deferred-messages",
            pace=_PACE,
            deployment=deployment,
            undelivered=undelivered,
            alarms=alarms,
        )

    def sent_by(self, hop: Hop) -> None:
        """Call the hop with messages whose time has come, a batch at a time."""
        self.taken_by(
            hop,
            late_after=Duration.minutes(15),
            late="Messages whose time has come wait longer than 15 minutes to be sent",
        )
