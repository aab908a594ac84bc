"""API Gateway: what MiniStack's does differently. Applied by ``install``."""

from collections.abc import Mapping
from typing import Any

from ministack.services import apigateway

from local.cloud.ministack_corrections.replacing import Function, replace


def correct() -> None:
    """Apply the corrections of this service."""
    _read_cors_of_templates()


def _read_cors_of_templates() -> None:
    """A template spells the fields of CORS in capitals; MiniStack keeps them so and then refuses every browser."""

    def wrap(original: Function) -> Function:
        def answer(configuration: Mapping[str, Any], origin: str) -> Any:
            return original({name[:1].lower() + name[1:]: value for name, value in configuration.items()}, origin)

        return answer

    for name in ("_cors_response_headers", "_cors_preflight_response"):
        replace(apigateway, name, wrap)
