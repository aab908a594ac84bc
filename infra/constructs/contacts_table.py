"""The two tables: the profiles, and what is kept of contacts beside them. Every hop but the webhook's reads them."""

from typing import Any

from aws_cdk import aws_cloudwatch, aws_dynamodb
from constructs import Construct

from infra.constructs.alarms import FIVE_MINUTES, Alarms
from infra.constructs.hop import Hop
from infra.deployment import Deployment

_DUE = "due"
_PASSING = 100
"""Throttled requests in five minutes that repeats mend, as a table on demand grows with its load."""


class ContactsTable(Construct):
    """Two tables on demand with point-in-time recovery and encryption.

    The first holds events, enrolments, messages and identities; it has a stream, and items that expire. Its index ``due`` holds
    only claims that wait for an answer; the sweeper alone reads it. The second holds the profiles, under the name of the first
    and ``-profiles``: a bulk run scans it and pays for nothing else, and an index would double every write of a profile.
    """

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, "Contacts")
        name = f"{deployment.name}-contacts"
        self._table = aws_dynamodb.TableV2(
            self,
            "Table",
            table_name=name,
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            dynamo_stream=aws_dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            time_to_live_attribute="expires_at",
            global_secondary_indexes=[
                aws_dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=_DUE,
                    partition_key=_text("due_shard"),
                    sort_key=_text("due_at"),
                    projection_type=aws_dynamodb.ProjectionType.KEYS_ONLY,
                ),
            ],
            **_kept(deployment),
        )
        self._profiles = aws_dynamodb.TableV2(
            self,
            "Profiles",
            table_name=f"{name}-profiles",
            partition_key=_text("contact_id"),
            **_kept(deployment),
        )
        self.name = self._table.table_name

    def watched_by(self, alarms: Alarms) -> None:
        """Raise an alarm for each table that throttles more than what repeats mend."""
        for name, table, index in (("Table", self._table, _DUE), ("Profiles", self._profiles, None)):
            throttled = [_throttled(table, kind) for kind in ("Read", "Write")]
            if index:
                throttled.append(_throttled(table, "Write", index=index))
            alarms.watch(
                self,
                f"{name}Throttles",
                aws_cloudwatch.MathExpression(
                    # a metric without data would leave the sum without any
                    expression=" + ".join(f"FILL(m{number}, 0)" for number in range(len(throttled))),
                    using_metrics={f"m{number}": metric for number, metric in enumerate(throttled)},
                    label="throttled requests",
                    period=FIVE_MINUTES,
                ),
                over=_PASSING,
                because=f"DynamoDB throttled more than {_PASSING} requests to a table of contacts in five minutes: warm it, or "
                "ask AWS for more units",
            )

    def open_to(self, hop: Hop, *actions: str, keys: str | None = None) -> None:
        """Let a hop do these actions (``GetItem``) on items by key, and on profiles.

        ``keys`` (``webhook#*``) limits the partition keys, and gives no profile.
        """
        names = [f"dynamodb:{action}" for action in actions]
        if keys:
            limit = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [keys]}}
            hop.allow(*names, on=self._table.table_arn, conditions=limit)
            return
        for table in (self._table, self._profiles):
            hop.allow(*names, on=table.table_arn)

    def due_open_to(self, hop: Hop, *actions: str) -> None:
        """Let a hop find the items whose time has come."""
        hop.allow(*(f"dynamodb:{action}" for action in actions), on=f"{self._table.table_arn}/index/{_DUE}")

    def profiles_open_to(self, hop: Hop, *actions: str) -> None:
        """Let a hop read all profiles, one slice at a time."""
        hop.allow(*(f"dynamodb:{action}" for action in actions), on=self._profiles.table_arn)

    @property
    def stream_arn(self) -> str:
        """The stream of every change."""
        return str(self._table.table_stream_arn)

    def streamed_to(self, hop: Hop) -> None:
        """Let a hop read the stream of changes."""
        self._table.grant_stream_read(hop.role)


def _throttled(table: aws_dynamodb.TableV2, kind: str, *, index: str | None = None) -> aws_cloudwatch.Metric:
    return aws_cloudwatch.Metric(
        namespace="AWS/DynamoDB",
        metric_name=f"{kind}ThrottleEvents",
        dimensions_map={"TableName": table.table_name, **({"GlobalSecondaryIndexName": index} if index else {})},
        period=FIVE_MINUTES,
        statistic="Sum",
    )


def _text(name: str) -> aws_dynamodb.Attribute:
    return aws_dynamodb.Attribute(name=name, type=aws_dynamodb.AttributeType.STRING)


def _kept(deployment: Deployment) -> dict[str, Any]:
    """What holds for both: paid by use, encrypted, recoverable, and of production not to be deleted."""
    return {
        "billing": aws_dynamodb.Billing.on_demand(),
        "encryption": aws_dynamodb.TableEncryptionV2.aws_managed_key(),
        "point_in_time_recovery_specification": aws_dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        "deletion_protection": deployment.is_protected,
        "removal_policy": deployment.removal_policy,
    }
