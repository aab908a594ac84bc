"""Says how many a rule selects before anybody builds an audience of them. Called by preview_segment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.audiences.build_audience_slice import NoShelf, Remaining, SliceReader, SliceState
from waypost.audiences.costs import RunCost
from waypost.audiences.gather_audience import GatherAudience, together
from waypost.audiences.plan_audience import PlanAudience, work_list

AUDIENCE: Final = "preview"
"""The name under which the cards of previews without a segment are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewSegment:
    """Previews a small base in one call; for a larger one it says how to go about it."""

    planner: PlanAudience
    reader: SliceReader
    gatherer: GatherAudience

    def preview(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{input, execution}`` → ``{done: true, preview}``, or ``{done: false, plan, slices}`` for the slices to do.

        ``preview`` is as ``AudienceGatherer.told``; no members are kept. Raises InvalidInput.
        """
        given = payload["input"]
        if isinstance(given, Mapping) and not (given.get("segment") or given.get("audience")):
            given = {**given, "audience": AUDIENCE}
        plan = self.planner.planned(given, execution=payload["execution"], keeps_files=False)
        if plan.slices == 1:
            state = SliceState(cost=RunCost(calls=1, files=1))
            self.reader.read_on(plan, 0, state, shelf=NoShelf(), remaining=remaining)
            if state.done:
                return {"done": True, "preview": self.gatherer.told(plan, together(plan, [state]))}
        self.planner.files.write_once(plan.key, json.dumps(plan.to_dict(), ensure_ascii=False).encode())
        return {"done": False, **work_list(plan)}
