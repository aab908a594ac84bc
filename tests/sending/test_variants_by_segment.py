"""Another message stands in for members of a segment."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.authoring import folders
from tests.fakes.published_journeys import email, journey, published
from tests.fakes.world import CONTACT, World, send_request
from waypost.clock import parse_instant
from waypost.reports.message_explanation import explained_guards
from waypost.sending.ledger import Decision

SINCE = parse_instant("2027-02-01T00:00:00Z")


@pytest.fixture
def world() -> World:
    welcome = email("welcome") | {"for_segments": [["vip", "welcome-vip"], ["dormant", "welcome-back"]]}
    others = {name: email(name) for name in ("welcome-vip", "welcome-back")}
    for name, message in {"welcome": welcome, **others}.items():
        for variant in message["variants"]["email"].values():
            variant["subject"] = name
    return World(published=published(journey(messages={"welcome": welcome, **others})))


def sent(world: World, *segments: str) -> tuple[str, Decision]:
    """The subject of what a contact of these segments gets, and the decision."""
    world.have_contact(segments=dict.fromkeys(segments, SINCE))
    request = send_request(world.walking(world.have_enrolment()), "welcome", state="Welcome")
    assert world.send_message.send(request).outcome == "sent"
    (mail,) = world.email.sent
    (row,) = world.ledger.rows.values()
    return mail.content.subject, row.decisions[-1]


@pytest.mark.parametrize(
    ("segments", "subject"),
    [
        (["vip"], "welcome-vip"),
        (["dormant"], "welcome-back"),
        (["dormant", "vip"], "welcome-vip"),  # the first that is named
        (["others"], "welcome"),
        ([], "welcome"),
    ],
)
def test_the_first_segment_that_fits_decides_what_is_read(world: World, segments: list[str], subject: str) -> None:
    assert sent(world, *segments)[0] == subject


def test_why_says_which_message_went_out_and_for_whom(world: World) -> None:
    decision = sent(world, "vip")[1]
    assert decision.saw["vs"] == "welcome-vip: vip"
    first, *_ = explained_guards(decision.saw, decision.reason)
    assert (first.guard, first.saw, first.decided) == ("variant", "welcome-vip: vip", False)
    assert "vs" not in sent_plain(world).saw


def sent_plain(world: World) -> Decision:
    other = World(published=world.published)
    return sent(other)[1]


def test_a_contact_that_changes_segments_while_it_waits_gets_one_message(world: World) -> None:
    contact = world.have_contact()
    world.clock.advance(hours=13)
    request = send_request(world.walking(world.have_enrolment()), "welcome", state="Welcome")
    assert world.send_message.send(request).outcome == "deferred"
    world.contacts.put(replace(world.contacts[CONTACT], segments={"vip": SINCE}, version=contact.version))
    world.fire_next()
    assert [mail.content.subject for mail in world.email.sent] == ["welcome-vip"]
    assert world.send_message.send(request).outcome == "sent"
    assert len(world.email.sent) == 1


def test_authors_name_messages_that_may_stand_in(tmp_path: Path) -> None:
    root = folders.write(tmp_path)
    (root / "segments").mkdir()
    (root / "segments/vip.yaml").write_text(
        "description: Members.\nowner: growth team\nrule: { tag: vip }\n", encoding="utf-8"
    )
    sorry = root / "journeys/win-back/messages/sorry"
    plain = (sorry / "message.yaml").read_text(encoding="utf-8")

    def problems(segment: str, message: str) -> str:
        given = f"for_segments: [{{ segment: {segment}, message: {message} }}]\n"
        (sorry / "message.yaml").write_text(plain + given, encoding="utf-8")
        return "\n".join(folders.problems(root))

    assert "no other folder in messages/ is called 'sorry-vip'" in problems("vip", "sorry-vip")
    assert "no other folder in messages/ is called 'sorry'" in problems("vip", "sorry")
    assert "'thanks' has another kind" in problems("vip", "thanks")
    other = sorry.parent / "sorry-vip"
    other.mkdir()
    (other / "message.yaml").write_text(plain, encoding="utf-8")
    (other / "sms.zh-CN.txt").write_text("【店】亲爱的会员 回T退订", encoding="utf-8")
    assert "unknown segment 'vipp'; did you mean 'vip'?" in problems("vipp", "sorry-vip")
    assert problems("vip", "sorry-vip") == ""
    again = "for_segments: [{ segment: vip, message: sorry }]\n"
    (other / "message.yaml").write_text(plain + again, encoding="utf-8")
    assert "'sorry-vip' has for_segments of its own" in problems("vip", "sorry-vip")
