"""Make the QR codes of the declared scenes, and keep where they are. Called by the operation make-codes, until all are made."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from waypost.channels.code_contract import CodeMaker, FormerCode, MadeCode, NoCode
from waypost.clock import Clock, format_instant, parse_instant
from waypost.contacts.channels import Channel, channel_named
from waypost.errors import InvalidInput
from waypost.files.folders import CODES
from waypost.files.ports import Files
from waypost.tracking.scenes import DeclaredScenes

KEPT: Final = f"{CODES}codes.json"
TABLE: Final = f"{CODES}codes.csv"
"""The codes as a table for people."""
MADE_AHEAD: Final = timedelta(days=1)
"""How long before its end a temporary code is replaced."""
LEFT_FOR_THE_FILES: Final = 20_000
"""Milliseconds of a call that are kept to write the files."""
MOST_FAILURES: Final = 20
"""Codes that cannot be made, after which no others are tried: then something is wrong with the account."""
MOST_CALLS: Final = 500
"""Codes that one call makes: the files are written behind them."""
_COLUMNS: Final = ("channel", "scene", "source", "staff", "url", "picture", "expires_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeCodes:
    """``makers`` makes the codes of a channel. What is made is kept in one file, and a code that lives is never made again."""

    scenes: Callable[[], DeclaredScenes]
    makers: Callable[[Channel], CodeMaker]
    files: Files
    clock: Clock

    def make(self, request: Mapping[str, Any], *, remaining: Callable[[], int]) -> dict[str, Any]:
        """``{scenes?: [names]}`` → ``{made, alive, failed: [{scene, channel, reason}], file, done}``; ``made`` counts on.

        Without ``scenes`` all that are declared. Raises InvalidInput for a scene that is not declared.
        """
        scenes = self.scenes().scenes
        chosen = request.get("scenes") or sorted(scenes)
        if unknown := [name for name in chosen if name not in scenes]:
            raise InvalidInput("scenes", f"{unknown[0]!r} is not declared in scenes.yaml")
        kept, now = self._kept(), self.clock()
        wanted = [(name, channel) for name in chosen for channel in scenes[name].codes]
        missing = [each for each in wanted if not _lives(kept.get(_key(*each)), scenes[each[0]].codes[each[1]], now)]
        made, failed = 0, dict[str, dict[str, str]]()
        done = True
        for name, channel in missing:
            if len(failed) >= MOST_FAILURES:
                break
            if made >= MOST_CALLS or remaining() < LEFT_FOR_THE_FILES:
                done = False
                break
            given = scenes[name].codes[channel]
            former = _former(kept.get(_key(name, channel)))
            match self.makers(channel_named(channel)).make(name, given, former):
                case MadeCode() as code:
                    kept[_key(name, channel)] = _stored(name, channel, given, code)
                    made += 1
                case NoCode(reason=reason):
                    failed[_key(name, channel)] = {"scene": name, "channel": channel, "reason": reason}
                case never:
                    assert_never(never)
        if made or not missing:
            self._write(kept, scenes)
        return {
            "scenes": request.get("scenes") or [],
            "made": int(request.get("made", 0)) + made,
            "alive": len(wanted) - len(missing),
            "failed": list(failed.values()),
            "file": TABLE,
            "done": done or not made,
        }

    def _kept(self) -> dict[str, dict[str, Any]]:
        content = self.files.read(KEPT)
        found: dict[str, dict[str, Any]] = json.loads(content)["codes"] if content else {}
        return found

    def _write(self, kept: Mapping[str, Mapping[str, Any]], scenes: Mapping[str, Any]) -> None:
        self.files.write(KEPT, json.dumps({"codes": kept}, ensure_ascii=False, indent=1).encode())
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(_COLUMNS)
        for code in kept.values():
            scene = scenes.get(code["scene"])
            meaning = {"source": scene.source, "staff": scene.staff} if scene else {}
            writer.writerow([{**code, **meaning}.get(column) or "" for column in _COLUMNS])
        self.files.write(TABLE, b"\xef\xbb\xbf" + table.getvalue().encode())  # a spreadsheet knows UTF-8 by the mark


def _key(scene: str, channel: str) -> str:
    return f"{channel}/{scene}"


def _stored(scene: str, channel: str, given: Mapping[str, Any], code: MadeCode) -> dict[str, Any]:
    return {
        "scene": scene,
        "channel": channel,
        "given": dict(given),
        "url": code.url,
        "picture": code.picture,
        "provider_id": code.provider_id,
        "expires_at": format_instant(code.expires_at) if code.expires_at else None,
    }


def _former(kept: Mapping[str, Any] | None) -> FormerCode | None:
    """The code that is kept, if the provider can change it."""
    if kept is None or not kept.get("provider_id"):
        return None
    return FormerCode(kept["given"], kept["picture"], kept["provider_id"])


def _lives(code: Mapping[str, Any] | None, given: Mapping[str, Any], now: datetime) -> bool:
    """Whether there is a code as it is declared now, and for a while."""
    if code is None or code["given"] != dict(given):
        return False
    return code["expires_at"] is None or parse_instant(code["expires_at"]) - now > MADE_AHEAD
