"""The secrets of channels, by which callbacks of their providers are checked. Used by the receiver of callbacks."""

from dataclasses import dataclass, field
from typing import Any

from waypost.aws.secrets import SecretsManagerSecret


@dataclass(frozen=True, slots=True)
class ChannelSecrets:
    """``ids`` are the secrets' ids by channel, ``client`` is boto3's for ``secretsmanager``; each secret is kept as one."""

    client: Any
    ids: dict[str, str]
    _known: dict[str, SecretsManagerSecret] = field(default_factory=dict)

    def of(self, channel: str) -> SecretsManagerSecret | None:
        """The secret of a channel; None where it has none in this stage."""
        if channel not in self.ids:
            return None
        return self._known.setdefault(channel, SecretsManagerSecret(self.client, self.ids[channel]))
