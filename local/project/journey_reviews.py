"""Which journeys are due for a review by their owner, and the day of one written down. Used by ``waypost journey reviews`` and ``review``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

from infra.project import Project
from local.problems import LocalError
from waypost.authoring.discovery import survey
from waypost.durations import parse_duration

_MANIFEST: Final = "journey.yaml"
_REVIEWED: Final = re.compile(r"^reviewed:.*$", re.MULTILINE)
_BEFORE: Final = re.compile(r"^(?:finishes_within|version|trigger):", re.MULTILINE)
"""The line that a journey without a review gets its day in front of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """How a journey stands: ``reviewed`` is None for one that was never reviewed, which is due at once."""

    journey: str
    owner: str
    reviewed: date | None
    due: date | None
    is_due: bool

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "journey": self.journey,
            "owner": self.owner,
            "reviewed": self.reviewed and self.reviewed.isoformat(),
            "due": self.due and self.due.isoformat(),
            "is_due": self.is_due,
        }


def reviews(project: Project, today: date) -> list[Review]:
    """Every journey that takes contacts in, those that are due first, the longest overdue before the others.

    Raises LocalError when the files of a journey are wrong.
    """
    return sorted(_reviews(project, today), key=lambda each: (not each.is_due, each.due or date.min, each.journey))


def _reviews(project: Project, today: date) -> Iterator[Review]:
    library, problems = survey(
        project.statemachines,
        functions=project.product / "functions",
        shipped_operations=project.product / "statemachines" / "operations",
    )
    if problems:
        raise LocalError(str(problems[0]), "waypost journey check shows all that is wrong")
    for folder in library.journeys:
        manifest = folder.manifest
        if manifest.closed:
            continue
        if manifest.reviewed is None:
            yield Review(journey=folder.name, owner=manifest.owner, reviewed=None, due=None, is_due=True)
            continue
        reviewed = date.fromisoformat(manifest.reviewed)
        due = (datetime.combine(reviewed, time(), UTC) + parse_duration(manifest.review_every)).date()
        yield Review(journey=folder.name, owner=manifest.owner, reviewed=reviewed, due=due, is_due=today >= due)


def record_review(project: Project, journey: str, day: date) -> None:
    """Write the day of a review into the manifest, and leave the rest of it as its author wrote it. Raises LocalError."""
    manifest = project.journeys / journey / _MANIFEST
    if not manifest.is_file():
        known = ", ".join(sorted(path.parent.name for path in project.journeys.glob(f"*/{_MANIFEST}")))
        raise LocalError(f"there is no journey {journey!r}", f"journeys: {known or 'there is none yet'}")
    content, line = manifest.read_text(encoding="utf-8"), f"reviewed: {day.isoformat()}"
    if _REVIEWED.search(content):
        written = _REVIEWED.sub(line, content, count=1)
    elif place := _BEFORE.search(content):
        written = f"{content[: place.start()]}{line}\n{content[place.start() :]}"
    else:
        raise LocalError(f"{manifest} has no trigger", f"waypost journey check {journey}")
    manifest.write_text(written, encoding="utf-8")
