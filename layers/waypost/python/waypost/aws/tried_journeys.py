"""Which versions of a journey a test contact has lived to their end. Written with the end of its passage, read before a launch."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from waypost.aws import table
from waypost.clock import format_instant
from waypost.codec import JsonForm
from waypost.journeys.enrolment import Enrolment

_PK: Final = "tried#"
LIVED: Final = frozenset({"completed", "goal", "exited"})
"""How a passage ends that was lived; one that failed or was stopped was not."""


@dataclass(frozen=True, slots=True)
class TriedJourney(JsonForm):
    """The last test that lived this version of a journey."""

    machine_version: str
    contact_id: str
    outcome: str
    ended_at: datetime


def tried_row(ended: Enrolment, *, expires_at: int) -> dict[str, Any] | None:
    """The item that says so, one for each version, kept as long as the passage; None where no test has lived it."""
    if not ended.is_test or ended.outcome not in LIVED or ended.ended_at is None:
        return None
    return table.key(f"{_PK}{ended.journey}", f"version#{ended.machine_version}") | table.dump_item({
        "machine_version": ended.machine_version,
        "contact_id": ended.contact_id,
        "outcome": ended.outcome,
        "ended_at": format_instant(ended.ended_at),
        "expires_at": expires_at,
    })  # fmt: skip


def tried_versions(client: Any, table_name: str, journey: str) -> Mapping[str, TriedJourney]:
    """What test contacts have lived of a journey, by the version of its machine."""
    rows = table.query(client, table_name, pk=f"{_PK}{journey}", prefix="version#")
    return {each["machine_version"]: TriedJourney.from_dict(each) for each in rows}
