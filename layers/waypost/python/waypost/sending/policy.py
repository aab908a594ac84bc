"""How and when messages may go out, as declared in ``statemachines/sending.yaml``. Used by the guards and the sender."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
class Hours:
    """A number of hours in the policy, by its name, and its bounds."""

    name: str
    least: int
    most: int


SEND_WITHIN_HOURS: Final = Hours("send_within_hours", 1, 24 * 30)
"""The one setting that is the sender's own."""


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A section of the sending policy that belongs to one guard, which declares it beside its rule.

    ``form`` is its type: dataclasses, mappings, ``X | None``, times of the day, text, and numbers with ``Between``. The
    authoring side checks the file by it; a dataclass refuses what its fields cannot say by a ValueError, and
    ``metadata={"authored": name}`` names a field as authors write it. ``load`` is the way back from the published form.
    One that is ``operated`` is changed by an operation of its own, and neither by the file nor by the operation change-policy.
    """

    name: str
    form: Any
    default: T
    load: Callable[[Any], T]
    operated: bool = False


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """How and when messages may go out; ``sections`` holds the settings of the guards in their published form.

    ``version`` is the same for the same content, and another for any other.
    """

    send_within_hours: int
    sections: Mapping[str, Any]
    version: str = ""

    _loaded: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        sections = {name: each for name, each in value.items() if name != SEND_WITHIN_HOURS.name}
        canonical = json.dumps(value, sort_keys=True, ensure_ascii=False)
        version = ids.digest("sending", canonical, length=8)
        return cls(send_within_hours=value[SEND_WITHIN_HOURS.name], sections=sections, version=version)

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """This policy with whole sections replaced, in their published form."""
        return self.from_dict({**self.sections, SEND_WITHIN_HOURS.name: self.send_within_hours, **changes})

    def of(self, setting: Setting[T]) -> T:
        """What was declared for this setting, or its default."""
        if setting.name not in self.sections:
            return setting.default
        if setting.name not in self._loaded:
            self._loaded[setting.name] = setting.load(self.sections[setting.name])
        loaded: T = self._loaded[setting.name]
        return loaded


@cache
def load_sending_policy() -> SendingPolicy:
    """The policy of this deployment, from the journeys layer."""
    return SendingPolicy.from_dict(published_section(SECTION))
