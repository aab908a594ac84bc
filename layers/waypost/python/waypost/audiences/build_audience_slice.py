"""Reads one slice of the base and writes who belongs to the audience. Called by build_audience_slice and by previews."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from heapq import nsmallest
from typing import Any, Final, Protocol, Self

from waypost.audiences.persona import PERSONA_READS, Tally, sketch
from waypost.audiences.plan_audience import CARD_SALT, CONTACTS_PER_FILE, AudiencePlan
from waypost.audiences.sketches import SetDigest
from waypost.bulk.pages import Page
from waypost.bulk.plans import load_plan
from waypost.bulk.run_slice import IN_TIME, Remaining, SliceRunner, SliceWork
from waypost.bulk.state import SliceStates
from waypost.codec import JsonForm
from waypost.files.ports import Files
from waypost.segments.buckets import bucket, position
from waypost.segments.history_lookup import HistoryLookup
from waypost.segments.ports import ProfileScan, Stored
from waypost.segments.subject import Subject

AT_ONCE: Final = 8
"""Histories read at the same time; most of the time is spent waiting for DynamoDB."""

Drawn = tuple[int, str]
"""The position of a contact in the order drawn by the plan's salt, and its id."""

Sampled = tuple[int, dict[str, Any]]
"""The position of a contact in that order, and what the sample shows of it."""


@dataclass(frozen=True, slots=True, order=True)
class MemberFile(JsonForm):
    """A file of contact ids; ``sha256`` is that of its lines, before they are compressed."""

    key: str
    contacts: int
    sha256: str


@dataclass(slots=True)
class AudienceFound(JsonForm):
    """What one slice, or several together, have found.

    ``matching`` contacts answer the rule. Those are ``held_out``, or ``members``; with a ``limit`` the members are not
    written yet and ``drawn`` holds the first ``limit`` of them. ``histories`` were read for contacts whose profile could
    not decide. ``sample`` holds the first ``sampled`` of the members.
    """

    limit: int | None = None
    sampled: int = 0
    matching: int = 0
    histories: int = 0
    members: SetDigest = field(default_factory=SetDigest)
    held_out: SetDigest = field(default_factory=SetDigest)
    files: list[MemberFile] = field(default_factory=list)
    held_out_files: list[MemberFile] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)
    sample: list[Sampled] = field(default_factory=list)
    base: Tally = field(default_factory=Tally)
    segment: Tally = field(default_factory=Tally)

    def merge(self, other: Self) -> None:
        """Add what another slice found."""
        self.matching += other.matching
        self.histories += other.histories
        self.members.merge(other.members)
        self.held_out.merge(other.held_out)
        self.files = sorted([*self.files, *other.files])
        self.held_out_files = sorted([*self.held_out_files, *other.held_out_files])
        self.drawn = nsmallest(self.limit or 0, [*self.drawn, *other.drawn])
        self.sample = first_drawn([*self.sample, *other.sample], self.sampled)
        self.base.merge(other.base)
        self.segment.merge(other.segment)


def first_drawn(sample: Sequence[Sampled], most: int) -> list[Sampled]:
    """The ``most`` first of a sample, by position and id."""
    return nsmallest(most, sample, key=lambda each: (each[0], each[1]["contact_id"]))


class MemberSink(Protocol):
    """Takes the members of an audience; a preview drops them."""

    def add(self, contact_id: str, *, held_out: bool) -> None:
        """Add a member, or a contact that is held out."""
        ...

    def write(self) -> None:
        """Write the files that are full."""
        ...

    def finish(self) -> None:
        """Write what is left; all files are then in what was found."""
        ...


class NoSink:
    """A MemberSink that drops all: for previews, and for audiences whose members are drawn when all slices are done."""

    def add(self, contact_id: str, *, held_out: bool) -> None:
        """See MemberSink."""

    def write(self) -> None:
        """See MemberSink."""

    def finish(self) -> None:
        """See MemberSink."""


