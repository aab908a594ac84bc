"""Compares the contacts on a full list with the file, and takes off the list who is not in it. Called by leave_list.

Two passes over all contacts: the first one counts, and only then is it known whether the file is whole enough for the second.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from waypost.bulk.pages import Page
from waypost.bulk.ports import SlicedScan
from waypost.bulk.run_slice import Remaining, SliceRunner, SliceWork
from waypost.bulk.state import SliceStates
from waypost.contacts.profile import Contact
from waypost.files.ports import Files
from waypost.importing.applying import Importer
from waypost.importing.full_list import ContactSet, FullList, OnList
from waypost.importing.plan import Division, ImportPlan, load_import, result_key
from waypost.importing.rows import RejectedRow

RUNNER: Final = SliceRunner(items_per_invocation=50_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveList:
    """Walks the contacts slice by slice; an interrupted pass resumes, and a contact leaves once."""

    files: Files
    scan: SlicedScan[Contact]
    importer: Importer
    runner: SliceRunner = RUNNER

    def step(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{run, slice, applies}`` → the same with ``done``; without ``applies`` contacts are only counted.

        Nobody leaves in a dry run, or where too many would. Raises RetryableError or FinalError.
        """
        plan, slice_, applies = load_import(self.files, payload["run"]), int(payload["slice"]), bool(payload["applies"])
        answer = {"run": plan.run, "slice": slice_, "applies": applies}
        full_list = plan.full_list
        if full_list is None or (applies and (plan.dry_run or held_back(self.files, plan))):
            return {**answer, "done": True}
        listed = ContactSet.load(self.files, plan.listed)
        with replace(self.importer, is_rerun=applies) as importer:
            slices = Division.load(self.files, plan).slices
            pages = partial(self.scan.slice, slice_, slices)
            work = _Comparing(plan, full_list, listed, pages=pages, importer=importer if applies else None)
            states = counted_states(self.files, plan, applies=applies)
            state = self.runner.resume(states, slice_, work, new=OnList, remaining=remaining)
        return {**answer, "done": state.done}


def counted_states(files: Files, plan: ImportPlan, *, applies: bool) -> SliceStates[OnList]:
    """The states of the slices of a pass."""
    return SliceStates(files, f"{plan.work}{'left' if applies else 'missing'}/", OnList)


def on_list(files: Files, plan: ImportPlan) -> OnList:
    """What the first pass has counted. Raises InvalidInput when it is not finished."""
    return counted_states(files, plan, applies=False).gathered(Division.load(files, plan).slices).found


def held_back(files: Files, plan: ImportPlan) -> str:
    """Why nobody leaves, "" if who is not in the file does."""
    if plan.full_list is None:
        return ""
    done = (files.read(result_key(part.key)) or b"{}" for part in files.listed(plan.parts))
    unread = sum(json.loads(result).get("unread", 0) for result in done)
    return plan.full_list.held_back(on_list(files, plan), unread)


class _Comparing(SliceWork[OnList, Contact]):
    """Counts the members who are in no row; with an ``importer`` they leave."""

    def __init__(
        self,
        plan: ImportPlan,
        full_list: FullList,
        listed: ContactSet,
        *,
        pages: Callable[..., Iterator[Page[Contact]]],
        importer: Importer | None,
    ) -> None:
        self._plan, self._list, self._listed = plan, full_list, listed
        self._pages, self._importer = pages, importer

    def pages(self, after: str | None) -> Iterator[Page[Contact]]:
        """See SliceWork."""
        return self._pages(after=after)

    def take(self, found: OnList, page: Page[Contact]) -> None:
        """See SliceWork."""
        members = [each for each in page if not (each.erased or each.merged_into) and self._list.has(each)]
        missing = [each for each in members if each not in self._listed]
        kept = [
            each for each in missing if self._importer and not _leaves(each, self._list, self._plan, self._importer)
        ]
        found.merge(OnList(len(members), len(missing), len(kept)))


def _leaves(contact: Contact, full_list: FullList, plan: ImportPlan, importer: Importer) -> bool:
    """Take a contact off the list; False when it has left or has been put on it again since."""
    applied = importer.apply(full_list.leaving(contact.contact_id), source=plan.source, at=plan.as_of)
    return not isinstance(applied, RejectedRow) and applied.outcome != "unchanged"
