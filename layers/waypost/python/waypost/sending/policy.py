"""How and when messages may go out, as declared in ``statemachines/sending.yaml``. Used by the guards and the sender."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Generic, Self, TypeVar

from waypost import ids
from waypost.published_sections import published_section

SECTION: Final = "sending"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Between:
    """Marks a number of a setting that has bounds, in ``Annotated``; the bounds are inside."""

    least: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A section of the sending policy that belongs to one guard, which declares it beside its rule.

    ``form`` is its type: dataclasses, mappings, ``X | None``, times of the day, text, and numbers with ``Between``. The
    authoring side checks the file by it; a dataclass refuses what its fields cannot say by a ValueError, and
    ``metadata={"authored": name}`` names a field as authors write it. ``load`` is the way back from the published form.
    """

    name: str
    form: Any
    default: T
    load: Callable[[Any], T]


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """How and when messages may go out; ``sections`` holds the settings of the guards in their published form.

    ``version`` is the same for the same content, and another for any other.
    """

    send_within_hours: int
    sections: Mapping[str, Any]
    version: str = ""

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        sections = {name: each for name, each in value.items() if name != "send_within_hours"}
        canonical = json.dumps(value, sort_keys=True, ensure_ascii=False)
        version = ids.digest("sending", canonical, length=8)
        return cls(send_within_hours=value["send_within_hours"], sections=sections, version=version)

    def of(self, setting: Setting[T]) -> T:
        """What was declared for this setting, or its default."""
        return setting.load(self.sections[setting.name]) if setting.name in self.sections else setting.default


@cache
def load_sending_policy() -> SendingPolicy:
    """The policy of this deployment, from the journeys layer."""
    return SendingPolicy.from_dict(published_section(SECTION))
