"""The parameters of QR codes, ``statemachines/scenes.yaml``, checked. Used by declaring, which publishes them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, unknown
from waypost.authoring.staff import staff
from waypost.channels.wechat.qr_codes import LONGEST_SCENE, MOST_DAYS, MOST_PERMANENT

FILE: Final = "scenes.yaml"
EACH: Final = "each"
"""In place of a member: a scene of its own for each of them."""

SceneName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=LONGEST_SCENE)]


class WeChatCode(Authored):
    """A code of an official account; without ``days`` it is good for ever, which an account has 100,000 of."""

    account: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None


class SceneEntry(Authored):
    """Where people come from by a code, and the member of staff who looks after them: an id, or ``each`` of them."""

    source: Annotated[str, Field(min_length=1, max_length=80)]
    staff: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    wechat: WeChatCode | None = None


class ScenesFile(Authored):
    """All of ``scenes.yaml``."""

    scenes: Annotated[dict[SceneName, SceneEntry], Field(min_length=1, max_length=5_000)]


def scenes(reader: FileReader) -> dict[str, Any]:
    """``{scene: {source, staff, codes: {channel: …}}}``; a scene for ``each`` member is ``<scene>.<member>``."""
    path = reader.root / FILE
    file = reader.declared(path, ScenesFile)
    if file is None:
        return {}
    members = staff(FileReader(reader.root)).get(
        "members", {}
    )  # what is wrong with them is reported where they are read
    found: dict[str, Any] = {}
    for name, entry in file.scenes.items():
        ids = list(members) if entry.staff == EACH else [entry.staff or ""]
        if entry.staff and (not ids or (entry.staff != EACH and entry.staff not in members)):
            reader.add(path, f"scenes.{name}.staff", unknown(entry.staff, {*members, EACH}, "no member of staff is"))
            continue
        for member in ids:
            scene = f"{name}.{member}" if entry.staff == EACH else name
            if len(scene) > LONGEST_SCENE:
                reader.add(path, f"scenes.{name}", f"{scene} has more than {LONGEST_SCENE} characters")
            if scene in found or (scene != name and scene in file.scenes):
                reader.add(path, f"scenes.{name}", f"{scene} is another scene already")
            found[scene] = {
                "source": entry.source,
                **({"staff": member} if member else {}),
                **({"codes": {"wechat": entry.wechat.model_dump(exclude_none=True)}} if entry.wechat else {}),
            }
    for account, count in _permanent(found).items():
        if count > MOST_PERMANENT:
            reader.add(
                path, "scenes", f"{account} would have {count:,} permanent codes; at most {MOST_PERMANENT:,} exist"
            )
    return found


def _permanent(found: Mapping[str, Any]) -> dict[str, int]:
    """How many codes of each account are good for ever."""
    counts: dict[str, int] = {}
    for scene in found.values():
        code = scene.get("codes", {}).get("wechat", {})
        if code and "days" not in code:
            counts[code["account"]] = counts.get(code["account"], 0) + 1
    return counts
