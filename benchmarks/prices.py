"""AWS list prices of what a journey uses, and the sum of a bill. Used by ``journey_cost``.

On-demand prices of us-east-1 without any free tier, as published in ``AS_OF``; correct them here when AWS does.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

AS_OF: Final = "2026-11"
REGION: Final = "us-east-1"

MEMORY_GB: Final = 0.5
"""Of every function that a journey calls (``function.yaml`` where it says nothing else)."""

ASSUMED_MILLISECONDS: Final[Mapping[str, int]] = {
    "archive_events": 60,
    "close_enrolment": 60,
    "evaluate_segment": 30,
    "pause_journey": 60,
    "receive_webhook": 40,
    "record_delivery": 30,
    "resume_journey": 50,
    "route_events": 80,
    "send_message": 150,
    "unsubscribe_contact": 30,
    "update_contact": 30,
}
"""Billed time of a warm invocation: an assumption (a few calls of 5 to 10 ms each, 80 ms for a provider), not measured.

A laptop or a build machine is not Lambda, so the durations of a benchmark run would be no better."""


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


def gb_seconds(invocations: Mapping[str, float]) -> float:
    """The memory time of these invocations, at the assumed durations."""
    return sum(MEMORY_GB * ASSUMED_MILLISECONDS[name] / 1000 * count for name, count in invocations.items())
