"""The records of changes of journeys in DynamoDB, and where each contact stood before; the machines in Step Functions."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost import ids
from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.journeys.changes.change import Change, Position
from waypost.journeys.changes.ports import DeployedVersion
from waypost.journeys.machine_versions import journey_and_version, machine_name
from waypost.journeys.ports import SHARDS

KEPT: Final = timedelta(days=60)
"""How long a change can be undone; then its record, and what is noted of each contact, expires."""
RECORDS: Final = "journey-changes"


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoChanges:
    """A ChangeStore on the contacts table: a partition with all records, and for each change one per shard of contacts."""

    client: Any
    table_name: str

    def put(self, change: Change) -> None:
        """See ChangeStore."""
        expires_at = int((change.decided_at + KEPT).timestamp())
        item = table.key(RECORDS, change.id) | table.dump_item({**change.to_dict(), "expires_at": expires_at})
        self.client.put_item(TableName=self.table_name, Item=item)

    def load(self, change_id: str) -> Change | None:
        """See ChangeStore."""
        answer = self.client.get_item(TableName=self.table_name, Key=table.key(RECORDS, change_id), ConsistentRead=True)
        return Change.from_dict(table.load_item(answer["Item"])) if "Item" in answer else None

    def recent(self) -> list[Change]:
        """See ChangeStore."""
        items = table.query(self.client, self.table_name, pk=RECORDS, prefix="")
        return sorted((Change.from_dict(item) for item in items), key=lambda each: (each.decided_at, each.id))

    def note(self, position: Position) -> None:
        """See ChangeStore."""
        item = position.to_dict() | {"expires_at": int((position.at + KEPT).timestamp())}
        key = table.key(_shard(position.change, position.contact_id), f"{position.contact_id}#{position.enrolment_id}")
        try:
            self.client.put_item(
                TableName=self.table_name,
                Item=key | table.dump_item(item),
                ConditionExpression="attribute_not_exists(pk) OR revision < :revision",
                ExpressionAttributeValues=table.dump_item({":revision": position.revision}),
            )
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise

    def positions(self, change_id: str) -> Iterator[Position]:
        """See ChangeStore."""
        for shard in range(SHARDS):
            for item in table.query(self.client, self.table_name, pk=f"change#{change_id}#{shard}", prefix=""):
                yield Position.from_dict(item)


@translates_errors
@dataclass(frozen=True, slots=True)
class StageMachines:
    """The DeployedMachines of a stage: those whose names begin with its prefix (``waypost-dev-``) and have a version."""

    client: Any
    arn_prefix: str

    def versions(self) -> list[DeployedVersion]:
        """See DeployedMachines."""
        prefix, found = self.arn_prefix.rpartition(":")[2], []
        for page in self.client.get_paginator("list_state_machines").paginate():
            for machine in page["stateMachines"]:
                journey, version = journey_and_version(machine["name"].removeprefix(prefix))
                if machine["name"].startswith(prefix) and version:
                    found.append(DeployedVersion(journey, version, machine["creationDate"].astimezone(UTC)))
        return sorted(found, key=lambda each: (each.journey, each.made_at))

    def definition(self, journey: str, version: str) -> Mapping[str, Any]:
        """See DeployedMachines."""
        machine = self.client.describe_state_machine(stateMachineArn=self._arn(journey, version))
        definition: dict[str, Any] = json.loads(machine["definition"])
        return definition

    def delete(self, journey: str, version: str) -> None:
        """See DeployedMachines; Step Functions takes it as done when there is no such machine."""
        self.client.delete_state_machine(stateMachineArn=self._arn(journey, version))

    def _arn(self, journey: str, version: str) -> str:
        return f"{self.arn_prefix}{machine_name(journey, version)}"


def _shard(change_id: str, contact_id: str) -> str:
    """The partition of what is noted of some of the contacts of a change."""
    return f"change#{change_id}#{ids.shard_of(contact_id, SHARDS)}"
