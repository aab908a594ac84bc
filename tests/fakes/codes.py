"""A CodeMaker without HTTP."""

from collections.abc import Mapping
from typing import Any

from waypost.channels.code_contract import FormerCode, MadeCode, NoCode


class FakeCodes:
    """Makes a code of every scene, but for those that ``refused`` has an answer for; ``asked`` are the scenes in order, ``former`` their codes so far."""

    def __init__(self, channel: str = "") -> None:
        self.channel = channel
        self.asked: list[str] = []
        self.former: dict[str, FormerCode] = {}
        self.refused: dict[str, NoCode] = {}

    def make(self, scene: str, given: Mapping[str, Any], former: FormerCode | None = None) -> MadeCode | NoCode:
        """See CodeMaker."""
        del given
        self.asked.append(scene)
        if former is not None:
            self.former[scene] = former
        address = f"https://code.example/{scene}"
        made = MadeCode(address, f"{address}.png", provider_id=f"id-{scene}")
        return self.refused.get(scene, made)
