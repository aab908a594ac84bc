"""The go/no-go list before a launch: what speaks against it, what has to be looked at, and what nobody was asked about."""

import json
import shutil
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import boto3
import pytest
import yaml
from moto import mock_aws
from typer.testing import CliRunner

from local.commands.app import app
from local.journeys.stage import Stage
from local.launch.go_no_go import GoNoGo, LaunchCheck, Point
from local.launch.message_links import broken_links, find_links
from local.messages.preview import Previewer
from local.project.current_project import CONTENT_VARIABLE, current_project
from local.project.init_project import copy_sample_content
from tests.adapters.on_moto import made_table
from waypost.authoring.discovery import discover
from waypost.authoring.message_templates import SAMPLE_LINKS
from waypost.aws import table
from waypost.aws.coupons import DynamoCoupons
from waypost.coupons.coupon import FreeCode
from waypost.journeys.enrolment import Enrolment, TriggerEvent, first_hop
from waypost.journeys.ports import EntryTerms
from waypost.journeys.shortened_time import ShortenedTime
from waypost.sending.occasion import TEST, StaffNotice, dump_occasion

pytestmark = pytest.mark.flow

NOW = datetime(2031, 3, 3, 4, tzinfo=UTC)
JOURNEY = "level-up"
MESSAGE = "level-reached"
POOL = """label: { zh-CN: 商城券, en: Shop coupon }
benefit: { kind: free_shipping }
valid: { days: 30 }
codes: imported
"""
MEMBERS = "members:\n  - { id: lin.chen, name: 陈琳, email: lin.chen@acme.example, roles: [editor] }\n"


class Shop(BaseHTTPRequestHandler):
    """Some pages, one of which knows no HEAD, and one that is gone."""

    answers: ClassVar[dict[str, int]] = {"/gone": 404, "/moved": 302, "/broken": 500}

    def do_GET(self) -> None:
        self.send_response(self.answers.get(self.path, 200))
        self.send_header("location", "/fine")
        self.end_headers()

    def do_HEAD(self) -> None:
        if self.path == "/no-head":
            self.send_response(405)
            self.end_headers()
        else:
            self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        pass


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_links_are_found_in_every_text_and_those_of_waypost_are_not_tried() -> None:
    html = (
        '<html xmlns="http://www.w3.org/1999/xhtml"><a href="https://shop.example/a?x=1&y=2">see https://shop.example/b.</a>'
        f'<a href="{SAMPLE_LINKS["unsubscribe"]}">bye</a><a href="https://shop.example/p/{{{{ product.id }}}}">it</a></html>'
    )
    messages: dict[str, dict[str, Any]] = {
        "mail": {"variants": {"email": {"en": {"html": html}}}},
        "chat": {"wechat": {"url": "https://shop.example/a?x=1&y=2"}, "texts": ["见 https://shop.example/c，谢谢", 7]},
    }
    found = find_links(messages)
    assert found.fixed == {
        "https://shop.example/a?x=1&y=2": ["mail", "chat"],
        "https://shop.example/b": ["mail"],
        "https://shop.example/c": ["chat"],
    }
    assert found.filled_in == {"https://shop.example/p/{{": ["mail"]}


