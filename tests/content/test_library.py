"""A message folder: what is published of it, and what an author reads about a wrong one."""

import re
from pathlib import Path

import pytest

from waypost.authoring.messages import MessageFolder
from waypost.content.forbidden_words import ForbiddenWords

MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>{}</mj-text><mj-text>"
    '<a href="{{{{ links.unsubscribe }}}}">out</a></mj-text></mj-column></mj-section></mj-body></mjml>'
)
MAIL = {
    "message.yaml": "kind: marketing\ntopic: offers\nchannels: [email]\nsubject: {en: Hello}\n",
    "email.en.mjml": MJML.format("Hello"),
}
SMS = {
    "message.yaml": "kind: marketing\ntopic: offers\nchannels: [sms]\n",
    "sms.en.txt": "Hello. Reply STOP to opt out\n",
}


def folder(root: Path, files: dict[str, str]) -> MessageFolder:
    path = root / "greeting"
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name).write_text(text, encoding="utf-8")
    return MessageFolder(path, root / "look", "en", lambda each: each.relative_to(root).as_posix(), ForbiddenWords())


def problems(root: Path, files: dict[str, str]) -> list[str]:
    published, found = folder(root, files).read()
    assert (published is None) == bool(found)
    return [str(problem) for problem in found]


def test_a_mail_is_published_with_html_and_text(tmp_path: Path) -> None:
    published, found = folder(tmp_path, MAIL).read()
    assert found == []
    assert published is not None
    variant = published["variants"]["email"]["en"]
    assert (published["name"], published["kind"], published["channels"]) == ("greeting", "marketing", ["email"])
    assert variant["subject"] == "Hello"
    assert "<!doctype html>" in variant["html"]
    assert variant["text"] == "Hello\n\nout: {{ links.unsubscribe }}\n"


def test_a_text_file_takes_the_place_of_the_made_text(tmp_path: Path) -> None:
    published, found = folder(tmp_path, {**MAIL, "email.en.txt": "By hand. {{ links.unsubscribe }}"}).read()
    assert found == []
    assert published is not None
    assert published["variants"]["email"]["en"]["text"] == "By hand. {{ links.unsubscribe }}"


def test_an_sms_is_published_as_it_is(tmp_path: Path) -> None:
    published, _ = folder(tmp_path, SMS).read()
    assert published is not None
    assert published["variants"] == {"sms": {"en": {"text": "Hello. Reply STOP to opt out"}}}


def test_further_locales_are_published_too(tmp_path: Path) -> None:
    published, found = folder(tmp_path, {**SMS, "sms.zh-CN.txt": "【店】你好 回T退订"}).read()
    assert found == []
    assert published is not None
    assert sorted(published["variants"]["sms"]) == ["en", "zh-CN"]


def test_a_mail_says_its_language_to_screen_readers(tmp_path: Path) -> None:
    french = {"email.fr-CA.mjml": MAIL["email.en.mjml"].replace("<mjml>", '<mjml lang="fr">')}
    manifest = MAIL["message.yaml"].replace("en: Hello", "en: Hello, fr-CA: Salut")
    published, found = folder(tmp_path, {**MAIL, **french, "message.yaml": manifest}).read()
    assert found == []
    assert published is not None
    mails = {locale: each["html"] for locale, each in published["variants"]["email"].items()}
    assert {locale: set(re.findall(r' lang="([^"]*)"', html)) for locale, html in mails.items()} == {
        "en": {"en"},
        "fr-CA": {"fr"},
    }


