"""AWS list prices of what a journey uses, and the sum of a bill. Used by ``journey_cost``.

On-demand prices of us-east-1 without any free tier, as published in ``AS_OF``; correct them here when AWS does.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

AS_OF: Final = "2026-11"
REGION: Final = "us-east-1"

PROCESSOR_MILLISECONDS: Final[Mapping[str, float]] = {
    "archive_events": 10,
    "close_enrolment": 1.5,
    "evaluate_segment": 2,
    "issue_coupon": 2,
    "follow_link": 3,
    "pause_journey": 1.9,
    "pause_journey as a hop begins": 0.7,
    "receive_callback": 3,
    "receive_webhook": 3,
    "record_delivery": 10,
    "resume_journey": 1.5,
    "route_events": 4.2,
    "send_message": 4.6,
    "serve_inbox": 3,
    "serve_page": 3,
    "unsubscribe_contact": 3,
    "update_contact": 2,
}
"""Processor time of a warm invocation (of ``resume_journey``: for each contact) on one core, rounded up to a tenth.

Measured by ``call_time``: sending, routing, taking a hop, parking, closing. The others are set by these: their calls are no more.
"""

CORE_OF_LAMBDA: Final = 1.5
"""How much longer Lambda's arm64 core is taken to need than the one of the measurement."""
CORE_MB: Final = 1769
"""Memory at which a function has one core; less has its share of it.
Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

PROVIDER_MILLISECONDS: Final = 80
"""Waiting for the provider of a message, an assumption; no proxy stands in front of providers, so every send has it."""
WAIT_MILLISECONDS: Final[Mapping[str, int]] = {
    "dynamodb": 5,
    "dynamodb TransactWriteItems": 10,
    "eventbridge": 10,
    "scheduler": 30,
    "secretsmanager": 30,
    "sfn": 20,
    "sqs": 10,
}
"""Waiting for the answer of a call, by service or by its operation: assumptions.
DynamoDB promises "single-digit millisecond" (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Introduction.html)."""


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million of ``what``; ``source`` is where AWS publishes it."""

    what: str
    per_million: float
    source: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


PRICES: Final[Mapping[str, Price]] = {
    "machine_requests": Price("requests of express workflows", 1.0, "https://aws.amazon.com/step-functions/pricing/"),
    "machine_gb_seconds": Price(
        "GB-seconds of express workflows", 16.67, "https://aws.amazon.com/step-functions/pricing/"
    ),
    "write_units": Price("write request units on demand", 0.625, "https://aws.amazon.com/dynamodb/pricing/on-demand/"),
    "read_units": Price("read request units on demand", 0.125, "https://aws.amazon.com/dynamodb/pricing/on-demand/"),
    "function_requests": Price("Lambda requests", 0.20, "https://aws.amazon.com/lambda/pricing/"),
    "schedules_fired": Price("Scheduler invocations", 1.00, "https://aws.amazon.com/eventbridge/pricing/"),
    "bus_events": Price("custom events of EventBridge", 1.00, "https://aws.amazon.com/eventbridge/pricing/"),
    "queue_requests": Price("requests of SQS FIFO queues", 0.50, "https://aws.amazon.com/sqs/pricing/"),
    "standard_queue_requests": Price("requests of other SQS queues", 0.40, "https://aws.amazon.com/sqs/pricing/"),
    "log_bytes": Price("bytes that Lambda logs", 0.0005, "https://aws.amazon.com/cloudwatch/pricing/"),
    "function_gb_seconds": Price("Lambda GB-seconds on arm64", 13.3334, "https://aws.amazon.com/lambda/pricing/"),
    "traces": Price("traces that X-Ray records", 5.00, "https://aws.amazon.com/xray/pricing/"),
    "puts": Price("PUT requests of S3", 5.00, "https://aws.amazon.com/s3/pricing/"),
    "api_requests": Price("requests of an HTTP API", 1.00, "https://aws.amazon.com/api-gateway/pricing/"),
}
EMAILS: Final = Price("mails of SES", 100.0, "https://aws.amazon.com/ses/pricing/")

Quantities = Mapping[str, float]
"""How much of each thing in ``PRICES`` was used."""


def dollars(quantities: Quantities) -> float:
    """What the quantities cost. Raises KeyError for something that has no price."""
    return sum(PRICES[name].per_million * amount / 1e6 for name, amount in quantities.items())


def processor_seconds(call: str, memory_mb: int) -> float:
    """How long a warm invocation computes on the share of a core that its memory gives it."""
    return PROCESSOR_MILLISECONDS[call] / 1000 * CORE_OF_LAMBDA / min(1.0, memory_mb / CORE_MB)


def wait_seconds(service: str, operation: str) -> float:
    """How long a call is waited for."""
    return WAIT_MILLISECONDS.get(f"{service} {operation}", WAIT_MILLISECONDS[service]) / 1000
