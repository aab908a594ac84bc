"""The providers of the channels in memory."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from tests.fakes.effects import Effects
from waypost.sending.channels import Accepted, Answer, OutgoingEmail, OutgoingSms, Refused, Unclear

Outgoing = TypeVar("Outgoing", OutgoingEmail, OutgoingSms)


class _FakeProvider:
    """What mail and SMS providers have in common; ``answers`` are given first, then everything is accepted."""

    label = "provider"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.answers: list[Answer] = []
        self.calls: Counter[str] = Counter()
        self.definitely_refused: Counter[str] = Counter()
        self.during_call: Callable[[], object] | None = None

    def __contains__(self, message_key: object) -> bool:
        return message_key in self.calls

    def risky_calls(self, message_key: str) -> int:
        """How many calls may have reached somebody: all but the definitely refused ones."""
        return self.calls[message_key] - self.definitely_refused[message_key]

    def _take(self, message_key: str, keep: Callable[[], None]) -> Answer:
        def act() -> Answer:
            self.calls[message_key] += 1
            if self.during_call is not None:
                other, self.during_call = self.during_call, None
                other()
            answer = self.answers.pop(0) if self.answers else Accepted(f"{self.label}-{self.calls.total()}")
            if isinstance(answer, Refused):
                self.definitely_refused[message_key] += 1
            else:
                keep()
            return answer

        return self.effects.run(
            f"{self.label}.send",
            act,
            lambda: Unclear("ReadTimeoutError"),
            lambda: Refused("ConnectTimeoutError", temporary=True),
        )


class FakeEmail(_FakeProvider):
    """An EmailChannel."""

    label = "email"

    def __init__(self, effects: Effects | None = None) -> None:
        super().__init__(effects)
        self.sent: list[OutgoingEmail] = []

    def send(self, email: OutgoingEmail) -> Answer:
        """See EmailChannel."""
        return self._take(email.message_key, lambda: self.sent.append(email))


class FakeSms(_FakeProvider):
    """An SmsChannel."""

    label = "sms"

    def __init__(self, effects: Effects | None = None) -> None:
        super().__init__(effects)
        self.sent: list[OutgoingSms] = []

    def send(self, sms: OutgoingSms) -> Answer:
        """See SmsChannel."""
        return self._take(sms.message_key, lambda: self.sent.append(sms))
