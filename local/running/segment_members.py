"""Whom of the running system a segment selects, and why. Called by ``waypost segment count`` and ``why``."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from local.cloud.local_cloud import client, default_zone
from local.problems import LocalError
from local.project.current_project import current_project
from local.project.segment_files import CheckedSegment
from local.running import background
from local.running.contact_lookup import contact_id_of
from local.running.operation_runs import operation_machines, run_operation
from waypost.aws.contacts import DynamoContacts
from waypost.aws.enrolments import DynamoEnrolments
from waypost.aws.history import DynamoHistory
from waypost.aws.profile_scan import DynamoProfileScan
from waypost.clock import parse_instant
from waypost.segments.buckets import sample
from waypost.segments.explain import Explanation, explain
from waypost.segments.history_lookup import HistoryLookup
from waypost.segments.membership_query import MembershipQuery
from waypost.segments.subject import subject_of

SAMPLE: Final = 10
PREVIEW: Final = "preview-segment"
"""The operation that asks everybody."""

Progress = Callable[[int, int | None], None]
"""Called with the contacts asked so far and their total, which may be None: not known."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of how many contacts a segment selects; ``sample`` has up to ten of their ids, the same ones each time."""

    segment: str
    members: int
    contacts: int
    histories_read: int
    sample: list[str]

    @property
    def share(self) -> float:
        """The part of all contacts, from 0 to 1."""
        return self.members / self.contacts if self.contacts else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self) | {"share": self.share}


@dataclass(frozen=True, slots=True)
class Explained:
    """Whether a contact is in a segment now, and each condition with what decided it; ``kept`` is what its profile says."""

    segment: str
    contact_id: str
    kept: bool
    explanation: Explanation

    @property
    def member(self) -> bool:
        """Whether the rule selects the contact now."""
        return self.explanation.holds

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "segment": self.segment,
            "contact_id": self.contact_id,
            "member": self.member,
            "kept": self.kept,
            "explanation": self.explanation.to_dict(),
        }


def count_members(checked: CheckedSegment, access: Mapping[str, Any], *, progress: Progress) -> Counted:
    """Whom of the running system the segment selects, by its own operation where it has one. Raises LocalError."""
    if PREVIEW not in operation_machines(access["outputs"]):
        return count_by_scan(checked, access, progress=progress)
    given = {"rule": checked.rule, "audience": checked.name.replace("_", "-"), "sample": SAMPLE, "card": False}
    preview = run_operation(access, PREVIEW, given)
    progress(preview["contacts"], preview["contacts"])
    members = [about["contact_id"] for about in preview["sample"]]
    return Counted(checked.name, preview["count"], preview["contacts"], preview["histories_read"], members)


def count_by_scan(checked: CheckedSegment, access: Mapping[str, Any], *, progress: Progress) -> Counted:
    """Ask every profile from here; events are read only of those whose profile does not decide."""
    database, table, now = client("dynamodb", access["endpoint_url"]), access["contacts_table"], _now()
    scan, query, history_lookup = (
        DynamoProfileScan(database, table),
        MembershipQuery(checked.rule),
        _history_lookup(access, now),
    )
    view = scan.viewer(query.reads, now=now, default_zone=default_zone(current_project()))
    total = scan.size().items or None
    members: list[str] = []
    seen = read = 0
    for page in scan.stored(0, 1, reads=query.reads):
        for stored in page:
            subject = view(stored)
            answer = query.decide(subject)
            if answer is None:
                read += 1
                answer = query.holds(history_lookup.added(subject, scan.partitions_of(stored), query.reads))
            if answer:
                members.append(subject.contact_id)
        seen += len(page)
        progress(seen, total)
    return Counted(checked.name, len(members), seen, read, sample(members, SAMPLE, checked.name))


def explain_member(checked: CheckedSegment, contact: str, access: Mapping[str, Any]) -> Explained:
    """Why a contact, named by any of its identities, is in the segment or not. Raises LocalError."""
    contacts = DynamoContacts(client("dynamodb", access["endpoint_url"]), access["contacts_table"])
    known = contacts.load(contact_id_of(contact, access))
    if known is None:
        raise LocalError(f"{contact!r} has just been erased", "nothing is left to explain")
    now = _now()
    subject = subject_of(known, now=now, default_zone=default_zone(current_project()))
    whole = _history_lookup(access, now).added(subject, known.partitions, checked.reads)
    return Explained(checked.name, known.contact_id, checked.name in known.segments, explain(checked.rule, whole))


def _history_lookup(access: Mapping[str, Any], now: datetime) -> HistoryLookup:
    database, table = client("dynamodb", access["endpoint_url"]), access["contacts_table"]
    history = DynamoHistory(database, table, clock=lambda: now)
    return HistoryLookup(history=history, enrolments=DynamoEnrolments(database, table))


def _now() -> datetime:
    return parse_instant(background.control("GET", "/status")["now"])