def test_a_link_is_followed_and_why_it_does_not_open_is_shown(shop: str) -> None:
    links = [f"{shop}/{page}" for page in ("fine", "no-head", "moved", "gone", "broken")]
    nowhere = "http://127.0.0.1:9/"
    assert broken_links([*links, nowhere]) == {
        f"{shop}/gone": "answers 404",
        f"{shop}/broken": "answers 500",
        nowhere: "cannot be reached ([Errno 111] Connection refused)",
    }


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one journey, whose message shows a coupon."""
    copy_sample_content(tmp_path)
    for folder in (tmp_path / "statemachines" / "journeys").iterdir():
        if folder.name != JOURNEY:
            shutil.rmtree(folder)
    messages = tmp_path / "statemachines" / "journeys" / JOURNEY / "messages" / MESSAGE
    for file in messages.iterdir():
        file.write_text(
            file.read_text(encoding="utf-8").replace("shop.example.com", "shop.acme-store.cn"), encoding="utf-8"
        )
    with (messages / "message.yaml").open("a", encoding="utf-8") as manifest:
        manifest.write("coupon: shop-codes\n")
    (tmp_path / "statemachines" / "coupons" / "shop-codes.yaml").write_text(POOL, encoding="utf-8")
    (tmp_path / "statemachines" / "staff" / "members.yaml").write_text(MEMBERS, encoding="utf-8")
    context = {"context": {"email_sender": "Acme <hello@mail.acme-store.cn>"}}
    (tmp_path / "cdk.json").write_text(json.dumps(context), encoding="utf-8")
    monkeypatch.setenv(CONTENT_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def stage() -> Iterator[Stage]:
    with mock_aws():
        client = boto3.client("dynamodb", "eu-west-1")
        made_table(client, "contacts")
        yield Stage(outputs={"ContactsTableName": "contacts"}, clients=lambda _: client, clock=lambda: NOW, by="lin")


def nothing_is_broken(links: Iterable[str]) -> dict[str, str]:
    assert set(links) == {f"https://shop.acme-store.cn/{page}" for page in ("en/member", "zh/member", "m")}
    return {}


def listed(entrants: int = 2, **given: Any) -> GoNoGo:
    previewer = Previewer(
        sender="hello@mail.acme-store.cn",
        default_locale="zh-CN",
        default_zone=ZoneInfo("Asia/Shanghai"),
        statemachines=current_project().statemachines,
        now=NOW,
    )
    asked = {"stage": None, "count_segment": None, "rehearsed": None, "broken_links": nothing_is_broken, **given}
    return LaunchCheck(entrants=entrants, previewer=previewer, **asked).of(JOURNEY)


def verdicts(found: GoNoGo) -> dict[str, str]:
    return {each.name: each.verdict for each in found.points}


def point(found: GoNoGo, name: str) -> Point:
    return next(each for each in found.points if each.name == name)


def test_what_nobody_can_be_asked_about_is_to_be_looked_at(project: Path) -> None:
    found = listed()
    assert found.is_go
    assert verdicts(found) == {
        "files": "go",
        "scenarios": "go",
        "rehearsal": "look",
        "messages": "look",
        "links": "go",
        "sender": "go",
        "coupons shop-codes": "look",
        "test sends": "look",
        "test contact": "look",
        "forecast": "go",
    }
    assert all(each.way_out for each in found.points if each.verdict != "go")


def test_a_link_that_does_not_open_speaks_against_the_launch(project: Path) -> None:
    found = point(
        listed(broken_links=lambda links: {each: "answers 404" for each in links if each.endswith("/m")}), "links"
    )
    assert found.verdict == "no-go"
    assert found.finding == f"1 of 3 do not open:\nhttps://shop.acme-store.cn/m answers 404 ({MESSAGE})"


def test_a_pool_must_have_a_code_for_everybody_who_is_expected(project: Path, stage: Stage) -> None:
    store = DynamoCoupons(stage.clients("dynamodb"), "contacts")
    store.add("shop-codes", FreeCode("SHOP-1"), at=NOW)
    found = listed(stage=stage)
    assert not found.is_go
    assert point(found, "coupons shop-codes").finding == "1 left for 2 entrants"
    store.add("shop-codes", FreeCode("SHOP-2"), at=NOW)
    assert verdicts(listed(stage=stage))["coupons shop-codes"] == "go"


def test_a_message_counts_as_tried_once_a_member_of_staff_was_sent_it(project: Path, stage: Stage) -> None:
    assert point(listed(stage=stage), "test sends").finding == f"no member of staff was sent {MESSAGE}"
    for number, (message, notice) in enumerate([("other/hello", TEST), (f"{JOURNEY}/{MESSAGE}", "coupon_low")]):
        put_row(stage, number, message, notice)
    assert verdicts(listed(stage=stage))["test sends"] == "look"
    put_row(stage, 2, f"{JOURNEY}/{MESSAGE}", TEST)
    assert verdicts(listed(stage=stage))["test sends"] == "go"


def test_a_journey_counts_as_lived_in_the_version_of_its_files_alone(project: Path, stage: Stage) -> None:
    [folder] = discover(project / "statemachines").journeys
    assert verdicts(listed(stage=stage))["test contact"] == "look"
    for version in ("another", folder.machine_version):
        assert verdicts(listed(stage=stage))["test contact"] == "look"
        tried = stage.enrolments.open(passage(version), EntryTerms(one_at_a_time=False))
        assert tried is None
        [row] = stage.enrolments.unfinished(passage(version).contact_id)
        assert stage.enrolments.end(row.ended("completed", NOW))
    found = point(listed(stage=stage), "test contact")
    assert (found.verdict, found.finding) == ("go", "one has lived it until 2031-03-03 04:00 UTC (completed)")


def passage(version: str) -> Enrolment:
    """A test contact's way through this version of the journey."""
    enrolment_id = f"n-{version}"
    return Enrolment(
        enrolment_id=enrolment_id,
        contact_id="c-tester",
        journey=JOURNEY,
        version=1,
        trigger=TriggerEvent("e-1", "journey_requested", NOW),
        enrolled_at=NOW,
        hop=first_hop(enrolment_id, NOW),
        due_at=NOW,
        machine_version=version,
        shortened=ShortenedTime(1_440),
    )


