"""Plays the systems that journeys call. Mounted by the providers' server; scenarios say what each answers."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from waypost.channels.fake_contract import HttpAnswer, HttpRequest


@dataclass(frozen=True, slots=True)
class CalledAnswer:
    """What a system answers."""

    status: int = 200
    body: Mapping[str, Any] = field(default_factory=dict)


class CalledSystems:
    """Answers by system and contact: one answer after the other, the last for ever; 200 and {} where none was given.

    The same ``webhook-id`` gets the same answer again, as a receiver of Standard Webhooks gives it, but for a refusal that asks to come again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str], list[CalledAnswer]] = {}
        self._given: dict[str, HttpAnswer] = {}

    def expect(self, system: str, contact_id: str, answers: Sequence[CalledAnswer]) -> None:
        """Answer this contact's calls so."""
        with self._lock:
            self._answers[system, contact_id] = list(answers)

    def forget(self) -> None:
        """Answer nobody in particular."""
        with self._lock:
            self._answers.clear()
            self._given.clear()

    def answer(self, system: str, request: HttpRequest) -> HttpAnswer:
        """The answer to a call."""
        data = request.json().get("data", {})
        webhook_id = request.headers.get("webhook-id", "")
        with self._lock:
            if webhook_id in self._given:
                return self._given[webhook_id]
            left = self._answers.get((system, str(data.get("contact_id", ""))), [])
            chosen = (left.pop(0) if len(left) > 1 else left[0]) if left else CalledAnswer()
            found = HttpAnswer(status=chosen.status, content=dict(chosen.body))
            if chosen.status < 500 and chosen.status != 429:
                self._given[webhook_id] = found
            return found
