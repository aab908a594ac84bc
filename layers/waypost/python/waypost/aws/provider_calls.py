"""What providers of channels use: AWS services with one attempt per call and failures as values, and their secrets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
)

from waypost.aws.clients import client, provider_client
from waypost.aws.secrets import SecretsManagerSecret
from waypost.channels.calls import ErrorAnswer, FailedCall, NeverSent, NoAnswer
from waypost.channels.contract import ProviderPorts
from waypost.clock import clock
from waypost.settings import Settings

if TYPE_CHECKING:
    from waypost.aws.access_tokens import DynamoAccessTokens
    from waypost.aws.inbox import DynamoInboxWriter
    from waypost.http.poster import PinnedPoster

_NEVER_OPENED: Final = (ConnectTimeoutError, EndpointConnectionError)


@dataclass(frozen=True, slots=True)
class SendingService:
    """An AwsService on a client that makes one attempt per call."""

    client: Any

    def call(self, operation: Callable[[Any], Mapping[str, Any]]) -> Mapping[str, Any] | FailedCall:
        """See AwsService."""
        try:
            return operation(self.client)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            described = error.response.get("Error", {})
            reason, message = str(error.response.get("Reason", "")), str(described.get("Message", ""))
            return ErrorAnswer(status, described.get("Code", ""), reason, message)
        except _NEVER_OPENED as error:
            return NeverSent(type(error).__name__, temporary=True)
        except ParamValidationError as error:
            return NeverSent(type(error).__name__, temporary=False)
        except BotoCoreError as error:
            return NoAnswer(type(error).__name__)


def provider_ports(settings: Settings) -> ProviderPorts:
    """The ports of every provider of this process."""
    return ProviderPorts(
        aws=lambda service: SendingService(provider_client(service)),
        secret=lambda secret_id: SecretsManagerSecret(client("secretsmanager"), secret_id),
        poster=lambda: _poster(settings),
        clock=clock(),
        tokens=lambda: _tokens(settings),
        inbox=lambda address: _inbox(settings, address),
    )


def _poster(settings: Settings) -> "PinnedPoster":
    from waypost.http.poster import PinnedPoster  # noqa: PLC0415 - only some providers need it

    return PinnedPoster(loopback=bool(settings.loopback_receivers))


def _tokens(settings: Settings) -> "DynamoAccessTokens":
    from waypost.aws.access_tokens import DynamoAccessTokens  # noqa: PLC0415 - only some providers need them

    return DynamoAccessTokens(client("dynamodb"), settings.contacts_table)


def _inbox(settings: Settings, address: str) -> "DynamoInboxWriter":
    from waypost.aws.inbox import DynamoInboxWriter  # noqa: PLC0415 - only one channel needs it

    return DynamoInboxWriter(SendingService(provider_client("dynamodb", address)), settings.contacts_table)
