"""What a word of the rule language means to an author, kept beside the model that checks it. Read by the reference page."""

from dataclasses import dataclass
from typing import Final, Literal

Family = Literal["attribute", "behaviour", "group", "tag"]

SECTIONS: Final[dict[str, tuple[Family, str]]] = {
    "values": ("attribute", "Any value"),
    "text": ("attribute", "Text"),
    "numbers": ("attribute", "Numbers"),
    "dates": ("attribute", "Dates and times"),
    "birthdays": ("attribute", "Ages, birthdays, anniversaries"),
    "lists": ("attribute", "Lists"),
    "stages": ("attribute", "Points, metrics, life cycle"),
    "place": ("attribute", "Language, local time, when first seen"),
    "addresses": ("attribute", "Addresses, identities, consent"),
    "counts": ("behaviour", "Did or did not, and how often"),
    "windows": ("behaviour", "When it happened"),
    "properties": ("behaviour", "Properties of what happened"),
    "occurrences": ("behaviour", "The first, the last, the n-th time"),
    "sequences": ("behaviour", "One thing after another"),
    "engagement": ("behaviour", "Messages: delivered, opened, clicked"),
    "journeys": ("behaviour", "Journeys"),
    "coupons": ("behaviour", "Coupons"),
    "groups": ("group", "Groups and saved segments"),
    "random": ("group", "Random parts and hold-outs"),
    "tags": ("tag", "Tags"),
}
"""The sections of the reference page: the family of their conditions, and the title."""


@dataclass(frozen=True, slots=True)
class Says:
    """One condition an author can write.

    ``example`` is a whole rule in YAML; a test evaluates it for the contact of ``authoring.rules.sample``, for whom it
    holds unless ``holds`` says otherwise. ``edges`` tells what happens at the edges.
    """

    section: str
    title: str
    means: str
    example: str
    edges: str = ""
    holds: bool = True

    @property
    def family(self) -> Family:
        """Which of the four families the condition belongs to."""
        return SECTIONS[self.section][0]
