"""Puts the slices of an audience together: the manifest that freezes it, the count, the card. Called by gather_audience and previews."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.audiences.build_audience_slice import MemberFile, SliceState, load_state, write_members
from waypost.audiences.persona_card import Card, card_of
from waypost.audiences.plan_audience import CONTACTS_PER_FILE, AudiencePlan
from waypost.audiences.sketches import SetDigest
from waypost.clock import Clock, format_instant
from waypost.errors import InvalidInput
from waypost.files.ports import Files
from waypost.segments.saved_segments import SavedSegment

CARD_TYPE: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherAudience:
    """Ends a run. Whatever is done twice gives the same manifest: the first one that is written stands."""

    files: Files
    segments: Mapping[str, SavedSegment]
    clock: Clock

    def gather(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{plan}`` → what the marketer sees: counts, sample, cost, and where manifest, members and card are.

        Raises InvalidInput when a slice is not finished.
        """
        plan = AudiencePlan.load(self.files, payload["plan"])
        state = together(plan, self._states(plan))
        if not plan.keeps_files:
            return self.told(plan, state)
        key = f"{plan.folder}manifest.json"
        if self.files.read(key) is None:
            self._write_drawn(plan, state)
            told = self.told(plan, state)
            manifest = told | {
                "rule": plan.rule,
                "files": [file.to_dict() for file in state.files],
                "held_out_files": [file.to_dict() for file in state.held_out_files],
                "plan": plan.to_dict(),
            }
            self.files.write_once(key, json.dumps(manifest, ensure_ascii=False, indent=1).encode())
        found: dict[str, Any] = json.loads(self.files.read(key) or b"{}")
        shown = {name: value for name, value in found.items() if name not in _ONLY_IN_MANIFEST}
        return shown | {"manifest": key, "folder": f"{plan.folder}members/"}

    def told(self, plan: AudiencePlan, state: SliceState) -> dict[str, Any]:
        """The result of a run, with its card written."""
        beyond = max(0, state.members.contacts - plan.limit) if plan.limit is not None else 0
        members = SetDigest.of(contact_id for _, contact_id in state.drawn) if beyond else state.members
        found = {
            "audience": plan.audience,
            "run": plan.run,
            "segment": plan.segment or None,
            "at": format_instant(plan.at),
            "count": members.contacts,
            "digest": members.text,
            "contacts": state.contacts,
            "matching": state.matching,
            "share": round(state.matching / state.contacts, 6) if state.contacts else 0.0,
            "held_out": {**plan.hold_out, **state.held_out.to_dict()} if plan.hold_out else None,
            "beyond_limit": beyond,
            "histories_read": state.histories,
            "sample": [about for _, about in state.sample[: members.contacts]],  # the same order as the limit's
            "gathered_at": format_instant(self.clock()),
            "cost": state.cost.told(),
        }
        if plan.base_one_in:
            found["card"] = self._write_card(plan, state)
        return found

    def _states(self, plan: AudiencePlan) -> Iterator[SliceState]:
        for slice_ in range(plan.slices):
            state = load_state(self.files, plan, slice_)
            if state is None or not state.done:
                raise InvalidInput("plan", f"slice {slice_} of {plan.key} is not finished; redrive the execution")
            yield state

    def _write_drawn(self, plan: AudiencePlan, state: SliceState) -> None:
        """With a limit, who is in it is known only now."""
        if plan.limit is None:
            return
        ids = [contact_id for _, contact_id in state.drawn]
        for number, start in enumerate(range(0, len(ids), CONTACTS_PER_FILE)):
            some = ids[start : start + CONTACTS_PER_FILE]
            state.files.append(write_members(self.files, plan.members(0, number), some, plan.compressed))
            state.cost.files += 1

    def _write_card(self, plan: AudiencePlan, state: SliceState) -> str:
        from waypost.audiences.persona_page import page  # noqa: PLC0415 - charts are drawn once per run, not per slice

        key = f"{plan.folder}card.html"
        content = page(self.card(plan, state), language=plan.language)
        with self.files.writer(key, content_type=CARD_TYPE) as file:
            file.write(content.encode())
        return key

    def card(self, plan: AudiencePlan, state: SliceState) -> Card:
        """The persona card of what a run has counted."""
        saved = self.segments.get(plan.segment)
        return card_of(
            state.segment,
            state.base,
            name=plan.segment or plan.audience,
            description=saved.description if saved else "",
            owner=saved.owner if saved else "",
            at=plan.at.astimezone(plan.default_zone),
            contacts=state.contacts,
        )


def together(plan: AudiencePlan, states: Iterable[SliceState]) -> SliceState:
    """What slices have found as one, taken one after the other: memory holds one of them and the sum."""
    whole = SliceState(done=True)
    for state in states:
        whole.merge(state, plan)
    whole.files.sort(key=lambda file: file.key)
    whole.held_out_files.sort(key=lambda file: file.key)
    return whole


_ONLY_IN_MANIFEST: Final = frozenset({"rule", "files", "held_out_files", "plan"})
"""What is as long as the audience or the rule: an execution's output ends at 256 KB."""


def files_of(manifest: Mapping[str, Any]) -> list[MemberFile]:
    """The files of members that a manifest lists, in order."""
    return [MemberFile.from_dict(file) for file in manifest["files"]]
