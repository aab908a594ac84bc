"""Standing rules for tests: segments, tags with rules and a life cycle, in the form that the journeys layer carries."""

from collections.abc import Mapping
from typing import Any

from waypost.contacts.tag_system import TagSystem
from waypost.segments.lifecycle import Lifecycle
from waypost.segments.saved_segments import SavedSegment

Rule = Mapping[str, Any]


def saved(refresh: str = "daily", /, **rules: Rule) -> dict[str, SavedSegment]:
    """Segments by name, underscores written as hyphens: ``saved(vip_members={"tag": "vip"})``."""
    fields = {"description": "for a test", "owner": "nobody", "refresh": refresh}
    named = {name.replace("_", "-"): rule for name, rule in rules.items()}
    return {name: SavedSegment.from_dict(name, {**fields, "rule": rule}) for name, rule in named.items()}


def tag_system(expires: Mapping[str, int] | None = None, **rules: Rule | None) -> TagSystem:
    """Tags by name, each with its rule or none; ``expires`` has the seconds after which a tag ends."""
    tags: dict[str, dict[str, Any]] = {name.replace("_", "-"): {"rule": rule} for name, rule in rules.items()}
    tags |= {name: {"rule": None, "expires_after_seconds": seconds} for name, seconds in (expires or {}).items()}
    common = {"dimension": "behaviour", "description": "for a test", "owner": "nobody"}
    return TagSystem.from_dict({"tags": {name: {**common, **tag} for name, tag in tags.items()}})


def lifecycle(*stages: tuple[str, list[str], Rule | None]) -> Lifecycle:
    """Stages as (name, after, rule), in the order in which they are asked."""
    return Lifecycle.from_dict(
        {"stages": [{"stage": name, "after": after, "rule": rule} for name, after, rule in stages]}
    )
