"""The parameters of QR codes, ``statemachines/scenes.yaml``, checked. Used by declaring, which publishes them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, unknown
from waypost.authoring.staff import staff
from waypost.channels.wechat.qr_codes import LONGEST_SCENE, MOST_DAYS, MOST_PERMANENT
from waypost.channels.wecom.qr_codes import LONGEST_STATE, MOST_MEMBERS

FILE: Final = "scenes.yaml"
EACH: Final = "each"
"""In place of a member: a scene of its own for each of them."""

SceneName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=LONGEST_SCENE)]
MemberId = Annotated[str, Field(min_length=1, max_length=40)]


class WeChatCode(Authored):
    """A code of an official account; without ``days`` it is good for ever, which an account has 100,000 of."""

    account: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None


class WeComCode(Authored):
    """A contact way (联系我) to ``members``, or else to the scene's own; ``confirm``: they confirm each customer who adds them."""

    members: Annotated[list[MemberId], Field(min_length=1, max_length=MOST_MEMBERS)] | None = None
    confirm: bool = False


class SceneEntry(Authored):
    """Where people come from by a code, and the member of staff who looks after them: an id, or ``each`` of them."""

    source: Annotated[str, Field(min_length=1, max_length=80)]
    staff: MemberId | None = None
    wechat: WeChatCode | None = None
    wecom: WeComCode | None = None


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
        userids = _userids(reader, path, name, entry, members)
        for member in ids:
            scene = f"{name}.{member}" if entry.staff == EACH else name
            codes = dict(_codes(entry, userids or [_userid(members, member)]))
            longest = LONGEST_STATE if "wecom" in codes else LONGEST_SCENE
            if len(scene) > longest:
                of_wecom = " of WeCom" if "wecom" in codes else ""
                reader.add(path, f"scenes.{name}", f"{scene} has more than {longest} characters{of_wecom}")
            if scene in found or (scene != name and scene in file.scenes):
                reader.add(path, f"scenes.{name}", f"{scene} is another scene already")
            found[scene] = {
                "source": entry.source,
                **({"staff": member} if member else {}),
                **({"codes": codes} if codes else {}),
            }
    for account, count in _permanent(found).items():
        if count > MOST_PERMANENT:
            reader.add(
                path, "scenes", f"{account} would have {count:,} permanent codes; at most {MOST_PERMANENT:,} exist"
            )
    return found


def _userids(
    reader: FileReader, path: Path, name: str, entry: SceneEntry, members: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """The userids of those whom the scene's contact way names; reports who is no member or has none."""
    if entry.wecom is None:
        return []
    named = entry.wecom.members or ([entry.staff] if entry.staff and entry.staff != EACH else [])
    if not named and entry.staff != EACH:
        reader.add(
            path, f"scenes.{name}.wecom", "names nobody whom a customer could add: give members, or the scene's staff"
        )
    found = []
    for index, member in enumerate(named):
        field = f"scenes.{name}.wecom.members[{index}]" if entry.wecom.members else f"scenes.{name}.staff"
        userid = _userid(members, member)
        if member not in members:
            reader.add(path, field, unknown(member, members, "no member of staff is"))
        elif not userid:
            reader.add(path, field, f"{member} has no userid: write channels: {{ wecom: … }} in staff/members.yaml")
        elif userid in found:
            reader.add(path, field, f"{member} is there twice")
        found.append(userid)
    return found


def _userid(members: Mapping[str, Mapping[str, Any]], member: str) -> str:
    """The member's WeCom userid, "" for who has none."""
    return str(members.get(member, {}).get("channels", {}).get("wecom", ""))


def _codes(entry: SceneEntry, userids: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each channel needs to make its code; of ``each`` member, those who are not in WeCom have none there."""
    if entry.wechat:
        yield "wechat", entry.wechat.model_dump(exclude_none=True)
    if entry.wecom and (known := [each for each in userids if each]):
        yield "wecom", {"members": known, "confirm": entry.wecom.confirm}


def _permanent(found: Mapping[str, Any]) -> dict[str, int]:
    """How many codes of each account are good for ever."""
    counts: dict[str, int] = {}
    for scene in found.values():
        code = scene.get("codes", {}).get("wechat", {})
        if code and "days" not in code:
            counts[code["account"]] = counts.get(code["account"], 0) + 1
    return counts
