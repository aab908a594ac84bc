"""``waypost message``: lint and preview of a project's messages."""

import json
import struct
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.project import Project
from local.commands.app import app
from local.messages import chromium
from local.messages.chromium import LOOKS, find_chromium
from local.messages.preview import as_text, viewer_in
from local.problems import LocalError
from tests.authoring.folders import write

HEAD = """<mj-head><mj-raw>
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
</mj-raw></mj-head>"""
MAIL = f"""<mjml>{HEAD}<mj-body><mj-section><mj-column>
<mj-text>We miss you, {{{{ contact.first_name | default("friend") }}}}. Here is what is new in the shop this week.</mj-text>
<mj-text><a href="https://shop.acme.example/new">See what is new</a></mj-text>
<mj-text><a href="{{{{ links.unsubscribe }}}}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>
"""


@pytest.fixture
def message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a message with a mail and a text message."""
    statemachines = write(tmp_path)
    folder = statemachines / "journeys" / "win-back" / "messages" / "sorry"
    for old in folder.iterdir():
        old.unlink()
    manifest = "kind: marketing\ntopic: news\nchannels: [email, sms]\nsubject:\n  zh-CN: 我们想你\n  en: We miss you\n"
    (folder / "message.yaml").write_text(manifest, encoding="utf-8")
    for locale in ("en", "zh-CN"):
        (folder / f"email.{locale}.mjml").write_text(MAIL, encoding="utf-8")
    (folder / "sms.en.txt").write_text("We miss you. Reply STOP to opt out", encoding="utf-8")
    (folder / "sms.zh-CN.txt").write_text("我们想你。拒收请回复R", encoding="utf-8")
    (tmp_path / "cdk.json").write_text(
        json.dumps({"context": {"email_sender": "Acme <hello@acme.example>"}}), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    assert Project.at(tmp_path).statemachines == statemachines
    return folder


def run(*arguments: str, expecting: int = 0) -> Any:
    result = CliRunner().invoke(app, ["message", *arguments])
    if result.exit_code != expecting or isinstance(result.exception, LocalError):
        raise result.exception or AssertionError(result.output)
    return result.output


def findings(*, expecting: int) -> list[dict[str, Any]]:
    answer = json.loads(run("lint", "win-back/sorry", "--json", expecting=expecting))
    assert answer["ok"] is (expecting == 0)
    found: list[dict[str, Any]] = answer["findings"]
    return found


def test_a_good_message_has_no_findings(message: Path) -> None:
    assert findings(expecting=0) == []
    assert "✓ win-back/sorry" in run("lint", str(message))


def test_a_reply_is_looked_at_like_any_other_message(message: Path) -> None:
    reply = message.parents[3] / "replies" / "new-friend"
    reply.mkdir(parents=True)
    manifest = "kind: transactional\ntopic: service\nchannels: [wecom]\nwecom: { kind: welcome }\n"
    (reply / "message.yaml").write_text(manifest, encoding="utf-8")
    (reply / "wecom.zh-CN.yaml").write_text("text: 您好，很高兴认识您\n", encoding="utf-8")
    assert "✓ replies/new-friend" in run("lint", "replies/new-friend")
    assert "✓ replies/new-friend" in run("lint", str(reply))


def test_what_publishing_refuses_is_found_with_its_line_and_a_way_out(message: Path) -> None:
    mail = MAIL.replace(' | default("friend")', "")
    (message / "email.en.mjml").write_text(mail, encoding="utf-8")
    [found] = findings(expecting=1)
    line = next(number for number, text in enumerate(mail.splitlines(), 1) if "contact.first_name" in text)
    assert (found["level"], found["line"]) == ("error", line)
    assert found["file"].endswith("messages/sorry/email.en.mjml")
    assert "contact.first_name" in found["reason"]
    assert "default" in found["way_out"]
    assert found["source"]


def test_a_wrong_field_is_found_in_its_line(message: Path) -> None:
    manifest = message / "message.yaml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("[email, sms]", "[email, fax]"), encoding="utf-8")
    [found] = findings(expecting=1)
    assert (found["field"], found["line"]) == ("channels[1]", 3)


def test_the_mailbox_providers_list_is_asked_of_each_language(message: Path) -> None:
    (message / "email.zh-CN.mjml").write_text(MAIL.replace("https://shop", "http://shop"), encoding="utf-8")
    (message / "email.en.mjml").write_text(MAIL.replace(HEAD, ""), encoding="utf-8")
    found = {(each["field"], each["level"], Path(each["file"]).name) for each in findings(expecting=1)}
    assert found == {("plain-http", "error", "email.zh-CN.mjml"), ("dark-mode", "warning", "email.en.mjml")}
    assert "→ write https:" in run("lint", "win-back/sorry", expecting=1)


def test_a_preview_shows_each_channel_for_the_contact_of_a_file(message: Path, tmp_path: Path) -> None:
    viewer = {"contact": {"first_name": "Lin", "locale": "en", "email": "lin@example.com"}}
    (tmp_path / "lin.json").write_text(json.dumps(viewer), encoding="utf-8")
    shown = run("preview", "win-back/sorry", "--contact-file", "lin.json", "--no-pictures")
    assert "We miss you, Lin" in shown
    assert "Reply STOP" in shown
    folder = tmp_path / "out" / "preview" / "win-back-sorry"
    assert {path.name for path in folder.iterdir()} == {"email.en.txt", "email.en.eml", "email.en.html", "sms.en.txt"}
    mail = message_from_bytes((folder / "email.en.eml").read_bytes())
    assert (mail["From"], mail["To"]) == ("Acme <hello@acme.example>", "lin@example.com")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_a_preview_without_a_contact_is_that_of_a_stranger_in_the_language_asked_for(message: Path) -> None:
    answer = json.loads(run("preview", "win-back/sorry", "--locale", "zh-CN", "--no-pictures", "--json"))
    by_channel = {each["channel"]: each for each in answer["channels"]}
    assert by_channel["email"]["content"]["subject"] == "我们想你"
    assert "friend" in by_channel["email"]["content"]["text"]
    assert by_channel["sms"]["content"] == {"text": "我们想你。拒收请回复R"}
    assert by_channel["email"]["findings"] == []


@pytest.mark.usefixtures("chromium")
def test_a_mail_is_seen_at_phone_and_desktop_width_light_and_dark(message: Path, tmp_path: Path) -> None:
    answer = json.loads(run("preview", "win-back/sorry", "--out", str(tmp_path / "seen"), "--json"))
    pictures = {Path(each).name: Path(each).read_bytes() for each in answer["files"] if each.endswith(".png")}
    assert set(pictures) == {f"email.zh-CN.{look.name}.png" for look in LOOKS}
    widths = {name: struct.unpack(">I", picture[16:20])[0] for name, picture in pictures.items()}
    assert widths == {f"email.zh-CN.{look.name}.png": look.width * look.scale for look in LOOKS}


def test_a_machine_without_chromium_is_told_what_to_do(message: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(chromium.CHOSEN, raising=False)
    monkeypatch.setattr(chromium, "_PLACES", ())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LocalError, match=r"no Chromium.*--no-pictures"):
        run("preview", "win-back/sorry")
    monkeypatch.setenv(chromium.CHOSEN, "/nowhere/chrome")
    with pytest.raises(LocalError, match=r"'/nowhere/chrome' in WAYPOST_CHROMIUM is no program"):
        find_chromium()


def test_a_browser_that_ends_is_reported(message: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(chromium.CHOSEN, "/bin/true")
    with pytest.raises(LocalError, match="Chromium ended"):
        run("preview", "win-back/sorry")


def test_a_message_that_cannot_be_published_has_no_preview(message: Path) -> None:
    (message / "sms.en.txt").write_text("No way out", encoding="utf-8")
    with pytest.raises(LocalError, match="waypost message lint win-back/sorry"):
        run("preview", "win-back/sorry")


def test_a_version_is_written_for_an_upload_once_it_is_right(message: Path, tmp_path: Path) -> None:
    run("publish", "win-back/sorry", "--to", str(tmp_path / "v.json"))
    version = json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))
    assert (version["name"], version["channels"]) == ("sorry", ["email", "sms"])
    assert version["variants"]["sms"]["en"]["text"].startswith("We miss you")
    (message / "sms.en.txt").write_text("No way out", encoding="utf-8")
    with pytest.raises(LocalError, match="waypost message lint win-back/sorry"):
        run("publish", "win-back/sorry", "--to", str(tmp_path / "w.json"))
    assert not (tmp_path / "w.json").exists()


def test_an_unknown_message_names_the_nearest(message: Path) -> None:
    with pytest.raises(LocalError, match="did you mean 'win-back/sorry'"):
        run("lint", "win-back/sory")


def test_a_contact_and_a_file_of_one_are_not_both_taken(message: Path) -> None:
    with pytest.raises(LocalError, match="both given"):
        run("preview", "win-back/sorry", "--contact", "u-1", "--contact-file", "lin.json")


@pytest.mark.parametrize("text", ["", "[]", '{"contact": 1}', "{}", '{"contact": {"a": 1}, "event": 1}'])
def test_a_file_that_holds_no_contact_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(LocalError, match=r'expected \{"contact"'):
        viewer_in(text, "lin.json")


def test_what_contacts_show_prints_is_a_contact_too() -> None:
    viewer = viewer_in(
        '{"profile": {"contact_id": "c-7", "attributes": {"first_name": "Lin"}}, "merges": []}', "lin.json"
    )
    assert (viewer.contact.contact_id, viewer.contact.attributes) == ("c-7", {"first_name": "Lin"})


def test_the_fields_of_any_channel_read_as_text() -> None:
    assert (
        as_text({"title": "Hi", "link": "", "values": {"a": 1}, "text": "There"})
        == 'title: Hi\nvalues: {"a": 1}\n\nThere\n'
    )
