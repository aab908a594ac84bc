"""The provider of a channel, without HTTP."""

from collections import Counter
from collections.abc import Callable
from typing import Any, assert_never

from tests.fakes.effects import Effects
from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.contract import Outgoing, Provider


class FakeProvider(Provider[Any]):
    """The provider of a channel; ``answers`` are given first, then what ``real`` says, or else everything is accepted."""

    def __init__(self, label: str, effects: Effects | None = None) -> None:
        self.label = label
        self.effects = effects or Effects()
        self.answers: list[Answer] = []
        self.sent: list[Outgoing[Any]] = []
        self.calls: Counter[str] = Counter()
        self.definitely_refused: Counter[str] = Counter()
        self.real: Provider[Any] | None = None
        self.during_call: Callable[[], object] | None = None

    def __contains__(self, message_key: object) -> bool:
        return message_key in self.calls

    def risky_calls(self, message_key: str) -> int:
        """How many calls may have delivered the message: all but the definitely refused ones."""
        return self.calls[message_key] - self.definitely_refused[message_key]

    def send(self, outgoing: Outgoing[Any]) -> Answer:
        """See Provider."""

        def act() -> Answer:
            self.calls[outgoing.message_key] += 1
            if self.during_call is not None:
                other, self.during_call = self.during_call, None
                other()
            answer = self.answers.pop(0) if self.answers else self._usual(outgoing)
            match answer:
                case RefusedForNow() | RefusedMessage() | AddressGone() | RefusedUs():
                    self.definitely_refused[outgoing.message_key] += 1
                case Accepted() | Unclear():
                    self.sent.append(outgoing)
                case _:
                    assert_never(answer)
            return answer

        return self.effects.run(
            f"{self.label}.send",
            act,
            lambda: Unclear("ReadTimeoutError"),
            lambda: RefusedForNow("ConnectTimeoutError"),
        )

    def _usual(self, outgoing: Outgoing[Any]) -> Answer:
        return self.real.send(outgoing) if self.real else Accepted(f"{self.label}-{self.calls.total()}")
