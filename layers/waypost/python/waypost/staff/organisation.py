"""What holds for members of staff, wherever they come from. Used by the checks of ``members.yaml``, imports and the sync of WeCom."""

import re
from collections.abc import Mapping
from typing import Final

MEMBER_ID: Final = r"[a-z][a-z0-9]*([.-][a-z0-9]+)*"
"""The id of a member, as a pattern."""
LONGEST_ID: Final = 40
"""Characters."""


def is_member_id(text: str) -> bool:
    """Whether the text may be the id of a member."""
    return len(text) <= LONGEST_ID and re.fullmatch(MEMBER_ID, text) is not None


def above(member: str, managers: Mapping[str, str | None]) -> list[str]:
    """Who is above a member, nearest first; ``managers`` has each member's own. Ends where it comes round."""
    found: list[str] = []
    manager = managers.get(member)
    while manager and manager not in found:
        found.append(manager)
        manager = managers.get(manager)
    return found