class FileSink:
    """A MemberSink that writes files; their numbers continue those in ``found``.

    An invocation that died may have left files that no state lists. They have the numbers that come next, so ``finish``
    empties the ones that are not overwritten: listing the folder finds every member once.
    """

    def __init__(self, files: Files, plan: AudiencePlan, slice_: int, found: AudienceFound) -> None:
        self._files = files
        self._plan = plan
        self._slice = slice_
        self._lists = {False: found.files, True: found.held_out_files}
        self._waiting: dict[bool, list[str]] = {False: [], True: []}

    def add(self, contact_id: str, *, held_out: bool) -> None:
        """See MemberSink."""
        self._waiting[held_out].append(contact_id)

    def write(self) -> None:
        """See MemberSink."""
        for held_out, waiting in self._waiting.items():
            while len(waiting) >= CONTACTS_PER_FILE:
                self._write(held_out)

    def finish(self) -> None:
        """See MemberSink."""
        for held_out, waiting in self._waiting.items():
            while waiting:
                self._write(held_out)
            number = len(self._lists[held_out])
            while self._files.read(key := self._plan.members(self._slice, number, held_out=held_out)):
                self._files.write(key, b"")
                number += 1

    def _write(self, held_out: bool) -> None:
        known, ids = self._lists[held_out], self._waiting[held_out][:CONTACTS_PER_FILE]
        key = self._plan.members(self._slice, len(known), held_out=held_out)
        known.append(write_members(self._files, key, ids, self._plan.compressed))
        del self._waiting[held_out][:CONTACTS_PER_FILE]


