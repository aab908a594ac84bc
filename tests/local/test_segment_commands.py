"""``waypost segment list`` and ``check``: what they say of the saved segments and of a file anywhere."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from local import cli
from local.commands.app import app
from local.problems import LocalError
from local.project import segment_files
from local.project.current_project import CONTENT_VARIABLE
from local.running.background import FOLDER_VARIABLE

SEGMENTS = ["dormant-30-days", "high-intent-cart", "shanghai-makeup-cart-abandoners", "vip-members"]
VIP = {"attribute": "level", "at_least": 3}
BOUGHT = {"event": "order_placed", "within": "30d"}


def write(folder: Path, rule: Any, name: str = "trial.yaml", **more: Any) -> Path:
    path = folder / name
    content = {"description": "for a test", "owner": "nobody", "rule": rule, **more}
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def checked(path: Path | str) -> tuple[int, dict[str, Any]]:
    shown = CliRunner().invoke(app, ["segment", "check", str(path), "--json"])
    return shown.exit_code, json.loads(shown.stdout)


def test_the_saved_segments_are_listed_with_what_they_look_at() -> None:
    shown = CliRunner().invoke(app, ["segment", "list"])
    assert shown.exit_code == 0
    assert all(name in shown.output for name in SEGMENTS)
    listed = json.loads(CliRunner().invoke(app, ["segment", "list", "--json"]).stdout)
    assert set(SEGMENTS) <= {each["name"] for each in listed}


@pytest.mark.parametrize("name", SEGMENTS)
def test_what_this_project_ships_is_right_and_gives_no_cause_for_doubt(name: str) -> None:
    status, answer = checked(name)
    assert (status, answer["problems"], answer["warnings"]) == (0, [], [])


def test_a_good_file_anywhere_may_name_the_segments_of_this_project(tmp_path: Path) -> None:
    path = write(tmp_path, {"all": [{"segment": "vip-members"}, {"consent": "email"}]})
    status, answer = checked(path)
    assert (status, answer["name"], answer["file"]) == (0, "trial", str(path))
    assert answer["rule"]["all"][1] == {"consent": "email"}
    assert "level" in json.dumps(answer["rule"]), "the segment it names is written out"


@pytest.mark.parametrize(
    ("rule", "field", "reason"),
    [
        ({"segment": "vip-member"}, "rule.segment", "unknown segment 'vip-member'; did you mean 'vip-members'?"),
        ({"tag": "high-intent-card"}, "rule.tag", "unknown tag 'high-intent-card'; did you mean 'high-intent-cart'?"),
        ({"attribute": "level", "at_lest": 3}, "rule.at_lest", "unknown field 'at_lest'; did you mean 'at_least'?"),
        ({"segment": "trial"}, "rule", "depends on itself: segment:trial → segment:trial"),
    ],
)
def test_what_is_wrong_is_reported_by_file_path_and_nearest_name(
    tmp_path: Path, rule: dict[str, Any], field: str, reason: str
) -> None:
    path = write(tmp_path, rule)
    status, answer = checked(path)
    problem = {"file": str(path), "field": field, "reason": reason}
    assert (status, problem in answer["problems"]) == (1, True), answer["problems"]


def test_people_read_the_same_in_words(tmp_path: Path) -> None:
    wrong = CliRunner().invoke(app, ["segment", "check", str(write(tmp_path, {"segment": "vip-member"}))])
    assert wrong.exit_code == 1
    assert "did you mean 'vip-members'?" in wrong.output.replace("\n", "")
    right = CliRunner().invoke(app, ["segment", "check", str(write(tmp_path, VIP))])
    assert right.output == "✓ trial looks at attributes level\n"


@pytest.mark.parametrize(
    ("rule", "refresh", "field"),
    [
        ({"all": [VIP, {"not": BOUGHT}]}, "off", "refresh"),
        ({"attribute": "birthday", "age": {"at_least": 18}}, "off", "refresh"),
        ({"journey": "new-user-nurture"}, "daily", "rule"),
        ({"all": [{"not": {"tag": "staff"}}, {"journey": "new-user-nurture", "is": "never_entered"}]}, "daily", "rule"),
        ({"all": [VIP, {"event": "*", "within": "30d"}]}, "daily", "rule"),
        ({"any": [{"all": [VIP, {"not": VIP}]}, {"tag": "staff"}]}, "off", "rule.any[0].all"),
    ],
)
def test_what_will_perhaps_not_do_what_was_meant_is_a_warning(
    tmp_path: Path, rule: dict[str, Any], refresh: str, field: str
) -> None:
    status, answer = checked(write(tmp_path, rule, refresh=refresh))
    assert status == 0
    assert [warning["field"] for warning in answer["warnings"]] == [field]


@pytest.mark.parametrize(
    "rule",
    [
        VIP,
        BOUGHT,
        {"not": BOUGHT},
        {"any": [VIP, BOUGHT]},
        {"all": [VIP, BOUGHT]},
        {"all": [{"not": {"tag": "staff"}}, BOUGHT]},
        {"all": [VIP, {"journey": "new-user-nurture", "within": "400d"}]},
        {"event": "order_placed", "where": {"total": {"at_least": 50}}},
        {"event": "product_viewed", "exactly": 0},
        {"event": "product_viewed", "within": "90d", "at_least": 3},
        {"event": "order_placed", "not_followed_by": {"event": "order_placed"}},
        {"event": "order_placed", "within": "60d", "followed_by": {"event": "page_viewed", "within": "7d"}},
        {"engagement": "opened", "of_last": 3, "exactly": 0},
        {"attribute": "gender", "in": ["female", "male"]},
        {"attribute": "level", "between": [1, 3]},
        {"attribute": "email", "exists": True},
        {"attribute": "email", "ends_with": "@Example.com"},
        {"attribute": "email", "equals": "Ann@Example.com", "ignore_case": True},
        {"attribute": "locale", "starts_with": "zh"},
        {"attribute": "interests", "contains_any": ["tea", "books"]},
        {"attribute": "registered_on", "at_least": "2027-03-01"},
    ],
)
def test_what_is_as_it_should_be_gives_none(tmp_path: Path, rule: dict[str, Any]) -> None:
    assert checked(write(tmp_path, rule))[1]["warnings"] == []


@pytest.mark.parametrize(
    ("rule", "field", "reason"),
    [
        ({"event": "order_plced"}, "rule.event", "no other file names the event 'order_plced'; did you mean 'order_placed'?"),
        ({"all": [VIP, {"event": ["order_placed", "page_vewed"]}]}, "rule.all[1].event", "did you mean 'page_viewed'?"),
        ({"event": "order_placed", "within": "60d", "followed_by": {"event": "mesage_opened"}}, "rule.followed_by.event", "did you mean 'message_opened'?"),
        ({"event": "qqqqqq"}, "rule.event", "check its spelling"),
        ({"all": [VIP, {"not": {"journey": "new-user-nuture"}}]}, "rule.all[1].not.journey", "did you mean 'new-user-nurture'?"),
        ({"engagement": "opened", "of_journey": "new-user-nuture"}, "rule.of_journey", "did you mean 'new-user-nurture'?"),
        ({"attribute": "gendr", "equals": "female"}, "rule.attribute", "did you mean 'gender'?"),
        ({"attribute": "gender", "equals": "女"}, "rule.equals", "gender '女' is stored as 'female': write that"),
        ({"attribute": "gender", "in": ["male", "femal"]}, "rule.in", "no contact has gender 'femal'"),
        ({"attribute": "level", "equals": "2"}, "rule.equals", "level '2' is stored as 2: write that"),
        ({"attribute": "email", "equals": "Ann@Example.com"}, "rule.equals", "email 'Ann@Example.com' is stored as 'ann@example.com'"),
        ({"attribute": "phone", "in": ["+8613800138000", "13800138001"]}, "rule.in", "phone '13800138001' is stored as '+8613800138001'"),
        ({"attribute": "timezone", "equals": "asia/shanghai"}, "rule.equals", "stored as 'Asia/Shanghai'"),
        ({"attribute": "locale", "not_equals": "zh_CN"}, "rule.not_equals", "stored as 'zh-CN'"),
        ({"attribute": "email", "equals": "nobody"}, "rule.equals", "no contact has email 'nobody': it should be an e-mail address"),
        ({"attribute": "interests", "equals": "tea"}, "rule.equals", "interests is a list, which no single value equals"),
        ({"attribute": "name", "at_least": 5}, "rule.at_least", "name is declared as string, which no number compares with"),
        ({"attribute": "adress.district", "equals": "静安区"}, "rule.attribute", "did you mean 'address'?"),
        ({"event": "order_placed", "where": {"event.total": 5}}, "rule.where.property", "the event's own is 'total'"),
        ({"event": "提交订单"}, "rule.event", "no other file names the event '提交订单'"),
        ({"attribute": "level", "at_least": "2027-03-01"}, "rule.at_least", "level is a number, and '2027-03-01' is text"),
        ({"attribute": "level", "equals": "gold"}, "rule.equals", "no contact has level 'gold': it should be a number"),
        ({"event": "product_viewed", "within": "180d"}, "rule", "reaches back 180d, but product_viewed are kept 90d"),
        ({"event": "page_viewed", "where": {"path": "/faq"}, "exactly": 0}, "rule", "page_viewed is kept 90d only"),
        ({"event": "product_viewed", "at_least": 5}, "rule", "product_viewed is kept 90d only"),
        ({"event": "product_viewed", "occurrence": "first", "within": "7d"}, "rule", "product_viewed is kept 90d only"),
        ({"event": "order_placed", "followed_by": {"event": "page_viewed"}}, "rule", "page_viewed is kept 90d and order_placed 1464d"),
        ({"all": [VIP, {"journey": "new-user-nurture", "within": "500d"}]}, "rule.all[1]", "kept 400d"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_a_warning_with_the_nearest_that_can(
    tmp_path: Path, rule: dict[str, Any], field: str, reason: str
) -> None:
    status, answer = checked(write(tmp_path, rule))
    assert status == 0, answer["problems"]
    [warning] = answer["warnings"]
    assert (warning["field"], reason in warning["reason"]) == (field, True), warning


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["check", "vip-member"], "unknown segment 'vip-member'; did you mean 'vip-members'?"),
        (["check", "no/such.yaml"], "there is no file 'no/such.yaml'"),
        (["count", "vip-members"], "nothing is running"),
        (["why", "vip-members", "lin"], "nothing is running"),
    ],
)
def test_what_cannot_be_done_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: list[str],
    reason: str,
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["waypost", "segment", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {reason}")


def test_a_segment_that_is_wrong_is_neither_counted_nor_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = write(tmp_path, {"segment": "vip-member"})
    monkeypatch.setattr(sys, "argv", ["waypost", "segment", "count", str(path)])
    with pytest.raises(SystemExit):
        cli.main()
    assert f"waypost segment check {path}" in capsys.readouterr().err


def test_a_project_that_is_wrong_itself_is_reported_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "statemachines" / "segments"
    folder.mkdir(parents=True)
    write(folder, {"segment": "nobody"}, name="broken.yaml")
    monkeypatch.setenv(CONTENT_VARIABLE, str(tmp_path))
    with pytest.raises(LocalError, match=r"broken\.yaml: rule\.segment: unknown segment"):
        segment_files.declared_sections()


@pytest.mark.parametrize("arguments", [["--help"], ["segment", "--help"], ["segment", "check", "vip-members"]])
def test_what_needs_no_running_system_starts_without_its_clients(arguments: list[str]) -> None:
    """boto3 and the embedded cloud take longer to load than all of this."""
    code = "import sys; from local.cli import main\ntry: main()\nfinally: assert not {'boto3', 'local.cloud.local_cloud'} & sys.modules.keys()"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert (done.returncode, done.stderr) == (0, "")
