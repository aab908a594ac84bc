"""The secrets of channels, by which callbacks of their providers are checked. Used by the receiver of callbacks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from waypost.aws.secrets import SecretsManagerSecret
from waypost.contacts.channels import Channel


@dataclass(frozen=True, slots=True)
class ChannelSecrets:
    """``ids`` are the secrets' ids by channel, ``client`` is boto3's for ``secretsmanager``; each secret is kept as one."""

    client: Any
    ids: Mapping[Channel, str]
    _known: dict[Channel, SecretsManagerSecret] = field(default_factory=dict)

    def of(self, channel: str) -> SecretsManagerSecret | None:
        """The secret of a channel; None where it has none in this stage."""
        name = Channel(channel)
        if name not in self.ids:
            return None
        return self._known.setdefault(name, SecretsManagerSecret(self.client, self.ids[name]))
