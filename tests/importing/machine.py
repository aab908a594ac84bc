"""An import and an export on fakes, as their state machines run them. Used by the tests of both."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.fakes.clock import FakeClock
from tests.fakes.effects import Effects
from tests.fakes.files import FakeFiles
from tests.fakes.world import World
from waypost.assembly import assemble
from waypost.bulk.run_slice import SliceRunner
from waypost.clock import parse_instant
from waypost.contacts.profile import Contact
from waypost.contacts.rebuilding import fold
from waypost.events.history import AppliedEvent
from waypost.exporting.export_slice import ExportSlice
from waypost.exporting.finish_export import FinishExport
from waypost.exporting.plan_export import PlanExport
from waypost.importing.finish_import import FinishImport
from waypost.importing.import_part import ImportPart
from waypost.importing.inspect_import import InspectImport
from waypost.importing.leave_list import LeaveList
from waypost.importing.reconcile_import import ReconcileImport
from waypost.importing.split_import import SplitImport
from waypost.segments.saved_segments import SavedSegment

VIP = SavedSegment("vip", "Very important", "tests", {"tag": "vip"}, "off")
START = "2027-03-01T02:00:00.000Z"


@dataclass(kw_only=True)
class Machines:
    """Fakes, the services on them, and the order in which the state machines call these."""

    effects: Effects = field(default_factory=Effects)
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))
    files: FakeFiles = field(default_factory=FakeFiles)
    rows_per_part: int = 3
    rows_per_bucket: int = 4
    executions: int = 0

    def __post_init__(self) -> None:
        self.world = World(effects=self.effects, clock=self.clock, files=self.files, segments={"vip": VIP})
        self.contacts, self.history, self.queue = self.world.contacts, self.world.history, self.world.queue

    @property
    def inspector(self) -> InspectImport:
        return assemble.inspect_import(self.world.ports)

    @property
    def split_import(self) -> SplitImport:
        divider = assemble.split_import(self.world.ports)
        return replace(
            divider, rows_per_part=self.rows_per_part, rows_per_bucket=self.rows_per_bucket, bytes_per_step=200
        )

    @property
    def import_part(self) -> ImportPart:
        return assemble.import_part(self.world.ports, identity_rules=self.world.identity_rules)

    @property
    def reconcile_import(self) -> ReconcileImport:
        return assemble.reconcile_import(self.world.ports, identity_rules=self.world.identity_rules)

    @property
    def leave_list(self) -> LeaveList:
        return assemble.leave_list(self.world.ports, identity_rules=self.world.identity_rules)

    @property
    def finish_import(self) -> FinishImport:
        return assemble.finish_import(self.world.ports)

    @property
    def plan_export(self) -> PlanExport:
        return assemble.plan_export(self.world.ports, segments=self.world.segments)

    @property
    def export_slice(self) -> ExportSlice:
        return assemble.export_slice(self.world.ports)

    @property
    def finish_export(self) -> FinishExport:
        return assemble.finish_export(self.world.ports)

    def upload(self, content: bytes | str, key: str = "imports/customers.csv") -> str:
        """Put a file where imports are found."""
        self.files.contents[key] = content.encode() if isinstance(content, str) else content
        return key

    def parts_of(self, given: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        """The run, and what the Map over its parts gives to each of them."""
        answer = self.divided(given)
        keys = [file.key for file in self.files.listed(answer["parts"])]
        return answer["run"], [{"run": answer["run"], "part": key} for key in keys]

    def divided(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A run up to where its file is divided."""
        answer = self.split_import.divide(self.inspector.inspect({"input": dict(given)}))
        while not answer["done"]:
            answer = self.split_import.divide(json.loads(json.dumps(answer)))
        return answer

    def finished(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The report of a run whose parts are done."""
        answer = self.divided(given)
        for bucket in answer["buckets"]:
            self.reconcile_import.reconcile({"run": answer["run"], "bucket": bucket})
        for applies in (False, True):
            for slice_ in answer["slices"]:
                self.compared({"run": answer["run"], "slice": slice_, "applies": applies})
        return json.loads(json.dumps(self.finish_import.report({"run": answer["run"]})))  # type: ignore[no-any-return]

    def compared(self, payload: dict[str, Any]) -> None:
        """A slice of all contacts, compared with a full list."""
        comparing = replace(self.leave_list, runner=SliceRunner(items_per_invocation=2))
        while not payload.get("done"):
            payload = comparing.step(json.loads(json.dumps(payload)), remaining=lambda: 900_000)

    def import_file(
        self, key: str = "imports/customers.csv", *, backwards: bool = False, **given: Any
    ) -> dict[str, Any]:
        """A whole run, its parts one after the other or from the last to the first; the report."""
        before = self.inspector.inspect({"input": {"file": key, **given}})
        if "report" in before:
            return json.loads(json.dumps(before["report"]))  # type: ignore[no-any-return]
        _, parts = self.parts_of({"file": key, **given})
        for part in reversed(parts) if backwards else parts:
            self.import_part.import_part(part)
        return self.finished({"file": key, **given})

    def export(self, **given: Any) -> dict[str, Any]:
        """A whole export; the output of its machine."""
        self.executions += 1
        planner, gatherer = self.plan_export, self.finish_export
        slicer = replace(self.export_slice, runner=SliceRunner(items_per_invocation=2))
        planned = planner.plan({"input": given, "execution": f"execution-{self.executions}"})
        for each in planned["slices"]:
            answer = slicer.step(each, remaining=lambda: 900_000)
            while not answer["done"]:
                answer = slicer.step(json.loads(json.dumps(answer)), remaining=lambda: 900_000)
        answer = gatherer.gather(planned)
        while not answer["done"]:
            answer = gatherer.gather(json.loads(json.dumps(answer)))
        return answer

    def text(self, key: str) -> str:
        """A file that was written for people."""
        return self.files[key].decode("utf-8-sig")

    def one(self, kind: str, value: str) -> Contact:
        """The contact an identity leads to."""
        contact = self.contacts.load(self.contacts.identities[kind, value])
        assert contact is not None
        return contact


def counts(report: Mapping[str, Any]) -> dict[str, int]:
    """What a report counts, without the zeros."""
    names = ("rows", "created", "updated", "unchanged", "merged", "rejected", "duplicates")
    return {name: report[name] for name in names if report[name]}


def base(machines: Machines) -> dict[str, Any]:
    """Everybody, without what tells when and how often they were written."""
    return {
        contact.contact_id: replace(contact, version=0, created_at=parse_instant(START)).to_dict()
        for contact in machines.contacts.living()
    }


def rebuilt(machines: Machines) -> dict[str, Any]:
    """The same as ``base``, made from the history alone; nobody must have been merged."""
    found = {}
    for contact in machines.contacts.living():
        events = [
            AppliedEvent.from_dict({**json.loads(item), "profile_version": machines.history.versions[place]})
            for place, item in machines.history.events.items()
            if place[0] == contact.contact_id
        ]
        empty = Contact(contact_id=contact.contact_id, created_at=parse_instant(START))
        found[contact.contact_id] = fold(empty, events, not_ours=frozenset()).to_dict()
    return found
