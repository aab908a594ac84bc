"""The services and operations that the client knows: what botocore's model says of them, as far as it is needed to call them.

An operation may stand here when its answer needs no conversion but that of DynamoDB's binary values.
``tests/adapters/json_services`` checks every line against botocore's model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation's name, and the member that botocore fills with a random token so that an attempt can be repeated.

    ``path`` is where it is called: of REST JSON an own one for each operation, with nothing of the parameters in it.
    """

    name: str
    token: str = ""
    path: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service of the protocol AWS JSON 1.0 or 1.1, or of REST JSON; ``operations`` by the method's name."""

    name: str
    signing_name: str
    host: str
    """The first part of its host's name."""
    endpoint_variable: str
    """The environment's variable for another address than AWS's own."""
    operations: Mapping[str, Operation]
    target: str = ""
    """What stands before the operation's name in a header; "" for REST JSON, whose paths name operations."""
    json_version: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    slot: float = 0.05
    """Seconds within which the first repetition of a call falls that met no throttling."""

    @property
    def is_rest(self) -> bool:
        """Whether it speaks REST JSON."""
        return not self.target

    def headers_of(self, operation: Operation) -> dict[str, str]:
        """The headers by which the service knows what is called, and what the body is."""
        if self.is_rest:
            return {"content-type": "application/json", **self.headers}
        named = {"x-amz-target": f"{self.target}.{operation.name}"}
        return {"content-type": f"application/x-amz-json-{self.json_version}", **self.headers, **named}


DYNAMODB: Final = Service(
    name="dynamodb",
    signing_name="dynamodb",
    host="dynamodb",
    endpoint_variable="AWS_ENDPOINT_URL_DYNAMODB",
    target="DynamoDB_20120810",
    json_version="1.0",
    operations={
        "batch_get_item": Operation(name="BatchGetItem"),
        "batch_write_item": Operation(name="BatchWriteItem"),
        "delete_item": Operation(name="DeleteItem"),
        "get_item": Operation(name="GetItem"),
        "put_item": Operation(name="PutItem"),
        "query": Operation(name="Query"),
        "transact_write_items": Operation(name="TransactWriteItems", token="ClientRequestToken"),  # noqa: S106 - a member's name
        "update_item": Operation(name="UpdateItem"),
    },
    slot=0.025,
)

EVENTS: Final = Service(
    name="events",
    signing_name="events",
    host="events",
    endpoint_variable="AWS_ENDPOINT_URL_EVENTBRIDGE",
    target="AWSEvents",
    json_version="1.1",
    operations={"put_events": Operation(name="PutEvents")},
)

SQS: Final = Service(
    name="sqs",
    signing_name="sqs",
    host="sqs",
    endpoint_variable="AWS_ENDPOINT_URL_SQS",
    target="AmazonSQS",
    json_version="1.0",
    operations={
        "change_message_visibility": Operation(name="ChangeMessageVisibility"),
        "get_queue_url": Operation(name="GetQueueUrl"),
        "send_message": Operation(name="SendMessage"),
        "send_message_batch": Operation(name="SendMessageBatch"),
    },
    headers={"x-amzn-query-mode": "true"},
)

SES: Final = Service(
    name="sesv2",
    signing_name="ses",
    host="email",
    endpoint_variable="AWS_ENDPOINT_URL_SESV2",
    operations={
        "send_bulk_email": Operation(name="SendBulkEmail", path="/v2/email/outbound-bulk-emails"),
        "send_email": Operation(name="SendEmail", path="/v2/email/outbound-emails"),
    },
)

SMS_VOICE: Final = Service(
    name="pinpoint-sms-voice-v2",
    signing_name="sms-voice",
    host="sms-voice",
    endpoint_variable="AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2",
    target="PinpointSMSVoiceV2",
    json_version="1.0",
    operations={
        "send_rcs_message": Operation(name="SendRcsMessage"),
        "send_text_message": Operation(name="SendTextMessage"),
    },
)

SERVICES: Final[Mapping[str, Service]] = {each.name: each for each in (DYNAMODB, EVENTS, SES, SMS_VOICE, SQS)}

PAGES: Final[Mapping[str, tuple[str, str]]] = {"query": ("LastEvaluatedKey", "ExclusiveStartKey")}
"""How an operation is paged: the member of its answer that says where it stopped, and the one of the next call."""
