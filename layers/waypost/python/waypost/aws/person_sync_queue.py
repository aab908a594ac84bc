"""The queue of the people about whom providers are asked. Filled by the router, read by sync_person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from waypost.aws.queue import send_all
from waypost.aws.translation import translates_errors
from waypost.contacts.channels import Address
from waypost.tracking.sync_person import request_about


@translates_errors
@dataclass(frozen=True, slots=True)
class SqsSyncQueue:
    """A SyncQueue on an SQS queue; ``client`` is boto3's for ``sqs``."""

    client: Any
    url: str

    def put(self, people: Sequence[Address]) -> None:
        """See SyncQueue."""
        send_all(self.client, self.url, [{"MessageBody": request_about(each)} for each in people])
