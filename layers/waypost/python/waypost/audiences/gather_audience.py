"""Puts the slices of an audience together: the manifest that freezes it, the count, the card. Called by gather_audience and previews."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from waypost.audiences.build_audience_slice import AudienceFound, MemberFile, audience_states, write_members
from waypost.audiences.persona import asked_by
from waypost.audiences.persona_card import Card, card_of
from waypost.audiences.plan_audience import CONTACTS_PER_FILE, AudiencePlan
from waypost.audiences.sketches import SetDigest
from waypost.bulk.plans import load_plan
from waypost.bulk.state import SliceState
from waypost.clock import Clock, format_instant
from waypost.files.ports import Files
from waypost.segments.saved_segments import SavedSegment

CARD_TYPE: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherAudience:
    """Ends a run. The manifest is written once; a repeated call returns the first one."""

    files: Files
    segments: Mapping[str, SavedSegment]
    clock: Clock

    def gather(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{plan}`` → counts, sample, cost, and the keys of manifest, members and card, for the marketer.

        Raises InvalidInput when a slice is not finished.
        """
        plan = load_plan(self.files, payload["plan"], AudiencePlan)
        state = audience_states(self.files, plan).gathered(plan.slices)
        if not plan.keeps_files:
            return self.result(plan, state)
        key = f"{plan.folder}manifest.json"
        if self.files.read(key) is None:
            self._write_drawn(plan, state.found)
            manifest = self.result(plan, state) | {
                "rule": plan.rule,
                "files": [file.to_dict() for file in state.found.files],
                "held_out_files": [file.to_dict() for file in state.found.held_out_files],
                "plan": plan.to_dict(),
            }
            self.files.write_once(key, json.dumps(manifest, ensure_ascii=False, indent=1).encode())
        found: dict[str, Any] = json.loads(self.files.read(key) or b"{}")
        shown = {name: value for name, value in found.items() if name not in _ONLY_IN_MANIFEST}
        return shown | {"manifest": key, "folder": f"{plan.folder}members/"}

    def result(self, plan: AudiencePlan, state: SliceState[AudienceFound]) -> dict[str, Any]:
        """The result of a run, with its card written."""
        found = state.found
        beyond = max(0, found.members.contacts - plan.limit) if plan.limit is not None else 0
        members = SetDigest.of(contact_id for _, contact_id in found.drawn) if beyond else found.members
        cost = replace(state.cost, files=state.cost.files + len(found.files) + len(found.held_out_files))
        shown = {
            "audience": plan.audience,
            "run": plan.run,
            "segment": plan.segment or None,
            "at": format_instant(plan.at),
            "count": members.contacts,
            "digest": members.text,
            "contacts": state.items,
            "matching": found.matching,
            "share": round(found.matching / state.items, 6) if state.items else 0.0,
            "held_out": {**plan.hold_out, **found.held_out.to_dict()} if plan.hold_out else None,
            "beyond_limit": beyond,
            "histories_read": found.histories,
            "sample": [about for _, about in found.sample[: members.contacts]],  # the same order as the limit's
            "gathered_at": format_instant(self.clock()),
            "cost": cost.report(),
        }
        if plan.base_one_in:
            shown["card"] = self._write_card(plan, state)
        return shown

    def _write_drawn(self, plan: AudiencePlan, found: AudienceFound) -> None:
        """Write the members of an audience with a limit, which are known only now."""
        if plan.limit is None:
            return
        ids = [contact_id for _, contact_id in found.drawn]
        for number, start in enumerate(range(0, len(ids), CONTACTS_PER_FILE)):
            some = ids[start : start + CONTACTS_PER_FILE]
            found.files.append(write_members(self.files, plan.members(0, number), some, plan.compressed))

    def _write_card(self, plan: AudiencePlan, state: SliceState[AudienceFound]) -> str:
        from waypost.audiences.persona_page import page  # noqa: PLC0415 - charts are drawn once per run, not per slice

        key = f"{plan.folder}card.html"
        content = page(self.card(plan, state), language=plan.language)
        with self.files.writer(key, content_type=CARD_TYPE) as file:
            file.write(content.encode())
        return key

    def card(self, plan: AudiencePlan, state: SliceState[AudienceFound]) -> Card:
        """The persona card of what a run has counted."""
        from waypost.audiences.persona_words import declared_names  # noqa: PLC0415 - only a card has words

        saved = self.segments.get(plan.segment)
        return card_of(
            state.found.segment,
            state.found.base,
            name=plan.segment or plan.audience,
            description=saved.description if saved else "",
            owner=saved.owner if saved else "",
            at=plan.at.astimezone(plan.default_zone),
            contacts=state.items,
            asked=asked_by(plan.rule),
            names=declared_names(),
        )


_ONLY_IN_MANIFEST: Final = frozenset({"rule", "files", "held_out_files", "plan"})
"""Fields that grow with the audience or the rule: an execution's output is limited to 256 KB."""


def files_of(manifest: Mapping[str, Any]) -> list[MemberFile]:
    """The files of members that a manifest lists, in order."""
    return [MemberFile.from_dict(file) for file in manifest["files"]]
