"""How a refresh is cut up, and whether there is anything to do at all. Called by plan_refresh."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waypost.clock import Clock, format_instant
from waypost.contacts.tag_system import TagSystem
from waypost.errors import InvalidInput
from waypost.metrics.declaration import MetricsDeclaration
from waypost.metrics.slices import RefreshKind, SlicePart, slices_for
from waypost.segments.index import RuleIndex
from waypost.segments.ports import ProfileScan
from waypost.segments.saved_segments import SavedSegment


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRefresh:
    """Knows what is declared and about how large the base is."""

    scan: ProfileScan
    declaration: MetricsDeclaration
    tags: TagSystem
    index: RuleIndex
    segments: Mapping[str, SavedSegment]
    clock: Clock

    def plan(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{slices, ranked, run}`` for a ``run`` of the kind ``refresh``: ``daily`` (everything) or ``hourly`` (segments).

        No slices when nothing is declared that time could change; ``ranked`` when the base has to be counted first.
        """
        refresh = _kind(payload.get("refresh") or "daily")
        run, ranked = str(payload["run"]), refresh == "daily" and self.declaration.rfm is not None
        total = slices_for(self.scan.size().contacts) if self._has_work(refresh) else 0
        at = self.clock()
        slices = [SlicePart(run, at, refresh, segment, total).planned() for segment in range(total)]
        return {
            "run": run,
            "at": format_instant(at),
            "refresh": refresh,
            "ranked": ranked and total > 0,
            "slices": slices,
        }

    def _has_work(self, refresh: RefreshKind) -> bool:
        if refresh == "hourly":
            return any(segment.refresh == "hourly" for segment in self.segments.values())
        return bool(self.declaration) or len(self.index) > 0 or bool(self.tags.lasting)


def _kind(text: str) -> RefreshKind:
    match text:
        case "daily" | "hourly":
            return text
        case _:
            raise InvalidInput("refresh", f"expected daily or hourly, got {text!r}")
