"""Counts whom a rule selects, without building an audience. Called by preview_segment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.audiences.build_audience_slice import AudienceWork, ContactReader, NoSink, new_found
from waypost.audiences.gather_audience import GatherAudience
from waypost.audiences.plan_audience import PlanAudience, work_list
from waypost.bulk.costs import RunCost
from waypost.bulk.plans import store_plan
from waypost.bulk.run_slice import IN_TIME, Remaining, SliceRunner
from waypost.bulk.state import SliceState

AUDIENCE: Final = "preview"
"""The audience name of previews without a segment, for the key of their card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewSegment:
    """Previews a small base in one invocation; for a larger one it plans slices."""

    plan_audience: PlanAudience
    reader: ContactReader
    gather_audience: GatherAudience
    runner: SliceRunner = IN_TIME

    def preview(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{input, execution}`` → ``{done: true, preview}``, or ``{done: false, plan, slices}`` for the slices to do.

        ``preview`` is as ``GatherAudience.result``; no members are kept. Raises InvalidInput.
        """
        given = payload["input"]
        if isinstance(given, Mapping) and not (given.get("segment") or given.get("audience")):
            given = {**given, "audience": AUDIENCE}
        plan = self.plan_audience.planned(given, execution=payload["execution"], keeps_files=False)
        if plan.slices == 1:
            state = SliceState(new_found(plan), cost=RunCost(calls=1))
            work = AudienceWork(self.reader, plan, 0, lambda _: NoSink())
            self.runner.run(state, 0, work, remaining=remaining, store=lambda: True)
            if state.done:
                return {"done": True, "preview": self.gather_audience.result(plan, state)}
        return {"done": False, **work_list(store_plan(self.plan_audience.files, plan.key, plan))}
