"""How an enrolment lies in its row: what is asked, indexed and judged as attributes, its way through the journey packed.

The way (the Pauses behind the contact, the one it stands at, the event it left on) is three quarters of the row and is
read as a whole or not at all. Packed, the row of a journey of five Pauses fits one write unit, and 200 Pauses fit eight.
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


def packed(enrolment: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are stored of an enrolment's JSON form: without what the key says, and without what is empty."""
    kept = {
        name: value
        for name, value in enrolment.items()
        if name not in {"contact_id", "enrolment_id", *PACKED} and value is not None and value != ""
    }
    way = {name: enrolment[name] for name in PACKED if enrolment.get(name)}
    return kept | (
        {WAY: zlib.compress(json.dumps(way, separators=(",", ":"), ensure_ascii=False).encode())} if way else {}
    )


def unpacked(item: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of ``packed``, of a stored item with its ``pk`` and ``sk``; empty fields stay away."""
    values = {name: value for name, value in item.items() if name != WAY}
    values["contact_id"] = item["pk"].removeprefix(_OWNER)
    values["enrolment_id"] = item["sk"].removeprefix(OPEN).removeprefix(PAST)
    way = item.get(WAY)
    if way is not None:  # a client of bulk runs gives binary values as they travel
        values |= json.loads(zlib.decompress(way if isinstance(way, bytes) else base64.b64decode(way)))
    return values


def open_sk(enrolment_id: str) -> str:
    """The sort key of an enrolment while the contact is in the journey."""
    return f"{OPEN}{enrolment_id}"


def ended_sk(enrolment_id: str) -> str:
    """The sort key of an enrolment that has ended."""
    return f"{PAST}{enrolment_id}"
