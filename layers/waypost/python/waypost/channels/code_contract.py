"""How a channel makes codes that people scan: ``connect(settings, ports)`` of ``channels/<name>/qr_codes.py``. Used by make_codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class MadeCode:
    """A code: ``url`` is what it holds ("" where the provider gives its picture alone), ``picture`` the address of its picture.

    Without ``expires_at`` it is good for ever. ``provider_id`` is how the provider calls a code that can be changed.
    """

    url: str
    picture: str
    expires_at: datetime | None = None
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class FormerCode:
    """The code that a scene has so far, made as ``given`` then."""

    given: Mapping[str, Any]
    picture: str
    provider_id: str


@dataclass(frozen=True, slots=True)
class NoCode:
    """Why there is none; ``later`` when the provider may make it by and by."""

    reason: str
    later: bool = False


class CodeMaker(Protocol):
    """Makes the codes of one channel."""

    def make(self, scene: str, given: Mapping[str, Any], former: FormerCode | None = None) -> MadeCode | NoCode:
        """The code with this parameter, as ``given`` for the channel in ``scenes.yaml``. The same again does no harm.

        A ``former`` code is changed instead where the provider can do that, so that what is printed stays good.
        """
        ...
