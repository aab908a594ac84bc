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


ACCOUNT = "wx8f0a1b2c3d4e5f6a"
WECHAT = "kind: transactional\ntopic: service\nchannels: [wechat]\nwechat: {{ kind: reply, account: {account} }}\n"


def of_wechat(folder: Path, rules: str, **accounts: str) -> Path:
    """A project with replies of official accounts, by name."""
    for name, account in (accounts or {"one": ACCOUNT, "two": ACCOUNT}).items():
        message = folder / "replies" / name
        message.mkdir(parents=True)
        (message / "message.yaml").write_text(WECHAT.format(account=account), encoding="utf-8")
        (message / "wechat.zh-CN.yaml").write_text("text: 您好\n", encoding="utf-8")
    (folder / "replies.yaml").write_text(rules, encoding="utf-8")
    return folder


WROTE = "to: wechat_message_received"


def test_keywords_are_published_folded_and_a_rule_answers_for_its_account_alone(tmp_path: Path) -> None:
    rules = f"replies:\n- {{{WROTE}, equals: [優惠, ＳＡＬＥ], contains: 发 货, message: one}}\n- {{{WROTE}, message: two}}\n"
    library, found = survey(of_wechat(tmp_path, rules, one=ACCOUNT, two="wx0000000000000002"))
    assert found == []
    first, second = DeclaredReplies.from_dict(published(library)["replies"]).rules
    assert (first.equals, first.contains, first.when) == (frozenset({"优惠", "sale"}), ["发货"], {"account": [ACCOUNT]})
    assert second.when == {"account": ["wx0000000000000002"]}


@pytest.mark.parametrize(
    ("rules", "where", "reason"),
    [
        ("[{to: wechat_followed, equals: 你好, message: one}]", "replies[0].equals", "wechat_followed brings no text"),
        (f"[{{{WROTE}, contains: [' '], message: one}}]", "replies[0].contains", "a letter or a digit"),
        ("[{to: staff_added_contact, message: one}]", "replies[0].message", "goes out by wechat, which does not bring"),
        (
            f"[{{{WROTE}, when: {{account: wx1}}, message: one}}]",
            "replies[0].when.account",
            f"should be {ACCOUNT}, from which the message comes",
        ),
        (
            f"[{{{WROTE}, message: one}}, {{{WROTE}, equals: 你好, message: two}}]",
            "replies[1]",
            "is never used: replies[0] answers all that it would",
        ),
        (
            f"[{{{WROTE}, equals: [你好, 您好], message: one}}, {{{WROTE}, equals: 您好, message: two}}]",
            "replies[1]",
            "is never used: replies[0] answers all that it would",
        ),
    ],
)
def test_a_rule_of_keywords_that_can_answer_nothing_is_refused(
    tmp_path: Path, rules: str, where: str, reason: str
) -> None:
    found = problems(of_wechat(tmp_path, f"replies: {rules}"))
    assert any(field.startswith(where) and reason in why for field, why in found), found


def test_the_default_stands_behind_the_keywords(tmp_path: Path) -> None:
    rules = f"replies: [{{{WROTE}, equals: 你好, message: one}}, {{{WROTE}, contains: 你好, message: two}}, {{{WROTE}, message: one}}]"
    assert problems(of_wechat(tmp_path, rules)) == []


@pytest.mark.parametrize("name", ["replies", "notices"])
def test_a_journey_whose_messages_would_have_the_ids_of_others_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "journeys" / name).mkdir(parents=True)
    assert any("whose messages would have the same ids" in why for _, why in problems(tmp_path))


def test_what_only_answers_at_once_is_no_message_of_a_journey(tmp_path: Path) -> None:
    message = tmp_path / "journeys" / "win-back" / "messages" / "hello"
    message.mkdir(parents=True)
    (message / "message.yaml").write_text(WECHAT.format(account=ACCOUNT), encoding="utf-8")
    (message / "wechat.zh-CN.yaml").write_text("text: 您好\n", encoding="utf-8")
    assert ("wechat", "only answers what somebody did at once; it belongs into replies/") in problems(tmp_path)
