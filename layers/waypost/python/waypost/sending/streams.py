"""Streams: the messages of one kind on one channel, which mailbox providers and carriers judge together. Its policy: ``streams``.

What became of them is counted by ``tracking.watch_streams``, which stops a stream whose messages are complained about or bounce.
The guard ``stream_paused`` keeps the messages of a stopped stream until an operator resumes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Protocol, Self

from waypost.contacts.channels import Channel, declared_channels
from waypost.content.message import PublishedMessage
from waypost.sending.policy import Between, Setting

TAG: Final = "stream"
"""The tag by which a provider's notices name the stream of a message."""


def stream_of(channel: Channel, message: PublishedMessage) -> str:
    """``email.marketing``: the channel and the kind of the message; ``email.marketing.outlet`` where it has a sender of its brand."""
    brand = message.brand if declared_channels()[channel].branded else ""
    return f"{channel}.{message.kind}.{brand}" if brand else f"{channel}.{message.kind}"


@dataclass(frozen=True, slots=True)
class StreamState:
    """What was last decided on a stream; ``epoch`` counts its resumptions, each of which begins to count from nothing."""

    paused: bool
    epoch: Annotated[int, Between(0)] = 0
    since: str = ""
    why: str = ""


STREAMS: Final[Setting[Mapping[str, StreamState]]] = Setting(
    "streams",
    form=dict[str, StreamState],
    default={},
    load=lambda value: {name: StreamState(**each) for name, each in value.items()},
)


@dataclass(frozen=True, slots=True)
class Shares:
    """Per cent of the messages of a stream at which its leads are warned and at which it stops."""

    warn: float
    stop: float

    def __post_init__(self) -> None:
        if not 0 < self.warn <= self.stop <= 100:
            raise ValueError(f"should be per cent, warn no more than stop, not {self.warn} and {self.stop}")


@dataclass(frozen=True, slots=True)
class Deliverability:
    """Judges a stream by the last ``hours`` once it had ``least`` messages in them.

    Source of the shares of complaints: Google's sender guidelines (below 0.1 %, never 0.3 %), support.google.com/a/answer/81126.
    """

    complaints: Shares = Shares(warn=0.1, stop=0.3)
    hard_bounces: Shares = Shares(warn=2, stop=5)
    least: Annotated[int, Between(1)] = 1_000
    hours: Annotated[int, Between(1, 24 * 7)] = 24

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        complaints, hard_bounces = Shares(**value["complaints"]), Shares(**value["hard_bounces"])
        return cls(complaints, hard_bounces, value["least"], value["hours"])


DELIVERABILITY: Final[Setting[Deliverability]] = Setting(
    "deliverability", form=Deliverability, default=Deliverability(), load=Deliverability.load
)

Health = Literal["good", "warn", "stop"]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages of a stream have had a final word, and how many of these hard-bounced or were complained about."""

    sent: int = 0
    hard_bounces: int = 0
    complaints: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.sent + other.sent, self.hard_bounces + other.hard_bounces, self.complaints + other.complaints)

    @property
    def has_bad(self) -> bool:
        """Whether anything in it speaks against the stream."""
        return bool(self.hard_bounces or self.complaints)

    def judged_by(self, limits: Deliverability) -> tuple[Health, str]:
        """How the stream does, and the share that says so (``0.34 % complaints of 1,500``); "" while it does well."""
        if self.sent < limits.least:
            return "good", ""
        worst: tuple[Health, str] = ("good", "")
        for count, name, shares in (
            (self.complaints, "complaints", limits.complaints),
            (self.hard_bounces, "hard bounces", limits.hard_bounces),
        ):
            share = 100 * count / self.sent
            rate = f"{share:.2f} % {name} of {self.sent:,}"
            if share >= shares.stop:
                return "stop", rate
            if share >= shares.warn and worst[0] == "good":
                worst = ("warn", rate)
        return worst


class StreamTallies(Protocol):
    """Counts for all processes, by stream, epoch and hour."""

    def add(self, stream: str, epoch: int, tally: Tally, *, at: datetime) -> None:
        """Count more, in the hour of ``at``."""
        ...

    def since(self, stream: str, epoch: int, start: datetime) -> Tally:
        """Everything since the hour of ``start``, read consistently."""
        ...
