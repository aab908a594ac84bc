"""A SecretStore in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class FakeSecret:
    """A SecretStore whose ``newer`` value is found by those who ask again."""

    value: Mapping[str, Any]
    newer: Mapping[str, Any] | None = None

    def read(self) -> Mapping[str, Any]:
        return self.value

    def read_again(self) -> Mapping[str, Any]:
        return self.value if self.newer is None else self.newer