def put_row(stage: Stage, number: int, message: str, notice: str) -> None:
    occasion = StaffNotice("staff-lin_chen", notice=notice, about=f"{message}/r-{number}")
    row = {"message": message, "state": "sent", "occasion": dump_occasion(occasion)}
    key = table.key(table.contact_pk("staff-lin_chen"), f"message#{number}")
    stage.clients("dynamodb").put_item(TableName="contacts", Item=key | table.dump_item(row))


@pytest.mark.parametrize(
    ("rehearsed", "verdict", "finding"),
    [([], "go", "every scenario happened as its file says"), (["the goal"], "no-go", "not as expected: the goal")],
)
def test_a_rehearsal_speaks_for_or_against_the_launch(
    project: Path, rehearsed: list[str], verdict: str, finding: str
) -> None:
    found = point(listed(rehearsed=lambda _: rehearsed), "rehearsal")
    assert (found.verdict, found.finding) == (verdict, finding)


def test_a_segment_that_starts_it_is_counted(project: Path) -> None:
    manifest = project / "statemachines" / "journeys" / JOURNEY / "journey.yaml"
    text = manifest.read_text(encoding="utf-8")
    begun, rest = text.split("trigger:\n  event: level_reached\n  where: { property: level, at_least: 2 }\n")
    text = f"{begun}trigger: {{ segment: vip-members }}\n{rest}".replace("re_entry: { per: level }", "re_entry: never")
    manifest.write_text(text, encoding="utf-8")
    scenarios = manifest.parent / "scenarios.yaml"
    first = yaml.safe_load(scenarios.read_text(encoding="utf-8"))
    scenarios.write_text(yaml.safe_dump({**first, "scenarios": first["scenarios"][:1]}), encoding="utf-8")
    found = listed(count_segment={"vip-members": 3}.__getitem__)
    segment = point(found, "segment vip-members")
    assert (segment.verdict, segment.finding, segment.way_out) == (
        "look", "3 contacts are in it now", "give what you expect: --entrants 3",
    )  # fmt: skip
    assert verdicts(listed(entrants=3, count_segment={"vip-members": 3}.__getitem__))["segment vip-members"] == "go"
    assert point(found, "scenarios").verdict == "look"


def test_of_a_journey_whose_files_are_wrong_nothing_else_is_looked_at(project: Path) -> None:
    (project / "statemachines" / "journeys" / JOURNEY / "definition.asl.yaml").write_text(
        "States: 7\n", encoding="utf-8"
    )
    assert verdicts(listed()) == {"files": "no-go"}


def test_the_command_ends_with_1_while_something_speaks_against_the_launch(project: Path) -> None:
    def ready(*options: str) -> tuple[int, str]:
        shown = CliRunner().invoke(app, ["journey", "ready", JOURNEY, *options], env={"COLUMNS": "200"})
        return shown.exit_code, shown.stdout

    status, text = ready("--no-links", "--entrants", "50")
    assert (status, text.rstrip().splitlines()[-1]) == (0, "go")
    (project / "cdk.json").write_text("{}", encoding="utf-8")
    status, text = ready("--no-links", "--json")
    found = json.loads(text)
    assert (status, found["go"], found["entrants"]) == (1, False, 1_000)
    assert [each["name"] for each in found["points"] if each["verdict"] == "no-go"] == ["sender"]
