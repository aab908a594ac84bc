"""What a rehearsal tells while it runs: where virtual time is, how many contacts are through, what is worked off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from local.cloud.time_travel import Work


class Progress(Protocol):
    """Receives the progress of a rehearsal."""

    def arrived(self, instant: datetime) -> None:
        """Virtual time has moved."""

    def contacts(self, through: int, *, of: int) -> None:
        """So many contacts have nothing to come any more."""

    def working(self, work: Work) -> None:
        """Something is worked off before time moves on."""

    def compared(self, number: int, *, of: int) -> None:
        """So many contacts have been compared with what was expected of them."""


class Unseen:
    """A Progress that shows nothing."""

    def arrived(self, instant: datetime) -> None:
        """See Progress."""

    def contacts(self, through: int, *, of: int) -> None:
        """See Progress."""

    def working(self, work: Work) -> None:
        """See Progress."""

    def compared(self, number: int, *, of: int) -> None:
        """See Progress."""


UNSEEN = Unseen()
