"""Reads one slice of the base and writes down who belongs to the audience. Called by build_audience_slice and by previews.

What a slice has found so far is stored between calls, so a slice of any length is finished in calls that end in time, and
one that is finished is never read again.
"""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from heapq import nsmallest
from typing import Any, Final, Protocol, Self

from waypost.audiences.costs import RunCost
from waypost.audiences.persona import PERSONA_READS, Tally, sketch
from waypost.audiences.plan_audience import CARD_SALT, CONTACTS_PER_FILE, AudiencePlan
from waypost.audiences.sketches import SetDigest
from waypost.errors import TemporarilyUnavailable
from waypost.files.ports import Files
from waypost.segments.buckets import bucket, position
from waypost.segments.history_lookup import HistoryLookup
from waypost.segments.ports import ProfileScan, Stored
from waypost.segments.subject import Subject

RESERVE: Final = 60_000
"""Milliseconds that must be left to begin another page: one whose histories are read takes seconds, and files follow."""

AT_ONCE: Final = 8
"""Histories read at the same time; the time goes into waiting for DynamoDB."""

Remaining = Callable[[], int]
"""How many milliseconds this call may go on for."""

Drawn = tuple[int, str]
"""A contact and its place in the order that the plan's salt draws."""


@dataclass(frozen=True, slots=True)
class MemberFile:
    """A file of contact ids; ``digest`` is the SHA-256 of its lines, before they are compressed."""

    key: str
    contacts: int
    digest: str

    def to_dict(self) -> dict[str, Any]:
        """The stored form."""
        return {"key": self.key, "contacts": self.contacts, "sha256": self.digest}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        return cls(value["key"], value["contacts"], value["sha256"])


