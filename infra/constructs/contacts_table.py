"""The one table: contacts, their events, enrolments, pauses and messages. Every hop but the webhook's reads it."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy, aws_dynamodb
from constructs import Construct

from infra.constructs.hop import Hop
from infra.deployment import Deployment

_DUE = "due"
_PROFILES = "profiles"


class ContactsTable(Construct):
    """A table on demand with a stream, point-in-time recovery, expiring items and encryption.

    The index ``due`` holds only the items that wait for a time; the sweeper alone reads it. The index ``profiles`` holds
    the profiles and nothing else, so that a bulk run does not pay for events and messages; no send is decided by it.
    """

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, "Contacts")

        def text(name: str) -> aws_dynamodb.Attribute:
            return aws_dynamodb.Attribute(name=name, type=aws_dynamodb.AttributeType.STRING)

        self._table = aws_dynamodb.TableV2(
            self,
            "Table",
            table_name=f"{deployment.name}-contacts",
            partition_key=text("pk"),
            sort_key=text("sk"),
            billing=aws_dynamodb.Billing.on_demand(),
            encryption=aws_dynamodb.TableEncryptionV2.aws_managed_key(),
            point_in_time_recovery_specification=aws_dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            dynamo_stream=aws_dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            time_to_live_attribute="expires_at",
            global_secondary_indexes=[
                aws_dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=_DUE,
                    partition_key=text("due_shard"),
                    sort_key=text("due_at"),
                    projection_type=aws_dynamodb.ProjectionType.KEYS_ONLY,
                ),
                aws_dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=_PROFILES,
                    partition_key=text("profile_of"),
                    projection_type=aws_dynamodb.ProjectionType.ALL,
                ),
            ],
            deletion_protection=deployment.is_production,
            removal_policy=RemovalPolicy.RETAIN if deployment.is_production else RemovalPolicy.DESTROY,
        )
        self.name = self._table.table_name

    def open_to(self, hop: Hop, *actions: str, keys: str | None = None) -> None:
        """Let a hop do these actions (``GetItem``) on items by key; ``keys`` (``webhook#*``) limits the partition keys."""
        hop.allow(
            *(f"dynamodb:{action}" for action in actions),
            on=self._table.table_arn,
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [keys]}} if keys else None,
        )

    def due_open_to(self, hop: Hop, *actions: str) -> None:
        """Let a hop find the items whose time has come."""
        self._index_open_to(hop, _DUE, actions)

    def profiles_open_to(self, hop: Hop, *actions: str) -> None:
        """Let a hop read all profiles, one slice at a time."""
        self._index_open_to(hop, _PROFILES, actions)

    def _index_open_to(self, hop: Hop, index: str, actions: Sequence[str]) -> None:
        hop.allow(*(f"dynamodb:{action}" for action in actions), on=f"{self._table.table_arn}/index/{index}")

    @property
    def stream_arn(self) -> str:
        """The stream of every change."""
        return str(self._table.table_stream_arn)

    def streamed_to(self, hop: Hop) -> None:
        """Let a hop read the stream of changes."""
        self._table.grant_stream_read(hop.role)
