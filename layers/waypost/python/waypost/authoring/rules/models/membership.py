"""tag, group, segment: what a contact has and belongs to."""

from typing import ClassVar, Self

from pydantic import model_validator

from waypost.authoring.problems import Authored
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.times import TimeWords
from waypost.authoring.rules.values import GroupedNames, GroupedNamesOrAny


@model("tag")
class TagRule(TimeWords):
    """The contact has a tag, any of a list, or any, all, none of some; the time words ask since when."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says("tags", "tag", "has the tag", "{ tag: vip }"),
        Says("tags", "not tag", "has not the tag", "{ not: { tag: dormant-warning } }"),
        Says("tags", "tag: [a, b]", "has any of these tags (also `any_of`)", "{ tag: [vip, gold] }"),
        Says("tags", "tag: {all_of: …}", "has all of these tags", "{ tag: { all_of: [vip, interest-beauty] } }"),
        Says(
            "tags",
            "tag: {none_of: …}",
            "has none of these tags",
            "{ tag: { none_of: [dormant-warning, in-consultation] } }",
        ),
        Says(
            "tags",
            "tag: {exists: …}",
            "has any tag at all, or none (`exists: false`)",
            "{ tag: { exists: false } }",
            "Those given by rules count too, so the rule of a tag cannot ask it.",
            holds=False,
        ),
        Says(
            "tags",
            "tag … within",
            "got the tag in the last hours or days",
            "{ tag: interest-beauty, within: 30d }",
            "When it was given last; a tag without a known time does not count.",
        ),
        Says(
            "tags",
            "tag … before",
            "has the tag since before this day; every time word goes",
            "{ tag: vip, before: 2026-11-01 }",
        ),
        Says("tags", "tag … older_than", "has the tag for longer than this", "{ tag: vip, older_than: 30d }"),
    )

    tag: GroupedNamesOrAny

    @model_validator(mode="after")
    def _exists_is_of_now(self) -> Self:
        if isinstance(self.tag, dict) and "exists" in self.tag and self.model_fields_set > {"tag"}:
            raise ValueError("exists asks of now; since when is asked of a tag by its name: { tag: vip, within: 30d }")
        return self


@model("group")
class GroupRule(Authored):
    """The contact is in a group: one it has joined, and stays in until it leaves."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "groups",
            "group",
            "is in the group",
            "{ group: beta-testers }",
            "Since when: `event: group_joined`, where `group` is its name.",
        ),
        Says(
            "groups", "group: [a, b]", "is in any of these groups (also `any_of`)", "{ group: [beta-testers, staff] }"
        ),
        Says(
            "groups",
            "group: {all_of: …}",
            "is in all of these groups",
            "{ group: { all_of: [beta-testers, shanghai-club] } }",
        ),
        Says("groups", "group: {none_of: …}", "is in none of these groups", "{ group: { none_of: [staff] } }"),
        Says(
            "groups",
            "group: {exists: …}",
            "is in any group at all, or in none (`exists: false`)",
            "{ group: { exists: false } }",
            holds=False,
        ),
    )

    group: GroupedNamesOrAny


@model("segment")
class SegmentRule(TimeWords):
    """The contact is in a saved segment: by the segment's own rule, or with a time word since when it is."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "groups",
            "segment",
            "is in the saved segment of this name",
            "{ segment: high-value }",
            "As true as the moment: the segment's own rule is put in its place. Circles are refused.",
        ),
        Says(
            "groups",
            "segment: {none_of: …}",
            "is in none of these segments (also `any_of`, `all_of`)",
            "{ segment: { none_of: [at-risk] } }",
        ),
        Says(
            "groups",
            "segment … within",
            "came into the segment in this window; every time word goes",
            "{ segment: high-value, within: 7d }",
            "By the kept membership, which `segment_entered` tells of.",
        ),
    )

    segment: GroupedNames
