"""What holds for a contact that says nothing else: a time zone and a language. Declared in ``statemachines/sending.yaml``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from waypost.published_sections import published_section

SECTION: Final = "defaults"


@dataclass(frozen=True, slots=True)
class Defaults:
    """The IANA zone of a contact whose own is missing or unknown, and the BCP 47 tag that every message speaks."""

    time_zone: ZoneInfo
    locale: str

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(time_zone=ZoneInfo(value["time_zone"]), locale=value["locale"])


@cache
def load_defaults() -> Defaults:
    """The defaults of this deployment, from the journeys layer."""
    return Defaults.from_dict(published_section(SECTION))
