"""An EnrolmentStore in memory."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.fakes.effects import Effects, effect
from waypost.clock import format_instant
from waypost.events.retention import PASSAGES
from waypost.ids import shard_of
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.ports import LONGEST_CALL, NEVER, SHARDS, DueEnrolment, EntryTerms, Refusal


class FakeEnrolments:
    """An EnrolmentStore."""

    label = "enrolments"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.items: dict[tuple[str, str], str] = {}
        self.past: dict[tuple[str, str], str] = {}
        self.holders: dict[tuple[str, str], dict[str, Any]] = {}
        self.notes: dict[tuple[str, str, str], DueEnrolment] = {}
        self.swept: datetime | None = None
        self.audiences: Counter[tuple[str, int]] = Counter()
        self.between: Callable[[], object] = lambda: None
        """Called between the writes of an entry and of an end, where others may come."""

    def __contains__(self, enrolment_id: object) -> bool:
        return any(enrolment_id == known for _, known in self.past | self.items)

    def __iter__(self) -> Iterator[Enrolment]:
        return (Enrolment.from_dict(json.loads(item)) for item in (self.past | self.items).values())

    def __len__(self) -> int:
        return len(self.past | self.items)

    def put(self, enrolment: Enrolment) -> Enrolment:
        """Have this enrolment, without an effect, and noted."""
        self._store(enrolment)
        noted = DueEnrolment(enrolment.contact_id, enrolment.enrolment_id, enrolment.due_at)
        self.notes[_place(noted)] = noted
        return replace(enrolment, revision=enrolment.revision + 1)

    def open(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        """See EnrolmentStore. Three writes, as in DynamoDB: the place in the journey, the group, the row."""
        refusal = self._try_to_open(enrolment, terms)
        if refusal == "enrolled_before" and terms.one_at_a_time:
            freed = [self._free_left(owner, enrolment, terms) for owner in (enrolment.contact_id, *terms.also_under)]
            if any(freed):
                return self._try_to_open(enrolment, terms)
        return refusal

    def _try_to_open(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        if terms.audience_limit is None and not terms.also_under:
            return self._open_step_by_step(enrolment, terms)
        return self.open_at_once(enrolment, terms)

    def _free_left(self, owner: str, enrolment: Enrolment, terms: EntryTerms) -> bool:
        held = self.holders.get((owner, f"reentry#{enrolment.occasion}"))
        if held is None:
            return False
        is_the_same = held.get("event_id") == enrolment.trigger.id
        is_kept = held["enrolled_at"] > enrolment.enrolled_at - PASSAGES.keep
        if terms.also_under and is_the_same and is_kept and self.load(owner, held["enrolment_id"]) is None:
            self.drop_unstored(owner, enrolment.occasion, terms.exclusive_group, held["enrolment_id"])
            return True
        if terms.not_since == NEVER or not held["active"] or not self._holds_no_longer(owner, enrolment, held):
            return False
        held["active"] = False
        return True

    @effect
    def drop_unstored(self, /, owner: str, occasion: str, group: str | None, enrolment_id: str) -> None:
        """Drop what a call took that died before it stored the row."""
        for name in (f"group#{group}", f"reentry#{occasion}"):
            if self.holders.get((owner, name), {}).get("enrolment_id") == enrolment_id:
                del self.holders[owner, name]

    def _open_step_by_step(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        before: Mapping[str, Any] | None = None
        if terms.one_at_a_time:
            is_ours, before = self.take_place(enrolment, terms)
            if not is_ours:
                return self._why_not(enrolment, "already_in_journey")
            self.between()
        if terms.exclusive_group and not self.take_group(enrolment, terms.exclusive_group):
            if terms.one_at_a_time:
                self.give_back(enrolment, before)
            return self._why_not(enrolment, "exclusive_group_taken")
        self.between()
        if not self.put_open(enrolment):
            return self._why_not(enrolment, "enrolled_before")
        if self.ended(enrolment.contact_id, enrolment.enrolment_id) is None:
            return None
        del self.items[enrolment.contact_id, enrolment.enrolment_id]
        self._free_all(enrolment)
        return "enrolled_before"

    @effect
    def take_place(self, /, enrolment: Enrolment, terms: EntryTerms) -> tuple[bool, Mapping[str, Any] | None]:
        """Whether the place in the journey is this enrolment's now, and what held it before."""
        key = enrolment.contact_id, f"reentry#{enrolment.occasion}"
        held = self.holders.get(key)
        is_free = held is None or (
            not held["active"] and (terms.not_since is None or held["enrolled_at"] <= terms.not_since)
        )
        is_kept = held is not None and held["enrolled_at"] > enrolment.enrolled_at - PASSAGES.keep
        if not is_free and not (held is not None and is_kept and held.get("event_id") == enrolment.trigger.id):
            return False, None
        self.holders[key] = _held(enrolment)
        return True, held

    @effect
    def take_group(self, /, enrolment: Enrolment, group: str) -> bool:
        """Whether the group is this enrolment's now."""
        key = enrolment.contact_id, f"group#{group}"
        held = self.holders.get(key)
        mine = held is not None and held["enrolment_id"] == enrolment.enrolment_id
        if held is None or not held["active"] or mine or self._holds_no_longer(enrolment.contact_id, enrolment, held):
            self.holders[key] = _held(enrolment)
            return True
        return False

    @effect
    def give_back(self, /, enrolment: Enrolment, before: Mapping[str, Any] | None) -> None:
        """Let the place in the journey be as it was, unless another call has it by now."""
        key = enrolment.contact_id, f"reentry#{enrolment.occasion}"
        held = self.holders.get(key)
        if held is None or (held["enrolment_id"], held.get("event_id")) != (
            enrolment.enrolment_id,
            enrolment.trigger.id,
        ):
            return
        if before is None:
            del self.holders[key]
        else:
            self.holders[key] = dict(before)

    @effect
    def put_open(self, /, enrolment: Enrolment) -> bool:
        """Store the row unless there is one."""
        if (enrolment.contact_id, enrolment.enrolment_id) in self.items:
            return False
        self._store(enrolment)
        return True

    def _why_not(self, enrolment: Enrolment, refusal: Refusal) -> Refusal | None:
        known = self.load(enrolment.contact_id, enrolment.enrolment_id)
        if known is not None:
            return None if known.trigger.id == enrolment.trigger.id else "enrolled_before"
        active = any(other.occasion == enrolment.occasion for other in self.unfinished(enrolment.contact_id))
        return "enrolled_before" if refusal == "already_in_journey" and not active else refusal

    def _holds_no_longer(self, owner: str, enrolment: Enrolment, held: Mapping[str, Any]) -> bool:
        key = owner, held["enrolment_id"]
        if key in self.items:
            return False
        return held["enrolled_at"] <= enrolment.enrolled_at - LONGEST_CALL or key in self.past

    def _free_all(self, enrolment: Enrolment) -> None:
        for (contact_id, name), held in self.holders.items():
            mine = contact_id == enrolment.contact_id and held["enrolment_id"] == enrolment.enrolment_id
            if mine and not (name.startswith("reentry#") and enrolment.enters_once):
                held["active"] = False

    @effect
    def open_at_once(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        """One transaction, as in DynamoDB where an audience is counted or other ids of the contact hold something."""
        known = self.load(enrolment.contact_id, enrolment.enrolment_id)
        if known is not None:
            return None if known.trigger.id == enrolment.trigger.id else "enrolled_before"
        owners = (enrolment.contact_id, *terms.also_under)
        held = [f"reentry#{enrolment.occasion}"] if terms.one_at_a_time else []
        if held and not all(self._is_free(owner, held[0], terms.not_since) for owner in owners):
            unfinished = [other for owner in owners for other in self.unfinished(owner)]
            active = any(other.occasion == enrolment.occasion for other in unfinished)
            return "already_in_journey" if active else "enrolled_before"
        if terms.exclusive_group:
            held.append(f"group#{terms.exclusive_group}")
            if not all(self._is_free(owner, held[-1], None) for owner in owners):
                return "exclusive_group_taken"
        audience = (enrolment.journey, enrolment.version)
        if terms.audience_limit is not None:
            if self.audiences[audience] >= terms.audience_limit:
                return "audience_limit_reached"
            self.audiences[audience] += 1
        for name in held:
            self.holders[enrolment.contact_id, name] = _held(enrolment)
        self._store(enrolment)
        return None

    def load(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """See EnrolmentStore."""
        key = contact_id, enrolment_id
        item = self.items.get(key) or self.past.get(key)
        return Enrolment.from_dict(json.loads(item)) if item else None

    def glance(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """See EnrolmentStore."""
        item = self.items.get((contact_id, enrolment_id))
        return Enrolment.from_dict(json.loads(item)) if item else None

    def ended(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """See EnrolmentStore."""
        item = self.past.get((contact_id, enrolment_id))
        return Enrolment.from_dict(json.loads(item)) if item else None

    def unfinished(self, contact_id: str) -> list[Enrolment]:
        """See EnrolmentStore."""
        return [each for each in self.of_contact(contact_id) if each.status in {"active", "leaving"}]

    def of_contact(self, contact_id: str) -> list[Enrolment]:
        """See EnrolmentStore."""
        items = [item for (owner, _), item in (self.past | self.items).items() if owner == contact_id]
        return [Enrolment.from_dict(json.loads(item)) for item in items]

    @effect
    def save(self, enrolment: Enrolment) -> bool:
        """See EnrolmentStore."""
        if not self._is_as_read(enrolment):
            return False
        self._store(enrolment)
        return True

    @effect
    def hold_until(self, contact_id: str, enrolment_id: str, instant: datetime) -> None:
        """See EnrolmentStore."""
        stored = self.load(contact_id, enrolment_id)
        held = stored is not None and (stored.anchor_at is None or stored.anchor_at < instant)
        if stored is not None and held and stored.status != "ended":
            self._store(replace(stored, anchor_at=instant))

    def end(self, enrolment: Enrolment) -> bool:
        """See EnrolmentStore. Two writes, as in DynamoDB: an ended row says nothing as long as there is an open one."""
        self._free_all(enrolment)
        if not self._is_as_read(enrolment):
            return False
        kept = self.keep(enrolment)
        self.between()
        return self.close(enrolment, kept=kept)

    @effect
    def keep(self, /, enrolment: Enrolment) -> bool:
        """Write the ended row, unless another end was first."""
        key = enrolment.contact_id, enrolment.enrolment_id
        if key in self.past and json.loads(self.past[key])["revision"] > enrolment.revision:
            return False
        self.past[key] = _dumped(enrolment)
        return True

    def load_many(self, references: Sequence[DueEnrolment]) -> list[Enrolment]:
        """See ChangedEnrolments."""
        found = (self.load(each.contact_id, each.enrolment_id) for each in references)
        return [each for each in found if each is not None and each.status != "ended"]

    @effect
    def reopen(self, enrolment: Enrolment) -> bool:
        """See ChangedEnrolments."""
        stored = self.load(enrolment.contact_id, enrolment.enrolment_id)
        if stored is None or stored.status != "ended" or stored.revision != enrolment.revision:
            return False
        names = [f"reentry#{enrolment.occasion}", f"group#{enrolment.exclusive_group}"]
        held = [
            self.holders[enrolment.contact_id, name] for name in names if (enrolment.contact_id, name) in self.holders
        ]
        if any(each["active"] and each["enrolment_id"] != enrolment.enrolment_id for each in held):
            return False
        for each in held:
            each |= {"active": True, "enrolment_id": enrolment.enrolment_id, "enrolled_at": enrolment.enrolled_at}
        del self.past[enrolment.contact_id, enrolment.enrolment_id]
        self._store(enrolment)
        return True

    @effect
    def close(self, /, enrolment: Enrolment, *, kept: bool) -> bool:
        """Remove the open row; if it was changed since it was read, what was kept is not true."""
        key = enrolment.contact_id, enrolment.enrolment_id
        if self._is_as_read(enrolment):
            del self.items[key]
            return True
        ours = key in self.past and json.loads(self.past[key])["revision"] == enrolment.revision + 1
        if key in self.items and ours:
            del self.past[key]
        return kept and ours and key not in self.items

    def find_due(
        self, shard: int, *, since: datetime | None, until: datetime, after: DueEnrolment | None = None
    ) -> Iterator[DueEnrolment]:
        """See EnrolmentStore."""
        found = [
            each
            for _, each in sorted(self.notes.items())
            if shard_of(each.contact_id, SHARDS) == shard
            and (since is None or since < each.due_at)
            and each.due_at <= until
        ]
        return iter([each for each in found if after is None or _place(each) > _place(after)])

    @effect
    def note_due(self, contact_id: str, enrolment_id: str, at: datetime) -> None:
        """See EnrolmentStore."""
        noted = DueEnrolment(contact_id, enrolment_id, at)
        self.notes[_place(noted)] = noted

    def unsettled(self, noted: Sequence[DueEnrolment], until: datetime) -> list[DueEnrolment]:
        """See EnrolmentStore."""
        by_row = {(each.contact_id, each.enrolment_id): each for each in noted}
        rows = {key: row for key in by_row if (row := self.glance(*key)) is not None}
        return [by_row[key] for key, row in rows.items() if row.position == "running" or row.due_at <= until]

    def swept_until(self) -> datetime | None:
        """See EnrolmentStore."""
        return self.swept

    @effect
    def mark_swept(self, until: datetime) -> None:
        """See EnrolmentStore."""
        self.swept = until

    def _is_free(self, contact_id: str, name: str, not_since: datetime | None) -> bool:
        held = self.holders.get((contact_id, name))
        if held is None:
            return True
        active = held["active"] and (contact_id, held["enrolment_id"]) in self.items
        return not active and (not_since is None or held["enrolled_at"] <= not_since)

    def _is_as_read(self, enrolment: Enrolment) -> bool:
        stored = self.load(enrolment.contact_id, enrolment.enrolment_id)
        return stored is not None and stored.status != "ended" and stored.revision == enrolment.revision

    def _store(self, enrolment: Enrolment) -> None:
        rows = self.past if enrolment.status == "ended" else self.items
        rows[enrolment.contact_id, enrolment.enrolment_id] = _dumped(enrolment)


def _held(enrolment: Enrolment) -> dict[str, Any]:
    return {
        "active": True,
        "enrolment_id": enrolment.enrolment_id,
        "enrolled_at": enrolment.enrolled_at,
        "event_id": enrolment.trigger.id,
    }


def _dumped(enrolment: Enrolment) -> str:
    return json.dumps(enrolment.to_dict() | {"revision": enrolment.revision + 1})


def _place(reference: DueEnrolment) -> tuple[str, str, str]:
    return format_instant(reference.due_at), reference.contact_id, reference.enrolment_id
