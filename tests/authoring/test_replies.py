"""What is answered at once is checked: the events, the folders, and that each message can be such an answer."""

from pathlib import Path

import pytest

from waypost.authoring.discovery import survey
from waypost.authoring.publishing import published
from waypost.intake.declared_replies import DeclaredReplies

MESSAGE = "kind: {kind}\ntopic: service\nchannels: [{channels}]\nwecom: {{ kind: {form} }}\n"


def authored(
    folder: Path, rules: str, *, kind: str = "transactional", channels: str = "wecom", form: str = "welcome"
) -> Path:
    """A project with one reply."""
    message = folder / "replies" / "friend"
    message.mkdir(parents=True)
    (folder / "journeys").mkdir()
    (message / "message.yaml").write_text(MESSAGE.format(kind=kind, channels=channels, form=form), encoding="utf-8")
    (message / "wecom.zh-CN.yaml").write_text("text: 您好\n", encoding="utf-8")
    if "sms" in channels:
        (message / "sms.zh-CN.txt").write_text("您好", encoding="utf-8")
    (folder / "replies.yaml").write_text(rules, encoding="utf-8")
    return folder


def problems(folder: Path) -> list[tuple[str, str]]:
    return [(each.field, each.reason) for each in survey(folder)[1]]


RULES = "replies:\n- {to: staff_added_contact, when: {state: shop-*}, message: friend}\n- {to: [contact_added_staff], message: friend}\n"


def test_rules_and_messages_are_published(tmp_path: Path) -> None:
    library, found = survey(authored(tmp_path, RULES))
    assert found == []
    sections = published(library)
    assert sections["messages/replies/friend"]["variants"]["wecom"]["zh-CN"]["kind"] == "welcome"
    first, second = DeclaredReplies.from_dict(sections["replies"]).rules
    assert (first.message, first.to, first.when) == (
        "replies/friend",
        frozenset({"staff_added_contact"}),
        {"state": ["shop-*"]},
    )
    assert (second.to, second.when) == (frozenset({"contact_added_staff"}), {})


def test_without_a_file_nothing_is_answered(tmp_path: Path) -> None:
    assert DeclaredReplies.from_dict(published(survey(tmp_path)[0])["replies"]).rules == []


@pytest.mark.parametrize(
    ("rules", "where", "reason"),
    [
        ("replies: [{to: staff_added_contac, message: friend}]", "replies[0].to", "staff_added_contact"),
        ("replies: [{to: order_placed, message: friend}]", "replies[0].to", "answered by nothing at once"),
        ("replies: [{to: staff_added_contact, message: freind}]", "replies[0].message", "friend"),
        ("replies: [{to: staff_added_contact}]", "replies[0].message", "is missing"),
        ("replies: [{to: staff_added_contact, message: friend, when: {state: '*shop'}}]", "replies[0].when.state", ""),
    ],
)
def test_a_rule_that_fits_nothing_is_refused(tmp_path: Path, rules: str, where: str, reason: str) -> None:
    found = problems(authored(tmp_path, rules))
    assert any(field.startswith(where) and reason in why for field, why in found), found


@pytest.mark.parametrize(
    ("message", "where", "reason"),
    [
        ({"kind": "marketing"}, "kind", "should be transactional"),
        ({"form": "customer"}, "wecom", "is no welcome"),
        ({"channels": "wecom, sms"}, "channels", "the one on which the person acted"),
    ],
)
def test_a_message_that_cannot_go_out_at_once_is_refused(
    tmp_path: Path, message: dict[str, str], where: str, reason: str
) -> None:
    found = problems(authored(tmp_path, RULES, **message))
    assert any(field == where and reason in why for field, why in found), found