@dataclass(slots=True)
class SliceState:
    """What one slice, or several together, have found so far.

    ``contacts`` were read, ``matching`` answer the rule. Those are ``held_out``, or ``members``; with a limit the members
    are not written yet and ``drawn`` holds the ones that stand first. ``histories`` were read for contacts whose profile
    could not decide. ``after`` is where the slice goes on.
    """

    done: bool = False
    after: str | None = None
    contacts: int = 0
    matching: int = 0
    histories: int = 0
    members: SetDigest = field(default_factory=SetDigest)
    held_out: SetDigest = field(default_factory=SetDigest)
    files: list[MemberFile] = field(default_factory=list)
    held_out_files: list[MemberFile] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)
    sample: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    base: Tally = field(default_factory=Tally)
    segment: Tally = field(default_factory=Tally)
    cost: RunCost = field(default_factory=RunCost)

    def merge(self, other: Self, plan: AudiencePlan) -> None:
        """Take in what another slice found; in any order."""
        self.contacts += other.contacts
        self.matching += other.matching
        self.histories += other.histories
        self.members.merge(other.members)
        self.held_out.merge(other.held_out)
        self.files += other.files
        self.held_out_files += other.held_out_files
        self.drawn = nsmallest(plan.limit or 0, [*self.drawn, *other.drawn])
        self.sample = first_drawn([*self.sample, *other.sample], plan.sample)
        self.base.merge(other.base)
        self.segment.merge(other.segment)
        self.cost.merge(other.cost)

    def to_dict(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "done": self.done,
            "after": self.after,
            "contacts": self.contacts,
            "matching": self.matching,
            "histories": self.histories,
            "members": self.members.to_dict(),
            "held_out": self.held_out.to_dict(),
            "files": [file.to_dict() for file in self.files],
            "held_out_files": [file.to_dict() for file in self.held_out_files],
            "drawn": [list(each) for each in self.drawn],
            "sample": [list(each) for each in self.sample],
            "base": self.base.to_dict(),
            "segment": self.segment.to_dict(),
            "cost": self.cost.to_dict(),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        return cls(
            done=value["done"],
            after=value["after"],
            contacts=value["contacts"],
            matching=value["matching"],
            histories=value["histories"],
            members=SetDigest.from_dict(value["members"]),
            held_out=SetDigest.from_dict(value["held_out"]),
            files=[MemberFile.from_dict(file) for file in value["files"]],
            held_out_files=[MemberFile.from_dict(file) for file in value["held_out_files"]],
            drawn=[(place, contact_id) for place, contact_id in value["drawn"]],
            sample=[(place, about) for place, about in value["sample"]],
            base=Tally.from_dict(value["base"]),
            segment=Tally.from_dict(value["segment"]),
            cost=RunCost.from_dict(value["cost"]),
        )


def first_drawn(sample: Sequence[tuple[int, dict[str, Any]]], most: int) -> list[tuple[int, dict[str, Any]]]:
    """Those of a sample that stand first; contacts at the same place by their id."""
    return nsmallest(most, sample, key=lambda each: (each[0], each[1]["contact_id"]))


class Shelf(Protocol):
    """Where members go; a preview keeps none."""

    def add(self, contact_id: str, *, held_out: bool) -> None:
        """Take a member, or one that is held out."""
        ...

    def finish(self) -> None:
        """Write what is left; all files are then noted in the state."""
        ...


class NoShelf:
    """A Shelf for previews, and for audiences whose members are drawn when all slices are known."""

    def add(self, contact_id: str, *, held_out: bool) -> None:
        """See Shelf."""

    def finish(self) -> None:
        """See Shelf."""


class FileShelf:
    """A Shelf that fills files; numbers go on behind those that the state has.

    A call that died may have left files that no state knows. They have the numbers that come next, so what is not
    written over by ``finish`` is emptied by it: who lists the folder finds every member once.
    """

    def __init__(self, files: Files, plan: AudiencePlan, slice_: int, state: SliceState) -> None:
        self._files = files
        self._plan = plan
        self._slice = slice_
        self._lists = {False: state.files, True: state.held_out_files}
        self._waiting: dict[bool, list[str]] = {False: [], True: []}

    def add(self, contact_id: str, *, held_out: bool) -> None:
        """See Shelf."""
        waiting = self._waiting[held_out]
        waiting.append(contact_id)
        if len(waiting) == CONTACTS_PER_FILE:
            self._write(held_out)

    def finish(self) -> None:
        """See Shelf."""
        for held_out, waiting in self._waiting.items():
            if waiting:
                self._write(held_out)
            number = len(self._lists[held_out])
            while self._files.read(key := self._plan.members(self._slice, number, held_out=held_out)):
                self._files.write(key, b"")
                number += 1

    def _write(self, held_out: bool) -> None:
        known, ids = self._lists[held_out], self._waiting[held_out]
        file = write_members(
            self._files, self._plan.members(self._slice, len(known), held_out=held_out), ids, self._plan.compressed
        )
        known.append(file)
        self._waiting[held_out] = []


def write_members(files: Files, key: str, ids: Sequence[str], compressed: bool) -> MemberFile:
    """Write a file of contact ids, one JSON object a line. The same ids make the same bytes."""
    lines = "".join(f'{{"contact_id":{json.dumps(contact_id)}}}\n' for contact_id in ids).encode()
    files.write(key, gzip.compress(lines, mtime=0) if compressed else lines)
    return MemberFile(key, len(ids), sha256(lines).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceReader:
    """Asks the plan's question of every profile of a slice.

    ``read_units`` says what reading histories has cost in this process so far.
    """

    scan: ProfileScan
    past: HistoryLookup
    read_units: Callable[[], float] = lambda: 0.0

    def read_on(
        self, plan: AudiencePlan, slice_: int, state: SliceState, *, shelf: Shelf, remaining: Remaining
    ) -> None:
        """Go on with the slice until it is done or time is short; the state says which, and what was found.

        Raises TemporarilyUnavailable when the store throttles; what was found before that is in the state and on the
        shelf.
        """
        begun, units = remaining(), self.read_units()
        asked = plan.question.reads
        shown = asked | PERSONA_READS if plan.base_one_in else asked
        counting = _Counting(self, plan, state, shelf)
        try:
            for page in self.scan.stored(slice_, plan.slices, reads=shown, after=state.after):
                counting.page(page.contacts)
                state.cost.read_units += page.read_units
                state.after, state.done = page.after, page.after is None
                if remaining() < RESERVE:
                    break
        finally:
            state.cost.read_units += self.read_units() - units
            state.cost.milliseconds += max(0, begun - remaining())


class _Counting:
    """One call's work on the pages of a slice."""

    def __init__(self, reader: SliceReader, plan: AudiencePlan, state: SliceState, shelf: Shelf) -> None:
        self._scan, self._past = reader.scan, reader.past
        self._plan, self._state, self._shelf = plan, state, shelf
        self._asked = plan.question.reads
        self._view = self._scan.viewer(self._asked, now=plan.at, default_zone=plan.default_zone)
        self._show = self._scan.viewer(PERSONA_READS, now=plan.at, default_zone=plan.default_zone)

    def page(self, stored: Sequence[Stored]) -> None:
        """Ask everybody on a page, then count them: a page counts as a whole or not at all."""
        view, decide = self._view, self._plan.question.decide
        subjects = [view(profile) for profile in stored]
        answers = [decide(subject) for subject in subjects]
        unclear = [index for index, answer in enumerate(answers) if answer is None]
        for index, found in zip(unclear, self._look_up(stored, subjects, unclear), strict=True):
            answers[index] = found
        self._state.histories += len(unclear)
        self._state.contacts += len(stored)
        one_in = self._plan.base_one_in
        for profile, subject, answer in zip(stored, subjects, answers, strict=True):
            for_base = one_in == 1 or (one_in > 1 and bucket(subject.contact_id, CARD_SALT, one_in) == 0)
            if for_base or answer:
                self._count(profile, subject, for_base=for_base, matches=bool(answer))

    def _look_up(self, stored: Sequence[Stored], subjects: Sequence[Subject], unclear: Sequence[int]) -> list[bool]:
        """The answers that only the past gives, several at a time."""
        holds, past, scan, asked = self._plan.question.holds, self._past, self._scan, self._asked

        def answer(index: int) -> bool:
            return holds(past.added(subjects[index], scan.partitions_of(stored[index]), asked))

        if not unclear:
            return []
        with ThreadPoolExecutor(AT_ONCE) as readers:
            return list(readers.map(answer, unclear))

    def _count(self, profile: Stored, subject: Subject, *, for_base: bool, matches: bool) -> None:
        state, plan = self._state, self._plan
        shown = self._show(profile) if plan.base_one_in else None
        if for_base and shown is not None:
            state.base.add(shown)
        if not matches:
            return
        state.matching += 1
        if shown is not None:
            state.segment.add(shown)
        contact_id = subject.contact_id
        if plan.is_held_out is not None and plan.is_held_out(subject):
            state.held_out.add(contact_id)
            self._shelf.add(contact_id, held_out=True)
            return
        state.members.add(contact_id)
        place = position(contact_id, plan.salt)
        about = {"contact_id": contact_id} if shown is None else sketch(shown)
        state.sample = _taken(state.sample, (place, about), plan.sample)
        if plan.limit is None:
            self._shelf.add(contact_id, held_out=False)
        else:
            state.drawn.append((place, contact_id))
            if len(state.drawn) > 2 * plan.limit:
                state.drawn = nsmallest(plan.limit, state.drawn)


def _taken(
    sample: list[tuple[int, dict[str, Any]]], newcomer: tuple[int, dict[str, Any]], most: int
) -> list[tuple[int, dict[str, Any]]]:
    """The sample with a newcomer, if it stands before somebody who is in it."""
    if len(sample) >= most and (not sample or newcomer[0] > sample[-1][0]):
        return sample
    return first_drawn([*sample, newcomer], most)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildAudienceSlice:
    """Builds a slice of an audience in calls that end in time."""

    files: Files
    reader: SliceReader

    def step(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{plan, slice}`` → the same with ``done``: whether the slice is finished, or wants to be called again.

        A slice that is finished is left as it is. Raises InvalidInput for a plan that is not there.
        """
        plan, slice_ = AudiencePlan.load(self.files, payload["plan"]), int(payload["slice"])
        state = load_state(self.files, plan, slice_) or SliceState(cost=RunCost(slices=1))
        if not state.done:
            state.cost.calls += 1
            self._go_on(plan, slice_, state, remaining)
        return {"plan": payload["plan"], "slice": slice_, "done": state.done}

    def _go_on(self, plan: AudiencePlan, slice_: int, state: SliceState, remaining: Remaining) -> None:
        begun_at = state.after
        writes = plan.keeps_files and (plan.limit is None or plan.hold_out is not None)
        shelf: Shelf = FileShelf(self.files, plan, slice_, state) if writes else NoShelf()
        try:
            self.reader.read_on(plan, slice_, state, shelf=shelf, remaining=remaining)
        except TemporarilyUnavailable:
            if state.after != begun_at:  # the pages before this one are done; the retry goes on behind them
                self._keep(plan, slice_, state, shelf)
            raise
        self._keep(plan, slice_, state, shelf)

    def _keep(self, plan: AudiencePlan, slice_: int, state: SliceState, shelf: Shelf) -> None:
        before = len(state.files) + len(state.held_out_files)
        shelf.finish()
        state.cost.files += len(state.files) + len(state.held_out_files) - before + 1  # and the state itself
        if plan.limit is not None:
            state.drawn = nsmallest(plan.limit, state.drawn)
        self.files.write(plan.work(slice_), json.dumps(state.to_dict(), ensure_ascii=False).encode())


def load_state(files: Files, plan: AudiencePlan, slice_: int) -> SliceState | None:
    """What a slice has found so far; None before its first call has ended."""
    stored = files.read(plan.work(slice_))
    return SliceState.from_dict(json.loads(stored)) if stored else None
