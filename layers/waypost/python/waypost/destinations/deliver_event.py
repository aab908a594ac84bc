"""One attempt to tell one destination of one event. Called by deliver_event, as often as it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from waypost.clock import real_now
from waypost.contacts.ports import ContactStore
from waypost.destinations import payload, retrying
from waypost.destinations.declared import Destination
from waypost.destinations.ports import DestinationSecrets, DestinationStates
from waypost.errors import InvalidInput
from waypost.events.envelope import Event
from waypost.events.secret_keys import read_keys
from waypost.http import ports as http
from waypost.http import webhook_signing

GONE: Final = 410
USER_AGENT: Final = "Waypost-Webhooks/1.0"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took it."""

    status: int


@dataclass(frozen=True, slots=True)
class NotWanted:
    """The destination's rule does not select this event."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """It was not taken, and will be tried again after ``pause``."""

    reason: str
    pause: timedelta


@dataclass(frozen=True, slots=True)
class GivenUp:
    """It will not be tried again; ``reason`` goes into the dead letters with it."""

    reason: str


Outcome = Delivered | NotWanted | TryAgain | GivenUp


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverEvent:
    """Delivers at least once: a receiver that answered too late gets the same ``webhook-id`` again."""

    destinations: Mapping[str, Destination]
    contacts: ContactStore
    secrets: DestinationSecrets
    states: DestinationStates
    poster: http.Poster
    real_clock: Callable[[], datetime] = real_now

    def deliver(self, name: str, detail: Mapping[str, Any], *, attempt: int) -> Outcome:
        """The outcome of this attempt (1: the first) to tell ``name`` of what came over the bus.

        Raises RetryableError when our own stores cannot be reached, and InvalidInput for what is no event of ours.
        """
        destination = self.destinations.get(name)
        if destination is None:
            return GivenUp(f"{name} is declared no more")
        event, contact_id = _event(detail)
        if not destination.wants()(event):
            return NotWanted()
        secret = self.secrets.read(name)
        url = str(secret.get("url") or destination.url)
        if self.states.disabled_since(name, url) is not None:
            return GivenUp(f"{name} answered 410 Gone before; nothing is posted until it is enabled again")
        contact = self.contacts.load(contact_id) if destination.asks_for_attributes else None
        body = payload.body(destination, event, contact_id, contact)
        webhook_id = payload.webhook_id(destination, event, contact_id)
        signed = webhook_signing.headers(webhook_id, body, _keys(secret, name), now=self.real_clock())
        headers = {"content-type": "application/json", "user-agent": USER_AGENT, **signed}
        answer = self.poster.post(url, body, headers, timeout=destination.timeout, answer_limit=0)
        return self._judged(destination, url, webhook_id, answer, attempt)

    def _judged(
        self, destination: Destination, url: str, webhook_id: str, answer: http.Outcome, attempt: int
    ) -> Outcome:
        match answer:
            case http.Answer(status=status) if 200 <= status < 300:
                return Delivered(status)
            case http.Answer(status=status) if status == GONE:
                self.states.disable(destination.name, url, at=self.real_clock())
                return GivenUp("answered 410 Gone; the destination is disabled")
            case http.Answer(status=status, retry_after=retry_after):
                reason = f"answered {status}"
            case http.NotSent(reason=reason) | http.NoAnswer(reason=reason):
                retry_after = None
            case http.Forbidden(reason=reason):
                return GivenUp(reason)
            case _:
                assert_never(answer)
        pause = retrying.pause_after(attempt, webhook_id, retry_after=retry_after)
        return GivenUp(f"{reason}, at attempt {attempt}, the last") if pause is None else TryAgain(reason, pause)


def _event(detail: Mapping[str, Any]) -> tuple[Event, str]:
    """The event and the id of its contact. Raises InvalidInput that names the field."""
    if not isinstance(contact_id := detail.get("contact_id"), str):
        raise InvalidInput("contact_id", "is missing")
    return Event.from_dict(detail), contact_id


def _keys(secret: Mapping[str, Any], name: str) -> list[str]:
    """The signing keys that are some; one that is none does not stop the others."""
    found = read_keys(secret.get("signing_keys"), "signing_keys", webhook_signing.secret_problem).usable
    if not found:
        raise InvalidInput(f"secret of {name}", 'should be {"signing_keys": ["whsec_…"]}, of at least 24 bytes')
    return list(found)
