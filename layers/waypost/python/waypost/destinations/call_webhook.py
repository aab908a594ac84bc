"""Call a system of the company's own from a journey, and use its answer. Called by call_webhook, for Call tasks of journeys.

The call is a Standard Webhook as those of destinations are: signed with the destination's keys, to public addresses alone, no redirect
followed. It is made at least once: every attempt, and every repetition of the step, has the same ``webhook-id``, by which a receiver
takes it once and answers the same again.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, assert_never

from waypost import ids
from waypost.clock import Clock, format_instant, real_now
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.destinations.declared import Destination
from waypost.destinations.ports import DestinationSecrets
from waypost.errors import EnrolmentNotFound, InvalidInput
from waypost.events.secret_keys import read_keys
from waypost.http import ports as http
from waypost.http import webhook_signing
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.ports import EnrolmentStore
from waypost.journeys.superseding import refuse_superseded
from waypost.sending.occasion import JourneyStep

CallOutcome = Literal["answered", "rejected", "unavailable"]

PAUSES: Final = (timedelta(seconds=1), timedelta(seconds=4))
"""Between the three attempts of a step; a receiver that asks for more time than the last gets no other."""
LONGEST_ATTEMPT: Final = timedelta(seconds=8)
"""Three of them and the pauses fit into the minute of the function, and the steps of a hop into five."""
LARGEST_BODY: Final = 32 * 1024
ANSWER_LIMIT: Final = 16 * 1024
"""Bytes of an answer that are read; of a longer one nothing is used."""
LARGEST_VALUE: Final = 512
"""Bytes of a value that a journey takes from the answer: its variables travel with every hop."""
USER_AGENT: Final = "Waypost-Webhooks/1.0"
CALLED: Final = "journey_called"
UPSERTED: Final = "contact_upserted"

_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Not taken, or not known to be: the same id makes another attempt harmless. RFC 9110, 15.5 and 15.6; RFC 8470; RFC 6585."""