def test_a_shared_part_is_read_from_look_and_from_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "look").mkdir()
    (tmp_path / "look" / "part.mjml").write_text("<mj-text>Shared</mj-text>", encoding="utf-8")
    (tmp_path / "secret.mjml").write_text("<mj-text>Secret</mj-text>", encoding="utf-8")
    good = MAIL["email.en.mjml"].replace("<mj-column>", '<mj-column><mj-include path="part.mjml" />')
    published, _ = folder(tmp_path, {**MAIL, "email.en.mjml": good}).read()
    assert published is not None
    assert "Shared" in published["variants"]["email"]["en"]["text"]
    bad = good.replace("part.mjml", "../secret.mjml")
    [problem] = problems(tmp_path / "other", {**MAIL, "email.en.mjml": bad})
    assert problem == "greeting/email.en.mjml: mj-include: there is no file '../secret.mjml'"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"message.yaml": None}, "greeting/message.yaml: is missing: a message is a folder with a message.yaml"),
        ({"message.yaml": "kind: [marketing\n"}, "greeting/message.yaml: line 2: "),
        ({"message.yaml": MAIL["message.yaml"].replace("marketing", "markting")}, "message.yaml: kind: expected 'marketing' or"),
        ({"message.yaml": MAIL["message.yaml"] + "descripton: x\n"}, "descripton: unknown field 'descripton'; did you mean 'description'?"),
        ({"message.yaml": MAIL["message.yaml"].replace("[email]", "[email, email]")}, "channels: names a channel twice"),
        ({"message.yaml": MAIL["message.yaml"].replace("[email]", "[email, sms]")}, "greeting/sms.en.txt: is missing: en is the"),
        ({"message.yaml": MAIL["message.yaml"].replace("{en: Hello}", "{}")}, "greeting/message.yaml: subject.en: is missing"),
        ({"message.yaml": MAIL["message.yaml"].replace("en: Hello", "en: Hello, fr: Salut")}, "greeting/email.fr.mjml: is missing"),
        ({"message.yaml": MAIL["message.yaml"].replace("en: Hello", 'en: "a\\nb"')}, "subject.en: has more than one line"),
        ({"email.en.mjml": None}, "greeting/email.en.mjml: is missing: en is the default locale"),
        ({"email.zh_CN.mjml": "x"}, "email.zh_CN.mjml: not a file of a message; expected a locale such as zh-CN or en, got 'zh_CN'; write zh-CN"),
        ({"sms.en.txt": "x"}, "greeting/sms.en.txt: message.yaml does not list the channel 'sms'"),
        ({"email.fr.txt": "x"}, "greeting/email.fr.txt: expected a .mjml file"),
        ({"email.en.mjml": "<mjml>"}, "greeting/email.en.mjml: line 1: <mjml> is never closed"),
        ({"email.en.mjml": MJML.format("{{ contact.name")}, "greeting/email.en.mjml: line 1: "),
        ({"email.en.mjml": MJML.format("{{ x | upcase }}")}, "unknown variable 'x'; expected one of contact"),
        ({"email.en.mjml": MJML.format("{{ contact.a | upcase }}")}, "filter upcase is unknown"),
        ({"email.en.mjml": MJML.format("{% if contact.a is defined %}{{ contact.a | upcase }}{% endif %}")}, "filter upcase is unknown"),
        ({"email.en.mjml": MJML.format("{{ contcat.name }}")}, "unknown variable 'contcat'; did you mean 'contact'?"),
        (
            {"email.en.mjml": MJML.format("Hi {{ contact.first_name }}")},
            'contact.first_name may be unknown; give it a default: {{ contact.first_name | default("…") }}',
        ),
        (
            {"email.en.mjml": MJML.format("{% if contact.vip is defined %}{{ contact.tier }}{% endif %}")},
            "contact.tier may be unknown",
        ),
        (
            {"email.en.mjml": MJML.format("{% if contact.vip is not defined %}{{ contact.vip }}{% endif %}")},
            "contact.vip may be unknown",
        ),
        (
            {"email.en.mjml": MJML.format("{{ event.order_id }}")},
            "'event' has no 'order_id'; what the sender put into the event is in event.properties.order_id",
        ),
        (
            {"email.en.mjml": MJML.format('{{ event.properties.items[0].name | default("x") }}')},
            "event.properties.items may be unknown or empty; put it into {% if event.properties.items | default([]) %} … {% endif %}",
        ),
        (
            {"email.en.mjml": MJML.format('{% if contact.tier | default("") == "gold" %}{{ contact.name | default("you") | titel }}{% endif %}')},
            "filter titel is unknown: 'titel'; did you mean 'title'?",
        ),
        ({"email.en.mjml": MJML.format("{{ links.unsubcribe }}")}, "'links' has no 'unsubcribe'; did you mean 'unsubscribe'?"),
        ({"message.yaml": MAIL["message.yaml"].replace("Hello", "'Hi {{ contact.a }}'")}, "subject.en: contact.a may be unknown"),
        ({"email.en.mjml": MAIL["email.en.mjml"].replace("{{ links.unsubscribe }}", "#")}, "must show the link {{ links.unsubscribe }}"),
        (
            {"email.en.mjml": MAIL["email.en.mjml"].replace("{{ links", "{% if false %}{{ links").replace("ibe }}", "ibe }}{% endif %}")},
            "must show the link {{ links.unsubscribe }}",
        ),
        ({"email.en.txt": "By hand."}, "greeting/email.en.txt: marketing mail must show the link {{ links.unsubscribe }}"),
    ],
)  # fmt: skip
def test_a_wrong_mail_is_explained(tmp_path: Path, changes: dict[str, str | None], expected: str) -> None:
    files = {name: text for name, text in {**MAIL, **changes}.items() if text is not None}
    [problem] = problems(tmp_path, files)
    assert expected in problem


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("sms.en.txt", "Hello", "a marketing SMS must say how to unsubscribe, such as 'Reply STOP to opt out'"),
        (
            "sms.zh-CN.txt",
            "【店】你好",
            "a marketing SMS must say how to unsubscribe, such as 拒收请回复R, 回T退订 or 回覆T退訂",
        ),
        ("sms.en.txt", "STOP " * 400, "takes 14 SMS parts (GSM-7); at most 10 can be sent"),
        ("sms.en.txt", "Hi {{ contact.first_name }}, STOP", "contact.first_name may be unknown"),
    ],
)
def test_a_wrong_sms_is_explained(tmp_path: Path, name: str, text: str, expected: str) -> None:
    [problem] = problems(tmp_path, {**SMS, name: text})
    assert f"greeting/{name}: " in problem
    assert expected in problem


def test_a_transactional_message_needs_no_way_to_unsubscribe(tmp_path: Path) -> None:
    files = {"message.yaml": SMS["message.yaml"].replace("marketing", "transactional"), "sms.en.txt": "Your code"}
    assert problems(tmp_path, files) == []


def test_every_problem_of_a_folder_is_reported(tmp_path: Path) -> None:
    found = problems(tmp_path, {**MAIL, "email.en.mjml": "<mjml>", "email.de.mjml": "<mjml>", "notes.docx": ""})
    assert len(found) == 4
