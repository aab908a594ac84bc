"""The number of slices of a refresh, and whether there is anything to do. Called by plan_refresh."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from waypost.bulk.slices import slice_payloads
from waypost.clock import Clock, format_instant
from waypost.contacts.tag_system import TagSystem
from waypost.errors import InvalidInput
from waypost.metrics.declaration import MetricsDeclaration
from waypost.metrics.refresh import SLICES, RefreshKind
from waypost.products.catalogue import Catalogue
from waypost.segments.index import RuleIndex
from waypost.segments.ports import ProfileScan
from waypost.segments.saved_segments import SavedSegment


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRefresh:
    """Plans a refresh by what is declared and the approximate size of the base."""

    scan: ProfileScan
    declaration: MetricsDeclaration
    tags: TagSystem
    index: RuleIndex
    segments: Mapping[str, SavedSegment]
    catalogue: Callable[[], Catalogue]
    clock: Clock

    def plan(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{slices, counted, related, run}`` for a ``run`` of the kind ``refresh``: ``daily`` (everything) or ``hourly`` (segments).

        No slices when nothing declared changes with time; ``counted`` when the purchases have to be counted first, ``related`` when
        also which products were bought together.
        """
        refresh = _kind(payload.get("refresh") or "daily")
        related = refresh == "daily" and self.catalogue().counting is not None
        ranked = refresh == "daily" and self.declaration.rfm is not None
        total = SLICES.slices(self.scan.size()) if related or self._has_work(refresh) else 0
        shared = {"run": str(payload["run"]), "at": format_instant(self.clock()), "refresh": refresh}
        passes = {"counted": (ranked or related) and total > 0, "related": related and total > 0}
        return {**shared, **passes, "slices": slice_payloads(total, **shared, of=total)}

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
