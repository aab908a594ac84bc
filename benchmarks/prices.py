"""AWS list prices of what a journey uses, and the sum of a bill. Used by ``journey_cost``.

On-demand prices without any free tier, of ``local/forecast/prices.yaml``; correct them there when AWS does.
"""

from collections.abc import Mapping
from typing import Final

from local.forecast.price_list import Price, price_list

AS_OF: Final = price_list().as_of
REGION: Final = price_list().region

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
    "send_deferred": 4.6,
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


PRICES: Final[Mapping[str, Price]] = price_list().aws
MAILS_OF_SES: Final = price_list().providers["email"]["ses"].per_million or 0.0
"""Dollars for a million of them."""

Quantities = Mapping[str, float]
"""How much of each thing in ``PRICES`` was used."""


def dollars(quantities: Quantities) -> float:
    """What the quantities cost. Raises KeyError for something that has no price."""
    return price_list().aws_dollars(quantities)


def processor_seconds(call: str, memory_mb: int) -> float:
    """How long a warm invocation computes on the share of a core that its memory gives it."""
    return PROCESSOR_MILLISECONDS[call] / 1000 * CORE_OF_LAMBDA / min(1.0, memory_mb / CORE_MB)


def wait_seconds(service: str, operation: str) -> float:
    """How long a call is waited for."""
    return WAIT_MILLISECONDS.get(f"{service} {operation}", WAIT_MILLISECONDS[service]) / 1000
