"""A CodeMaker without HTTP."""

from collections.abc import Mapping
from typing import Any

from waypost.channels.code_contract import MadeCode, NoCode


class FakeCodes:
    """Makes a code of every scene, but for those that ``refused`` has an answer for; ``asked`` are the scenes in order."""

    def __init__(self, channel: str = "") -> None:
        self.channel = channel
        self.asked: list[str] = []
        self.refused: dict[str, NoCode] = {}

    def make(self, scene: str, given: Mapping[str, Any]) -> MadeCode | NoCode:
        """See CodeMaker."""
        del given
        self.asked.append(scene)
        made = MadeCode(f"https://code.example/{scene}", f"https://code.example/{scene}.png")
        return self.refused.get(scene, made)