def write_members(files: Files, key: str, ids: Sequence[str], compressed: bool) -> MemberFile:
    """Write a file of contact ids, one JSON object a line. The same ids make the same bytes."""
    lines = "".join(f'{{"contact_id":{json.dumps(contact_id)}}}\n' for contact_id in ids).encode()
    files.write(key, gzip.compress(lines, mtime=0) if compressed else lines)
    return MemberFile(key, len(ids), sha256(lines).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactReader:
    """Reads profiles, and the events of contacts whose profile cannot decide."""

    scan: ProfileScan
    history_lookup: HistoryLookup


class AudienceWork(SliceWork[AudienceFound, Stored]):
    """Evaluates the plan's rule for every contact of a slice; ``sink`` makes the MemberSink of one checkpoint."""

    _sink: MemberSink
    """That of the current checkpoint."""

    def __init__(
        self, reader: ContactReader, plan: AudiencePlan, slice_: int, sink: Callable[[AudienceFound], MemberSink]
    ) -> None:
        self._scan, self._history_lookup = reader.scan, reader.history_lookup
        self._plan, self._slice, self._new_sink = plan, slice_, sink
        self._asked = plan.query.reads
        self._view = self._scan.viewer(self._asked, now=plan.at, default_zone=plan.default_zone)
        self._show = self._scan.viewer(PERSONA_READS, now=plan.at, default_zone=plan.default_zone)

    def pages(self, after: str | None) -> Iterator[Page[Stored]]:
        """See SliceWork."""
        shown = self._asked | PERSONA_READS if self._plan.base_one_in else self._asked
        return self._scan.stored(self._slice, self._plan.slices, reads=shown, after=after)

    @contextmanager
    def checkpoint(self, found: AudienceFound, name: str) -> Iterator[None]:  # noqa: ARG002 - see below
        """See SliceWork; members are in files numbered by slice, of a name that people read, and not of ``name``."""
        self._sink = self._new_sink(found)
        yield
        self._sink.finish()
        if self._plan.limit is not None:
            found.drawn = nsmallest(self._plan.limit, found.drawn)

    def take(self, found: AudienceFound, page: Page[Stored]) -> None:
        """Evaluate the rule for the whole page, then count it; nothing fails once counting has begun."""
        self._sink.write()
        stored = page.items
        view, decide = self._view, self._plan.query.decide
        subjects = [view(profile) for profile in stored]
        answers = [decide(subject) for subject in subjects]
        unclear = [index for index, answer in enumerate(answers) if answer is None]
        for index, holds in zip(unclear, self._look_up(stored, subjects, unclear), strict=True):
            answers[index] = holds
        found.histories += len(unclear)
        one_in = self._plan.base_one_in
        for profile, subject, answer in zip(stored, subjects, answers, strict=True):
            for_base = one_in == 1 or (one_in > 1 and bucket(subject.contact_id, CARD_SALT, one_in) == 0)
            if for_base or answer:
                self._count(found, profile, subject, for_base=for_base, matches=bool(answer))

    def _look_up(self, stored: Sequence[Stored], subjects: Sequence[Subject], unclear: Sequence[int]) -> list[bool]:
        """The answers for contacts whose history must be read, several at a time."""
        holds, lookup, scan, asked = self._plan.query.holds, self._history_lookup, self._scan, self._asked

        def answer(index: int) -> bool:
            return holds(lookup.added(subjects[index], scan.partitions_of(stored[index]), asked))

        if not unclear:
            return []
        with ThreadPoolExecutor(AT_ONCE) as readers:
            return list(readers.map(answer, unclear))

    def _count(
        self,
        found: AudienceFound,
        profile: Stored,
        subject: Subject,
        *,
        for_base: bool,
        matches: bool,
    ) -> None:
        plan = self._plan
        shown = self._show(profile) if plan.base_one_in else None
        if for_base and shown is not None:
            found.base.add(shown)
        if not matches:
            return
        found.matching += 1
        if shown is not None:
            found.segment.add(shown)
        contact_id = subject.contact_id
        if plan.is_held_out is not None and plan.is_held_out(subject):
            found.held_out.add(contact_id)
            self._sink.add(contact_id, held_out=True)
            return
        found.members.add(contact_id)
        place = position(contact_id, plan.salt)
        about = {"contact_id": contact_id} if shown is None else sketch(shown)
        found.sample = _taken(found.sample, (place, about), plan.sample)
        if plan.limit is None:
            self._sink.add(contact_id, held_out=False)
        else:
            found.drawn.append((place, contact_id))
            if len(found.drawn) > 2 * plan.limit:
                found.drawn = nsmallest(plan.limit, found.drawn)


def _taken(sample: list[Sampled], candidate: Sampled, most: int) -> list[Sampled]:
    """The sample with the candidate, if its position is before one of the others."""
    if len(sample) >= most and (not sample or candidate[0] > sample[-1][0]):
        return sample
    return first_drawn([*sample, candidate], most)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildAudienceSlice:
    """Builds a slice of an audience in invocations that end in time, each with one checkpoint."""

    files: Files
    reader: ContactReader
    runner: SliceRunner = IN_TIME

    def step(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{plan, slice}`` → the same with ``done``. Raises InvalidInput for a plan that is not there."""
        plan, slice_ = load_plan(self.files, payload["plan"], AudiencePlan), int(payload["slice"])
        writes = plan.keeps_files and (plan.limit is None or plan.hold_out is not None)
        work = AudienceWork(
            self.reader,
            plan,
            slice_,
            lambda found: FileSink(self.files, plan, slice_, found) if writes else NoSink(),
        )
        state = self.runner.resume(
            audience_states(self.files, plan), slice_, work, new=partial(new_found, plan), remaining=remaining
        )
        return {"plan": payload["plan"], "slice": slice_, "done": state.done}


def new_found(plan: AudiencePlan) -> AudienceFound:
    """What a slice has found before its first page."""
    return AudienceFound(limit=plan.limit, sampled=plan.sample)


def audience_states(files: Files, plan: AudiencePlan) -> SliceStates[AudienceFound]:
    """The states of the slices of an audience; only the run itself reads them."""
    return SliceStates(files, f"{plan.work}slices/", AudienceFound)
