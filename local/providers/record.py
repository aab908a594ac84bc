"""What the functions sent to the providers, and what is to go wrong. Kept by the providers' server, read by tests and tools."""

import json
import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, Self

from waypost.channels.fake_contract import REFUSAL_KINDS, RefusalKind, SentContent, SentMessage
from waypost.clock import Clock, format_instant, parse_instant
from waypost.contacts.channels import Channel

FaultKind = RefusalKind | Literal["stall", "drop"]
FAULT_KINDS: Final[tuple[FaultKind, ...]] = (*REFUSAL_KINDS, "stall", "drop")


@dataclass(slots=True, kw_only=True)
class Fault:
    """What goes wrong with the next ``times`` calls that match.

    The kinds of refusal are those of the channel's fake. ``stall``: the message is accepted, the answer comes ``seconds``
    later. ``drop``: the connection ends without an answer, nothing is accepted. An empty ``channel`` or ``message_key``
    matches every call.
    """

    kind: FaultKind
    times: int = 1
    channel: Channel | None = None
    message_key: str = ""
    seconds: float = 30.0

    def matches(self, channel: Channel, message_key: str) -> bool:
        """Whether this fault is for such a call."""
        return self.channel in {None, channel} and self.message_key in {"", message_key} and self.times > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a function to a ``provider`` of a channel. ``outcome`` is ``accepted`` or the kind of fault.

    ``at`` is the time of the clock in force, ``request`` the raw content of the call. ``stalled`` says that the answer to an accepted call was held back.
    """

    number: int
    channel: Channel
    message_key: str
    recipient: str
    at: datetime
    outcome: Literal["accepted", "drop"] | RefusalKind
    content: SentContent
    message_id: str = ""
    stalled: bool = False
    provider: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> SentMessage:
        """The message, for the fake that reports what became of it."""
        return SentMessage(recipient=self.recipient, tags=self.tags, content=self.content, request=self.request)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without the raw request."""
        return {
            **{name: value for name, value in asdict(self).items() if name != "request"},
            "at": format_instant(self.at),
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        return cls(**{**value, "at": parse_instant(value["at"]), "content": SentContent(**value["content"])})


class Record:
    """The calls so far and the faults to come, shared by the server's threads.

    With ``kept_in`` every call is also a line of that file, and the calls in it already are part of the record.
    """

    def __init__(self, clock: Clock, *, kept_in: Path | None = None) -> None:
        self.clock = clock
        self._kept_in = kept_in
        lines = kept_in.read_text(encoding="utf-8").splitlines() if kept_in and kept_in.exists() else []
        self._calls = [Call.from_dict(json.loads(line)) for line in lines]
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    @property
    def calls(self) -> list[Call]:
        """Every call so far, in the order of arrival."""
        with self._lock:
            return list(self._calls)

    @property
    def accepted(self) -> list[Call]:
        """The calls that made a message go out."""
        return [call for call in self.calls if call.outcome == "accepted"]

    def calls_per_key(self) -> Counter[str]:
        """Message key → how many calls reached the provider with it, whatever became of them."""
        return Counter(call.message_key for call in self.calls)

    def accepted_per_key(self) -> Counter[str]:
        """Message key → how many times a message went out under it; never more than one."""
        return Counter(call.message_key for call in self.accepted)

    def fail(self, fault: Fault) -> None:
        """Plan a fault; faults are used up in the order they were planned."""
        with self._lock:
            self._faults.append(fault)

    def faults(self) -> list[Fault]:
        """What is still planned."""
        with self._lock:
            return [fault for fault in self._faults if fault.times > 0]

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()

    def forget(self) -> None:
        """Begin with an empty record and no faults."""
        with self._lock:
            self._calls.clear()
            self._faults.clear()
            if self._kept_in:
                self._kept_in.write_text("", encoding="utf-8")

    def take_fault(self, channel: Channel, message_key: str) -> Fault | None:
        """The planned fault for this call, used up by one."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(channel, message_key):
                    fault.times -= 1
                    return fault
        return None

    def record(self, **values: Any) -> Call:
        """Keep a call."""
        with self._lock:
            call = Call(number=len(self._calls) + 1, at=self.clock(), **values)
            self._calls.append(call)
            if self._kept_in:
                with self._kept_in.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(call.to_dict(), ensure_ascii=False) + "\n")
        return call
