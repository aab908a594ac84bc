"""The members of staff as another system has them: what is asked of it. Implemented by channels, used by sync_staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideMember:
    """One member; ``userid`` and that of the ``manager`` are the other system's."""

    userid: str
    name: str
    department: str = ""
    manager: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideCustomer:
    """Somebody whom a member serves: their external_userid, since when, and the parameter of the code that they came by."""

    address: str
    since: datetime
    state: str = ""


@dataclass(frozen=True, slots=True)
class NoList:
    """Why there is no list; ``later`` when there may be one by and by."""

    reason: str
    later: bool = False


class StaffSource(Protocol):
    """The other system. Never raises for what it or the network does."""

    def members(self) -> Sequence[OutsideMember] | NoList:
        """Everybody who works there, whole or not at all."""
        ...

    def customers(self, userid: str) -> Sequence[OutsideCustomer] | NoList:
        """Everybody whom this member serves, whole or not at all."""
        ...
