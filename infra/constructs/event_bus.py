"""The event bus: every routed event, for other systems, with an archive to replay from."""

from aws_cdk import Aws, Duration, aws_events
from constructs import Construct

from infra.constructs.hop import Hop
from infra.deployment import Deployment

_ARCHIVE_DAYS = 30


class EventBus(Construct):
    """A bus whose events are kept for 30 days: long enough to replay, short enough for personal data."""

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, "Bus")
        self._bus = aws_events.EventBus(
            self, "Bus", event_bus_name=deployment.name, description="Every event that Waypost has routed"
        )
        self._bus.archive(
            "Archive",
            archive_name=deployment.name,
            description="To replay events into a system that was added or down",
            event_pattern=aws_events.EventPattern(account=[Aws.ACCOUNT_ID]),
            retention=Duration.days(_ARCHIVE_DAYS),
        )
        self.name = self._bus.event_bus_name

    def tell(
        self, scope: Construct, *, pattern: aws_events.EventPattern, target: aws_events.IRuleTarget, because: str
    ) -> None:
        """Pass the events that match ``pattern`` on to a target."""
        aws_events.Rule(
            scope, "Rule", event_bus=self._bus, description=because[:512], event_pattern=pattern, targets=[target]
        )

    def writable_by(self, hop: Hop) -> None:
        """Let a hop publish events."""
        hop.allow("events:PutEvents", on=self._bus.event_bus_arn)
