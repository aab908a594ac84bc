"""A message's words change without a deployment: handed in, approved by a second person, live, brought back, retired."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.library import FakeLibrary
from tests.fakes.published_journeys import JOURNEY, email, journey, published, sms
from tests.fakes.staff import directory
from tests.fakes.world import LINK_KEY, World
from waypost.approvals.approval import Approval
from waypost.approvals.approval_links import approval_url, read_token
from waypost.clock import parse_instant
from waypost.contacts.channels import Channel
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.message_library import LOOKED_AFTER, LibraryEntry, MessageVersion, texts_digest, version_key
from waypost.errors import ConcurrentUpdate, InvalidInput, TemporarilyUnavailable
from waypost.sending.guards.content_not_approved import ContentNotApproved
from waypost.sending.guards.missing_address import MissingAddress
from waypost.sending.judge import all_guards
from waypost.sending.occasion import StaffNotice
from waypost.sending.request import SendRequest

MESSAGE = f"{JOURNEY}/note"
SMS = Channel("sms")
FORBIDDEN = ForbiddenWords.from_dict(
    {
        "lists": [{"name": "law", "source": "9", "way_out": "-"}],
        "phrases": ["最佳"],
        "folded": ["最佳"],
        "owners": [[0]],
    }
)
NOTE = sms("note", kind="transactional")
NOTICE = {
    **email("approval-requested", kind="transactional"),
    "variants": {"email": {"en": {
        "subject": "For your approval: {{ event.properties.what }}",
        "html": "<p>{{ links.approval }}</p>",
        "text": "{{ event.properties.requested_by }}: {{ event.properties.note | default('-') }} {{ links.approval }}",
    }}},
}  # fmt: skip


@pytest.fixture
def world() -> World:
    given = published(journey(messages={"note": NOTE}))
    notices = published(journey("notices", messages={"approval-requested": NOTICE}))
    return World(
        published=replace(given, messages={**given.messages, **notices.messages}),
        staff=directory("lin.chen", "wei.zhang", "jo.li", locale="en"),
    )


def texts(text: str, **changes: Any) -> dict[str, Any]:
    variants = {"sms": {"zh-CN": {"text": text}, "en": {"text": text}}}
    return {**NOTE, "variants": variants, **changes}


def hand_in(world: World, content: Any, key: str = "library/inbox/1.json") -> str:
    world.files.write(key, content if isinstance(content, bytes) else json.dumps(content).encode())
    return key


def publish(world: World, text: str = "New words", **changes: Any) -> dict[str, Any]:
    request = {"action": "publish", "message": MESSAGE, "by": "lin.chen", "approver": "wei.zhang", **changes}
    file = {} if "file" in changes else {"file": hand_in(world, texts(text))}
    return world.publish_message.act({**file, **request})


def act(world: World, action: str, **given: Any) -> dict[str, Any]:
    return world.publish_message.act({"action": action, "message": MESSAGE, "by": "lin.chen", **given})


def link(world: World) -> str:
    """The token that the approver got by mail."""
    return str(world.email.sent[-1].content.text).rpartition("/a/")[2]


def decide(world: World, decision: str = "approved", token: str = "", **changes: Any) -> Approval | None:
    approval = next(iter(reversed(world.approvals.requests.values())))
    given = {"decision": decision, "digest": approval.subject.digest, "comment": "Looks right", **changes}
    return world.decide_approval.decide(token or link(world), **given)


def sent_text(world: World, about: str) -> tuple[str, str]:
    """What a notice of that message says now, and its outcome."""
    member = world.staff.member("jo.li", "to")
    with_phone = replace(member, channels={**member.channels, SMS: "+8613800138000"})
    world.staff = type(world.staff)({**world.staff.members, "jo.li": with_phone})
    result = world.send_message.send(SendRequest(StaffNotice(member.contact_id, "note", about, urgent=True), MESSAGE))
    return (world.sms.sent[-1].content.text if result.outcome == "sent" else result.reason), result.outcome


def look_again(world: World) -> None:
    world.age += LOOKED_AFTER


def test_a_version_goes_out_once_a_second_person_approved_it(world: World) -> None:
    answer = publish(world, note="Spring")
    assert (answer["version"], answer["live"], answer["notice"]) == (1, 0, "sent")
    assert [each["state"] for each in answer["versions"]] == ["in_review"]
    [mail] = world.email.sent
    assert mail.to.text == "wei.zhang@staff.example"
    assert mail.content.subject == f"For your approval: {MESSAGE} · 1"
    assert mail.content.text.startswith("lin.chen: Spring https://api.example/a/")
    assert sent_text(world, "1") == (JOURNEY, "sent"), "what was deployed, for as long as nobody approved"

    approval = decide(world)
    assert approval is not None
    assert (approval.decision, approval.approver, approval.comment) == ("approved", "wei.zhang", "Looks right")
    look_again(world)
    assert sent_text(world, "2") == ("New words", "sent")
    shown = act(world, "show")
    assert shown["live"] == 1
    [version] = shown["versions"]
    assert (version["state"], version["decided_by"], version["approval_id"]) == ("approved", "wei.zhang", approval.id)


def test_words_are_changed_by_name_in_what_goes_out_now(world: World) -> None:
    publish(world, "First words")
    decide(world)
    answer = publish(world, file=None, locale="en", replace={"First": "Second"})
    assert answer["version"] == 2
    decide(world)
    look_again(world)
    variants = world.messages.message(MESSAGE).variants[SMS]
    assert [variants[locale]["text"] for locale in ("en", "zh-CN")] == ["Second words", "First words"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"locale": "en", "replace": {"Third": "4"}}, "copy them from the message"),
        ({"locale": "en", "fields": {"text": "最佳"}}, "forbidden phrase"),
    ],
)
def test_changed_words_are_checked_as_a_file_is(world: World, changes: dict[str, Any], reason: str) -> None:
    world.words = FORBIDDEN
    with pytest.raises(InvalidInput, match=reason):
        publish(world, file=None, **changes)


def test_of_a_message_that_is_retired_no_words_are_changed(world: World) -> None:
    act(world, "retire")
    with pytest.raises(InvalidInput, match="hand in a file"):
        publish(world, file=None, locale="en", fields={"text": "New"})


def test_nothing_is_decided_by_who_asks_or_wrote_it(world: World) -> None:
    with pytest.raises(InvalidInput, match=r"approver: lin.chen asks; another member"):
        publish(world, approver="lin.chen")
    draft = publish(world, approver=None)
    assert (draft["versions"][0]["state"], world.email.sent) == ("draft", [])
    with pytest.raises(InvalidInput, match=r"approver: lin.chen wrote version 1"):
        act(world, "review", version=1, by="jo.li", approver="lin.chen")
    assert act(world, "review", version=1, approver="wei.zhang")["notice"] == "sent"
    for stranger in ("nobody", "wei.zhang@staff.example", None, 7):
        with pytest.raises(InvalidInput, match="by: should be the id of a member"):
            publish(world, by=stranger, approver=None)


def test_a_rejected_version_never_goes_out(world: World) -> None:
    publish(world)
    decide(world, "rejected")
    look_again(world)
    assert sent_text(world, "1")[0] == JOURNEY
    with pytest.raises(InvalidInput, match=r"version 1 of .* is rejected already"):
        act(world, "review", version=1, approver="wei.zhang")
    with pytest.raises(InvalidInput, match="never approved"):
        act(world, "rollback", version=1)


def test_the_first_decision_stands_and_is_acted_on_again(world: World) -> None:
    publish(world)
    token = link(world)
    decide(world, "approved", token)
    world.library.entries.clear()  # a crash before the version went live
    publish(world, approver=None)
    later = decide(world, "rejected", token)
    assert later is not None
    assert later.decision == "approved"
    assert act(world, "show")["live"] == 1


def test_a_request_ends_and_is_remembered_before(world: World) -> None:
    publish(world)
    [(name, reminder)] = [(name, each) for name, each in world.schedules.booked.items() if "reminder" in name]
    world.clock.set(reminder.at)
    assert world.send_message.send(SendRequest.from_payload(reminder.payload)).outcome == "sent"
    assert len(world.email.sent) == 2
    token = link(world)
    world.clock.now += timedelta(days=6)
    with pytest.raises(InvalidInput, match="request: expired"):
        decide(world, token=token)
    assert act(world, "show")["live"] == 0
    assert name


def test_a_decision_calls_the_reminder_off(world: World) -> None:
    publish(world)
    assert any("reminder" in name for name in world.schedules.booked)
    decide(world, "rejected")
    assert not any("reminder" in name for name in world.schedules.booked)


def test_a_request_that_is_repeated_asks_once(world: World) -> None:
    assert publish(world)["approval"] == publish(world)["approval"]
    assert (len(world.email.sent), len(act(world, "show")["versions"])) == (1, 1)


def test_another_version_than_was_shown_cannot_be_approved(world: World) -> None:
    publish(world)
    with pytest.raises(InvalidInput, match="digest"):
        decide(world, digest="d-other")
    with pytest.raises(InvalidInput, match="decision"):
        decide(world, "perhaps")
    world.files.write(version_key(MESSAGE, 1), json.dumps(texts("Other words")).encode())
    approval = next(iter(world.approvals.requests.values()))
    assert world.decide_approval.views(approval) == []
    with pytest.raises(InvalidInput, match="content"):
        decide(world)


def test_texts_that_changed_after_the_approval_do_not_go_out(world: World) -> None:
    publish(world)
    decide(world)
    world.files.write(version_key(MESSAGE, 1), json.dumps(texts("Other words")).encode())
    look_again(world)
    assert sent_text(world, "1") == ("content_not_approved", "skipped")


def test_an_earlier_version_comes_back_and_so_does_the_deployments(world: World) -> None:
    for number, text in enumerate(("First", "Second"), 1):
        publish(world, text)
        decide(world)
        look_again(world)
        assert sent_text(world, f"new-{number}")[0] == text
    for version, text in ((1, "First"), (0, JOURNEY)):
        assert act(world, "rollback", version=version)["live"] == version
        look_again(world)
        assert sent_text(world, f"back-{version}")[0] == text
    with pytest.raises(InvalidInput, match="version"):
        act(world, "rollback", version=9)


def test_a_retired_message_is_not_sent_until_a_version_goes_live(world: World) -> None:
    assert act(world, "retire")["live"] is None
    look_again(world)
    assert sent_text(world, "1") == ("content_not_approved", "skipped")
    act(world, "rollback", version=0)
    look_again(world)
    assert sent_text(world, "2")[1] == "sent"


def test_contacts_who_are_under_way_get_what_the_policy_says(world: World) -> None:
    began = world.clock()
    publish(world, "For new ones", under_way="begun")
    world.clock.now += timedelta(hours=1)
    decide(world)
    look_again(world)
    after = world.clock() + timedelta(hours=1)
    texts_of = [world.messages.message(MESSAGE, at).variants[SMS]["en"]["text"] for at in (began, after, None)]
    assert texts_of == ["{{ journey.name }}", "For new ones", "For new ones"]
    publish(world, "For everybody", under_way="newest")
    decide(world)
    look_again(world)
    assert world.messages.message(MESSAGE, began).variants[SMS]["en"]["text"] == "For everybody"


def test_a_sender_looks_twice_a_minute_and_reads_texts_once(world: World) -> None:
    publish(world)
    decide(world)
    look_again(world)
    before = world.library.glances
    for number in range(5):
        sent_text(world, f"n-{number}")
    assert world.library.glances - before == 1


def test_what_is_not_approved_is_said_before_what_the_contact_lacks() -> None:
    order = [type(guard) for guard in all_guards()]
    assert order.index(ContentNotApproved) < order.index(MissingAddress)


def test_what_cannot_be_read_is_not_sent(world: World) -> None:
    class Unreachable(FakeLibrary):
        def glance(self, message: str) -> LibraryEntry | None:
            raise TemporarilyUnavailable("throttled")

    world.library = Unreachable()
    with pytest.raises(TemporarilyUnavailable):
        sent_text(world, "1")
    assert world.sms.sent == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (texts("x", kind="marketing"), "changes kind"),
        (texts("x", topic="news"), "changes topic"),
        (texts("x", channels=["email"]), "changes channels"),
        ({**NOTE, "variants": {"sms": {"en": {"text": "x"}}}}, "zh-CN is missing"),
        (texts("{{ contact.first_name }}"), "contact.first_name is unknown"),
        (texts("{% if %}"), "sms.zh-CN: "),
        (texts("x" * 20_000), "SMS parts"),
        (texts("年度最佳"), "forbidden phrase '最佳'"),
        (b"{", "holds no message"),
        (b"[]", "holds no message"),
        (b"\xff", "holds no message"),
    ],
)
def test_what_is_no_version_of_the_message_is_refused(world: World, content: Any, reason: str) -> None:
    world.words = FORBIDDEN
    with pytest.raises(InvalidInput, match=reason):
        publish(world, file=hand_in(world, content))
    assert world.library.entries == {}


def test_marketing_mail_keeps_its_link_to_unsubscribe(world: World) -> None:
    given = published(journey(messages={"welcome": email("welcome")}))
    world.published = replace(world.published, messages={**world.published.messages, **given.messages})
    bare = {"subject": "S", "html": "<p>Hi</p>", "text": "Hi"}
    content = {**email("welcome"), "variants": {"email": {"zh-CN": bare, "en": bare}}}
    with pytest.raises(InvalidInput, match=r"must show the link \{\{ links.unsubscribe"):
        publish(world, message=f"{JOURNEY}/welcome", file=hand_in(world, content))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"message": "nothing/there"}, "message: there is no message"),
        ({"message": None}, "message: there is no message"),
        ({"action": "delete"}, "action: should be one of publish, review"),
        ({"file": "imports/people.csv"}, "file: should be a file under library/inbox/"),
        ({"file": "library/inbox/none.json"}, "file: there is no"),
        ({"under_way": "always"}, "under_way: should be newest or begun"),
        ({"note": "x" * 501}, "note: should be text"),
        ({"action": "review", "version": 3}, "has no version 3"),
        ({"action": "rollback", "version": "1"}, "version: should be the number"),
        ({"action": "rollback", "version": True}, "version: should be the number"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_field(world: World, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        publish(world, **changes)


def test_a_write_of_another_process_is_kept(world: World) -> None:
    at = parse_instant("2027-03-01T02:00:00.000Z")
    other = LibraryEntry(MESSAGE, 1, versions=(MessageVersion(1, "d-1", "jo.li", at, "draft"),))
    world.library.others = [other]
    assert publish(world)["version"] == 2
    world.library.others = [replace(other, revision=number) for number in range(10, 20)]
    with pytest.raises(ConcurrentUpdate):
        publish(world, "Third words")


@pytest.mark.parametrize("change", ["cut", "other", "member", "key", "long"])
def test_a_link_that_is_not_ours_or_anothers_opens_nothing(world: World, change: str) -> None:
    publish(world)
    token = link(world)
    content, _, signature = token.partition(".")
    forged = {
        "cut": token[:-3],
        "other": f"{content[:-2]}AA.{signature}",
        "member": approval_url("", LINK_KEY, approval_id=next(iter(world.approvals.requests)), member="staff-lin_chen")[
            3:
        ],
        "key": approval_url("", "another-key", approval_id="a-1", member="staff-wei_zhang")[3:],
        "long": token + "x" * 600,
    }[change]
    assert world.decide_approval.read(forged) is None
    assert world.decide_approval.decide(forged, decision="approved", digest="", comment="") is None
    assert world.decide_approval.read(token) is not None
    world.staff = directory("lin.chen", "jo.li")
    assert world.decide_approval.read(token) is None, "who left the staff decides nothing"


def test_a_token_names_the_request_and_the_member() -> None:
    url = approval_url("https://api.example/", LINK_KEY, approval_id="a-1", member="staff-wei")
    assert url.startswith("https://api.example/a/")
    assert read_token(url.rpartition("/")[2], ["other-key", LINK_KEY]) == ("a-1", "staff-wei")


def test_the_digest_is_that_of_the_texts() -> None:
    assert texts_digest(b"a") != texts_digest(b"b")
