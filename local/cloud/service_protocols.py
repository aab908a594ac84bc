"""Says in which protocol a service answers without reading its whole definition. Used by the emulator process.

MiniStack corrects the content type of every answer by the service's definition in botocore: a second of processor time for the
dozen services of a product, when their first answers go out.
"""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

from functools import cache
from types import SimpleNamespace
from typing import Any, Final

from ministack.core import responses

PROTOCOLS: Final[dict[str, dict[str, str]]] = {
    "cloudformation": {"protocol": "query"},
    "dynamodb": {"protocol": "json", "jsonVersion": "1.0"},
    "events": {"protocol": "json", "jsonVersion": "1.1"},
    "iam": {"protocol": "query"},
    "lambda": {"protocol": "rest-json"},
    "s3": {"protocol": "rest-xml"},
    "scheduler": {"protocol": "rest-json"},
    "secretsmanager": {"protocol": "json", "jsonVersion": "1.1"},
    "sns": {"protocol": "query"},
    "sqs": {"protocol": "json", "jsonVersion": "1.0"},
    "ssm": {"protocol": "json", "jsonVersion": "1.1"},
    "states": {"protocol": "json", "jsonVersion": "1.0"},
}
"""What botocore's definitions say of the services that every rehearsal calls, by MiniStack's names."""


def know_protocols() -> None:
    """Make the answers of this process use ``PROTOCOLS``; other services are looked up as before."""
    original = responses._service_model

    @cache
    def model(service: str) -> Any:
        known = PROTOCOLS.get(service)
        return SimpleNamespace(metadata=known) if known else original(service)

    responses._service_model = model
