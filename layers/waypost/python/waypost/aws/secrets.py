"""A secret in Secrets Manager, kept for five minutes. Used by the receivers, the unsubscribe page and the sender."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from waypost.aws.translation import translates_errors
from waypost.clock import real_now
from waypost.errors import TemporarilyUnavailable

KEPT_FOR: Final = timedelta(minutes=5)
KEPT_AT_LEAST: Final = timedelta(seconds=30)

_log: Final = logging.getLogger(__name__)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@translates_errors
@dataclass(slots=True)
class SecretsManagerSecret:
    """A SecretStore on one secret; ``client`` is boto3's for ``secretsmanager``.

    While Secrets Manager fails, or the secret is no JSON object, the last good value stays in use, and the secret is asked
    for again after half a minute. Raises TemporarilyUnavailable or ServiceRefused only while there was no good one yet.

    A stranger with a wrong key makes us ask again at most every 30 seconds, so that failed calls cannot run up the bill.
    """

    client: Any
    secret_id: str
    clock: Callable[[], datetime] = real_now
    _value: Mapping[str, Any] | None = field(default=None, init=False, repr=False)
    _read_at: datetime = field(default=_NEVER, init=False)
    _failed_at: datetime = field(default=_NEVER, init=False)

    def read(self) -> Mapping[str, Any]:
        """See SecretStore."""
        return self._at_most(KEPT_FOR)

    def read_again(self) -> Mapping[str, Any]:
        """See SecretStore."""
        return self._at_most(KEPT_AT_LEAST)

    def _at_most(self, age: timedelta) -> Mapping[str, Any]:
        now = self.clock()
        if self._value is not None and (now - self._read_at < age or now - self._failed_at < KEPT_AT_LEAST):
            return self._value
        try:
            self._value = _parsed(self.client.get_secret_value(SecretId=self.secret_id))
            self._read_at = now
        except (ClientError, BotoCoreError, TemporarilyUnavailable) as error:
            if self._value is None:
                raise
            self._failed_at = self.clock()  # a call that stalls takes most of the half minute itself
            _log.warning("the last good value of a secret stays in use: %s", type(error).__name__)
        return self._value


def _parsed(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if "SecretString" not in answer:  # stored as bytes
        raise TemporarilyUnavailable("the secret should be text")
    try:
        value = json.loads(answer["SecretString"])
    except ValueError as error:
        raise TemporarilyUnavailable("the secret should be JSON") from error
    if not isinstance(value, dict):
        raise TemporarilyUnavailable("the secret should be a JSON object")
    return value