@dataclass(frozen=True, slots=True)
class _Attempted:
    """What one attempt came to; ``wait`` is the pause that the receiver asks for."""

    outcome: CallOutcome
    reason: str = ""
    status: int | None = None
    body: bytes | None = None
    again: bool = False
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWebhook:
    """Makes the call of a step. ``endpoint`` takes the place of every address on a developer's machine."""

    destinations: Mapping[str, Destination]
    contacts: ContactStore
    enrolments: EnrolmentStore
    secrets: DestinationSecrets
    poster: http.Poster
    clock: Clock
    sleep: Callable[[float], None]
    real_clock: Callable[[], datetime] = real_now
    endpoint: str = ""

    def call(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{outcome, status, answer, reason}`` for the payload's ``destination``, ``fields``, ``data``, ``answer`` and ``upsert``.

        ``answered``: with a 2xx; ``answer`` has a value for each name that was asked for, None where there is none or it is too large.
        ``rejected``: the receiver, or our own rules, refuse it. ``unavailable``: nobody took it in three attempts. Raises
        EnrolmentNotFound, HopSuperseded, InvalidInput for content that is too large, and RetryableError of our own stores.
        """
        step = JourneyStep.from_payload(payload)
        enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
        if enrolment is None:
            raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
        refuse_superseded(enrolment, payload)
        asked: Mapping[str, str] = payload.get("answer") or {}
        destination = self.destinations.get(payload["destination"])
        if destination is None or not destination.called:
            return _result(_Attempted("rejected", "is called by no journey any more"), asked)
        contact = self.contacts.load(step.contact_id)
        if contact is None or contact.erased:
            return _result(_Attempted("rejected", "the contact is gone"), asked)
        body = self._body(payload, step, enrolment, contact)
        return _result(self._called(destination, _webhook_id(payload, step, contact, body), body), asked)

    def _body(self, payload: Mapping[str, Any], step: JourneyStep, enrolment: Enrolment, contact: Contact) -> bytes:
        """``{type, timestamp, data}``: the contact's ids, the mapped fields, and the step's own data. The same for the same step."""
        fields = payload.get("fields") or {}
        data: dict[str, Any] = {
            "contact_id": contact.contact_id,
            "identities": {kind: values[0] for kind, values in sorted(contact.identities.items()) if values},
            "fields": {name: _value(path, contact, enrolment) for name, path in fields.items()},
        }
        if payload.get("upsert"):
            kind = UPSERTED
        else:
            kind = CALLED
            data |= {"journey": step.journey, "step": step.state, "enrolment_id": step.enrolment_id}
            data["data"] = payload.get("data") or {}
        envelope = {"type": kind, "timestamp": format_instant(enrolment.enrolled_at), "data": data}
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
        if len(body) > LARGEST_BODY:
            raise InvalidInput("data", f"makes a call of {len(body):,} bytes; at most {LARGEST_BODY:,} are posted")
        return body

    def _called(self, destination: Destination, webhook_id: str, body: bytes) -> _Attempted:
        secret = self.secrets.read(destination.name)
        url = f"{self.endpoint}/{destination.name}" if self.endpoint else str(secret.get("url") or destination.url)
        keys = read_keys(secret.get("signing_keys"), "signing_keys", webhook_signing.secret_problem).usable
        if not keys:
            return _Attempted("rejected", "its secret has no signing_keys")
        attempted = self._attempt(destination, url, webhook_id, body, keys)
        for pause in PAUSES:
            if not attempted.again or (attempted.wait or pause) > PAUSES[-1]:
                break
            self.sleep(max(pause, attempted.wait or pause).total_seconds())
            attempted = self._attempt(destination, url, webhook_id, body, keys)
        return attempted

    def _attempt(
        self, destination: Destination, url: str, webhook_id: str, body: bytes, keys: Sequence[str]
    ) -> _Attempted:
        signed = webhook_signing.headers(webhook_id, body, list(keys), now=self.real_clock())
        headers = {"content-type": "application/json", "user-agent": USER_AGENT, **signed}
        timeout = min(destination.timeout, LONGEST_ATTEMPT)
        answer = self.poster.post(url, body, headers, timeout=timeout, answer_limit=ANSWER_LIMIT)
        match answer:
            case http.Answer(status=status, body=content) if 200 <= status < 300:
                return _Attempted("answered", status=status, body=content)
            case http.Answer(status=status, retry_after=wait) if status in _AGAIN:
                return _Attempted("unavailable", f"answered {status}", status, again=True, wait=wait)
            case http.Answer(status=status):
                return _Attempted("rejected", f"answered {status}", status)
            case http.NotSent(reason=reason) | http.NoAnswer(reason=reason):
                return _Attempted("unavailable", reason, again=True)
            case http.Forbidden(reason=reason):
                return _Attempted("rejected", reason)
            case _:
                assert_never(answer)


def _webhook_id(payload: Mapping[str, Any], step: JourneyStep, contact: Contact, body: bytes) -> str:
    """By the step and its round; of an upsert by the contact and its content, whichever journey pushes it."""
    name = payload["destination"]
    if payload.get("upsert"):
        content = json.dumps(json.loads(body)["data"], ensure_ascii=False, sort_keys=True)
        return "msg_" + ids.digest("upsert", name, contact.contact_id, content, length=32)
    return "msg_" + ids.digest("call", name, step.enrolment_id, step.state, str(step.occurrence), length=32)


def _value(path: Any, contact: Contact, enrolment: Enrolment) -> Any:
    """The value at ``attributes.<name>``, ``trigger.<property>``, or a constant; None where there is none."""
    if isinstance(path, Mapping):
        return path.get("constant")
    return _at(str(path), {"attributes": contact.attributes, "trigger": enrolment.trigger.properties})


def _at(path: str, value: Any) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _result(attempted: _Attempted, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the journey sees. ``reason`` also says when an answer is not what was asked for."""
    found, reason = (_json(attempted.body) if asked and attempted.outcome == "answered" else {}), attempted.reason
    if found is None:
        found, reason = {}, "the answer is no JSON object, or too long"
    answer = {name: _small(_at(path, found)) for name, path in asked.items()}
    return {"outcome": attempted.outcome, "status": attempted.status, "answer": answer, "reason": reason}


def _json(body: bytes | None) -> Mapping[str, Any] | None:
    try:
        found = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None


def _small(value: Any) -> Any:
    """The value, or None for one that is larger than a journey takes."""
    return value if len(json.dumps(value, ensure_ascii=False).encode()) <= LARGEST_VALUE else None
