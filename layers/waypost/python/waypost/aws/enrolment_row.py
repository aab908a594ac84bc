"""How an enrolment lies in its row: what is asked, indexed and judged as attributes, its way through the journey packed.

The way (the Pauses behind the contact, the one it stands at, the event it left on) is three quarters of the row and is
read as a whole or not at all. Packed with a dictionary of what every way says, the row of a journey of five Pauses fits one
write unit, and 200 Pauses fit eight.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

WAY: Final = "way"
PACKED: Final = ("trail", "pause", "left_on", "moves")
EVERY: Final = "enrolment#"
OPEN: Final = "enrolment#open#"
PAST: Final = "enrolment#past#"

_OWNER: Final = "contact#"
COMMON_TEXT: Final = (
    b'"moves":[{"change":"","act":"follow","at":"","by":"","from_version":"","from_state":"","to_version":"","to_state":"",'
    b'"until":{"date":"","property":"","anniversary":"","workday":"next","at":"00:00","hours":,"minutes":,"days":,'
    b'{"for":"},"where":{"attribute":"equals","outcome":"skipped","deferred","rejected","channel":"sms","past","no_date",'
    b'"result":{"error":"JourneyExited","error":"GoalReached","cause":"{\\"event\\": {\\"id\\": \\"\\", \\"type\\": \\"'
    b'\\", \\"occurred_at\\": \\"\\", \\"properties\\": {"},"end":"left","left_on":{"id":"'
    b'"result":{"outcome":"event","event":{"id":"","type":"","occurred_at":"","properties":{}}},"end":"event",'
    b'"variables":{}},"waits_for":{"event":""},"end":null,"result":null,"ended_at":null}'
    b'"input":{"StatusCode":200,"Payload":{"outcome":"sent","reason":"every_guard_allowed","channel":"email","message_key":"m-'
    b'{"trail":[{"state":"","occurrence":1,"parked_at":"20","due_at":"20","ended_at":"20","end":"elapsed","awaited":"",'
    b'"event_id":""},{"state":"","occurrence":1,"parked_at":"20T0:00:00.000Z"],"pause":{"pause_id":"p-","state":"'
    b'","occurrence":1,"spec":{"until":{"day":,"at":"10:00"}},"due_at":"","parked_at":"","row":{"at":"","input":'
    b'"variables":{}},"waits_for":null,"end":"elapsed","result":{"outcome":"elapsed"},"ended_at":"'
)
"""What packing need not spell out. Rows that are packed with it are read with it: it may never change, only be joined by
another one (zlib names the dictionary of a row by its checksum)."""


def packed(enrolment: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are stored of an enrolment's JSON form: without what the key says, and without what is empty or false."""
    kept = {
        name: value
        for name, value in enrolment.items()
        if name not in {"contact_id", "enrolment_id", *PACKED} and value not in (None, "", {}) and value is not False
    }
    way = {name: enrolment[name] for name in PACKED if enrolment.get(name)}
    return kept | (
        {WAY: _compressed(json.dumps(way, separators=(",", ":"), ensure_ascii=False).encode())} if way else {}
    )


def unpacked(item: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of ``packed``, of a stored item with its ``pk`` and ``sk``; empty fields stay away."""
    values = {name: value for name, value in item.items() if name != WAY}
    values["contact_id"] = item["pk"].removeprefix(_OWNER)
    values["enrolment_id"] = item["sk"].removeprefix(OPEN).removeprefix(PAST)
    way = item.get(WAY)
    if way is not None:  # a client of bulk runs gives binary values as they travel
        values |= json.loads(_decompressed(way if isinstance(way, bytes) else base64.b64decode(way)))
    return values


def _compressed(content: bytes) -> bytes:
    packing = zlib.compressobj(zlib.Z_BEST_COMPRESSION, zdict=COMMON_TEXT)
    return packing.compress(content) + packing.flush()


def _decompressed(packed_way: bytes) -> bytes:
    """The inverse, also of what was packed without the dictionary."""
    unpacking = zlib.decompressobj(zdict=COMMON_TEXT)
    return unpacking.decompress(packed_way) + unpacking.flush()


def open_sk(enrolment_id: str) -> str:
    """The sort key of an enrolment while the contact is in the journey."""
    return f"{OPEN}{enrolment_id}"


def ended_sk(enrolment_id: str) -> str:
    """The sort key of an enrolment that has ended."""
    return f"{PAST}{enrolment_id}"
