"""Deterministic ids: the same input gives the same id, so a repeated call changes nothing."""

import hashlib
import json
from functools import lru_cache
from typing import Any, Final

_listed: Final = json.JSONEncoder(ensure_ascii=False).encode
"""Made once: an encoder takes longer to make than a few parts to write."""


def digest(*parts: str, length: int = 24) -> str:
    """``length`` hex digits of SHA-256 over the parts; parts cannot run into each other."""
    return hashlib.sha256(_listed(parts).encode()).hexdigest()[:length]


def share(*parts: str) -> float:
    """A number from 0 to 1 that is always the same for the same parts: it spreads in time what would coincide."""
    return int(digest(*parts, length=8), 16) / 0xFFFFFFFF


def contact_id(kind: str, value: str) -> str:
    """The id of a contact first seen under this identity."""
    return "c-" + digest("contact", kind, value)


def event_id(source: str, payload: Any) -> str:
    """The id of an event whose sender gave none: a hash of what was sent."""
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return "e-" + digest("event", source, canonical)


def enrolment_id(journey: str, contact: str, entry_key: str) -> str:
    """The id of one passage of a contact through a journey; ``entry_key`` distinguishes re-entries."""
    return "n-" + digest("enrolment", journey, contact, entry_key)


def hop_id(enrolment: str, origin: str, attempt: int) -> str:
    """The id of one hop of an enrolment from its start or from a Pause; ``attempt`` counts how often it was given out."""
    return "h-" + digest("hop", enrolment, origin, str(attempt))


def execution_name(journey: str, hop: str) -> str:
    """The Step Functions execution name of a hop: at most 80 characters, no personal data."""
    return f"{journey[:50]}-{hop}"


@lru_cache(maxsize=1024)
def message_key(kind: str, *parts: str) -> str:
    """The key under which at most one provider call is made; ``kind`` is the occasion's (design rule 4). A send asks for it often."""
    return "m-" + digest("message", kind, *parts)


def pause_id(enrolment: str, state: str, occurrence: int) -> str:
    """The id of one visit to a Pause state."""
    return "p-" + digest("pause", enrolment, state, str(occurrence))


def shard_of(contact: str, shards: int) -> int:
    """Which of so many shards a contact belongs to: always the same, and each gets an equal share."""
    return int(hashlib.sha256(contact.encode()).hexdigest(), 16) % shards
