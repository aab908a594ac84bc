"""How and when messages may go out, as declared in ``statemachines/sending.yaml``. Used by the guards and the sender."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from functools import cache
from typing import Any, Final, Self

from waypost.contacts.channels import Channel
from waypost.published_sections import published_section

SECTION: Final = "sending"


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """At most ``count`` marketing messages in any ``hours``."""

    count: int
    hours: int


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """How and when messages may go out. A window is its first local time and the first one after it."""

    windows: Mapping[Channel, tuple[time, time]]
    frequency_cap: FrequencyCap | None
    send_within_hours: int

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        cap = value["frequency_cap"]
        return cls(
            windows={
                channel: (time.fromisoformat(start), time.fromisoformat(end))
                for channel, (start, end) in value["windows"].items()
            },
            frequency_cap=None if cap is None else FrequencyCap(**cap),
            send_within_hours=value["send_within_hours"],
        )


@cache
def load_sending_policy() -> SendingPolicy:
    """The policy of this deployment, from the journeys layer."""
    return SendingPolicy.from_dict(published_section(SECTION))
