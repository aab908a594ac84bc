"""Scenes of QR codes are checked: their length, their members, the number of codes that an account may have."""

from pathlib import Path

import pytest

from waypost.authoring.authored_files import FileReader
from waypost.authoring.scenes import scenes
from waypost.tracking.scenes import DeclaredScenes

MEMBERS = """members:
- {id: lin.chen, name: 陈琳, email: lin.chen@acme.example, roles: [editor], channels: {wecom: LinChen}}
- {id: bo.li, name: 李波, email: bo.li@acme.example, roles: [editor], channels: {wecom: LiBo}}
- {id: wei.zhang, name: 张伟, email: wei.zhang@acme.example, roles: [lead]}
"""


def read(folder: Path, text: str, *, members: str = MEMBERS) -> tuple[DeclaredScenes, list[tuple[str, str]]]:
    (folder / "staff").mkdir(exist_ok=True)
    (folder / "staff" / "members.yaml").write_text(members, encoding="utf-8")
    (folder / "scenes.yaml").write_text(f"scenes:\n{text}", encoding="utf-8")
    reader = FileReader(folder)
    found = DeclaredScenes.from_dict(scenes(reader))
    return found, [(each.field, each.reason) for each in reader.problems]


def test_a_scene_is_its_source_its_member_and_its_codes(tmp_path: Path) -> None:
    text = "  shop-7: {source: 徐汇店, staff: lin.chen, wechat: {account: wx1}}\n  fair: {source: 展会, wechat: {account: wx1, days: 7}}\n"
    found, problems = read(tmp_path, text)
    assert problems == []
    assert found.scenes["shop-7"].codes == {"wechat": {"account": "wx1"}}
    assert found.scenes["fair"].codes == {"wechat": {"account": "wx1", "days": 7}}
    assert found.of({"scene": "shop-7"}) == {"came_from": "徐汇店", "staff": "lin.chen"}


def test_each_member_has_a_scene_of_their_own(tmp_path: Path) -> None:
    found, problems = read(tmp_path, "  card: {source: 顾问名片, staff: each}\n")
    assert problems == []
    assert {name: scene.staff for name, scene in found.scenes.items()} == {
        "card.lin.chen": "lin.chen",
        "card.bo.li": "bo.li",
        "card.wei.zhang": "wei.zhang",
    }


def test_a_contact_way_has_the_userids_of_its_members_or_of_the_scenes_own(tmp_path: Path) -> None:
    text = (
        "  shop-7: {source: 店, staff: lin.chen, wecom: {confirm: true}}\n"
        "  desk: {source: 前台, wecom: {members: [bo.li, lin.chen]}}\n"
        "  card: {source: 名片, staff: each, wecom: {}}\n"
    )
    found, problems = read(tmp_path, text)
    assert problems == []
    assert {name: scene.codes for name, scene in found.scenes.items()} == {
        "shop-7": {"wecom": {"members": ["LinChen"], "confirm": True}},
        "desk": {"wecom": {"members": ["LiBo", "LinChen"], "confirm": False}},
        "card.lin.chen": {"wecom": {"members": ["LinChen"], "confirm": False}},
        "card.bo.li": {"wecom": {"members": ["LiBo"], "confirm": False}},
        "card.wei.zhang": {},
    }


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("  shop-7: {source: 店, staff: lin.chan}\n", "scenes.shop-7.staff", "lin.chen"),
        ("  shop 7: {source: 店}\n", "scenes.shop 7", ""),
        (f"  {'s' * 65}: {{source: 店}}\n", f"scenes.{'s' * 65}", ""),
        (f"  {'s' * 60}: {{source: 店, staff: each}}\n", f"scenes.{'s' * 60}", "more than 64 characters"),
        ("  a: {source: 店, wechat: {account: wx1, days: 31}}\n", "scenes.a.wechat.days", "30"),
        ("  a: {staff: lin.chen}\n", "scenes.a.source", "is missing"),
        ("  a: {source: 店, wecom: {}}\n", "scenes.a.wecom", "names nobody whom a customer could add"),
        ("  a: {source: 店, staff: wei.zhang, wecom: {}}\n", "scenes.a.staff", "wei.zhang has no userid"),
        ("  a: {source: 店, wecom: {members: [lin.chan]}}\n", "scenes.a.wecom.members[0]", "did you mean 'lin.chen'"),
        ("  a: {source: 店, wecom: {members: [lin.chen, lin.chen]}}\n", "scenes.a.wecom.members[1]", "is there twice"),
        (
            f"  {'s' * 31}: {{source: 店, staff: lin.chen, wecom: {{}}}}\n",
            f"scenes.{'s' * 31}",
            "30 characters of WeCom",
        ),
        (
            "  card: {source: 名片, staff: each}\n  card.lin.chen: {source: 店}\n",
            "scenes.card",
            "card.lin.chen is another scene already",
        ),
    ],
)
def test_a_scene_for_which_there_can_be_no_code_is_refused(tmp_path: Path, text: str, where: str, reason: str) -> None:
    _, problems = read(tmp_path, text)
    assert any(field.startswith(where) and reason in why for field, why in problems), problems


def test_an_account_has_no_more_permanent_codes_than_wechat_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waypost.authoring.scenes.MOST_PERMANENT", 1)
    entry = "{source: 店, wechat: {account: wx1}}"
    _, problems = read(
        tmp_path, f"  a: {entry}\n  b: {entry}\n  c: {{source: 店, wechat: {{account: wx1, days: 7}}}}\n"
    )
    assert problems == [("scenes", "wx1 would have 2 permanent codes; at most 1 exist")]


def test_without_a_file_no_scene_is_known(tmp_path: Path) -> None:
    assert scenes(FileReader(tmp_path)) == {}
