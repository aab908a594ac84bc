"""Ten thousand contacts agree, write, tap and leave as they like: WeChat never has to refuse what they gave no right to.

Subscription notices, messages of a mini program and customer-service messages go through the sender and the real provider to
the faithful fake, which counts by itself. What people do is known late, out of order and twice.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from tests.fakes.posted import ScriptedPoster
from tests.fakes.published_journeys import WECHAT_ACCOUNT, WECHAT_TEMPLATE, published, wechat
from tests.fakes.secrets import FakeSecret
from tests.fakes.token_store import FakeTokenStore
from tests.fakes.world import World
from waypost.channels.contract import ProviderPorts
from waypost.channels.fake_contract import HttpRequest, RefusedRequestError
from waypost.channels.wechat.fake import Weixin
from waypost.channels.wechat.provider_weixin import connect
from waypost.contacts.channels import Channel
from waypost.content.message import PublishedMessage
from waypost.events.envelope import Event
from waypost.routing.reactions import GiveRights
from waypost.sending.occasion import BroadcastSlot
from waypost.sending.request import SendRequest

WECHAT = Channel("wechat")
CONTACTS: Final = 10_000
NO_RIGHT: Final = {43101, 45015, 45047}
KINDS: Final = {"news": "subscription", "reminder": "mini_program", "answer": "customer_service"}
MESSAGES: Final = {
    f"campaign/{name}": PublishedMessage.from_dict(wechat(name, form=form)) for name, form in KINDS.items()
}
PAUSES: Final = (0, 1, 7, 20, 59, 61, 3_600, 86_400, 172_800)
"""Seconds between two steps of a contact: within a second, within the minute of an act, beyond the 48 hours of a message."""
LATE: Final = (0, 1, 5, 30, 90)
"""Seconds after which an act is known."""


def answered(fake: Weixin, codes: Counter[int], url: str, content: dict[str, Any]) -> Mapping[str, Any]:
    """The fake's answer to a request; ``codes`` counts those to messages."""
    target = urlsplit(url)
    body = json.dumps(content).encode()
    request = HttpRequest(method="POST", path=f"{target.path}?{target.query}", headers={}, body=body)
    answer = fake.answer_aside(request)
    if answer is None:
        try:
            fake.check(fake.read(request))
            answer = fake.accepted(fake.new_id())
        except RefusedRequestError as refused:
            answer = refused.answer
        codes[int(answer.content.get("errcode", 0))] += 1
    return answer.content


@dataclass
class People:
    """What contacts do at WeChat, and when we come to know of it."""

    world: World
    fake: Weixin
    random: Random
    known_at: list[tuple[datetime, str, Event]] = field(default_factory=list)

    def act(self, contact_id: str, openid: str, number: int) -> None:
        """One act of the contact, which is known later, and sometimes twice."""
        kind = self.random.choice(["agree", "agree", "write", "follow", "tap", "leave"])
        if kind == "leave":
            if self.random.random() < 0.1:
                self.fake.unfollow(openid)
            return
        if kind == "agree":
            self.fake.agree(openid, WECHAT_TEMPLATE)
        elif kind == "write":
            self.fake.write(openid)
        else:
            self.fake.act(openid)
        type_ = {
            "agree": "wechat_subscription_accepted",
            "write": "wechat_message_received",
            "follow": "wechat_followed",
            "tap": "wechat_menu_clicked",
        }[kind]
        now = self.world.clock()
        event = Event(
            id=f"{contact_id}-{number}",
            type=type_,
            contact={"openid": f"{WECHAT_ACCOUNT}:{openid}", "contact_id": contact_id},
            occurred_at=now.replace(microsecond=0),  # WeChat says the second
            received_at=now,
            source="waypost.wechat",
            properties={"template": WECHAT_TEMPLATE},
        )
        for time in range(1 + (self.random.random() < 0.2)):
            late = timedelta(seconds=self.random.choice(LATE))
            heappush(self.known_at, (now + late, f"{event.id}-{time}", event))

    def learn(self) -> None:
        """Route what is known by now."""
        while self.known_at and self.known_at[0][0] <= self.world.clock():
            _, _, event = heappop(self.known_at)
            contact = self.world.contacts.load(event.contact["contact_id"])
            assert contact is not None
            GiveRights(self.world.addresses).react(contact, event, ())


@pytest.mark.timeout(600)
def test_ten_thousand_contacts_are_sent_nothing_that_they_gave_no_right_to() -> None:
    world = World(published=replace(published(), messages=MESSAGES))
    fake = Weixin()
    fake.clock = world.clock
    codes, store = Counter[int](), FakeTokenStore()
    poster = ScriptedPoster(lambda url, content: answered(fake, codes, url, content))
    ports = ProviderPorts(
        aws=pytest.fail,
        secret=lambda _: FakeSecret(Weixin.credentials),
        clock=world.clock,
        poster=lambda: poster,
        tokens=lambda: store,
        inbox=pytest.fail,
    )
    world.providers[WECHAT].real = connect({"accounts": WECHAT_ACCOUNT}, ports)
    random = Random(2031)  # noqa: S311 -- the same people each time
    people, sender = People(world, fake, random), world.send_message
    outcomes: Counter[str] = Counter()
    for number in range(CONTACTS):
        contact_id, openid = f"c-{number}", f"oContact{number:05d}"
        world.have_contact(contact_id, identities={"openid": [f"{WECHAT_ACCOUNT}:{openid}"]})
        for step in range(3):
            people.act(contact_id, openid, step)
            for each in range(random.choice([1, 2, 3])):
                people.learn()
                message = random.choice(list(KINDS))
                slot = BroadcastSlot(contact_id, "campaign", "run-1", f"{step}-{each}")
                result = sender.send(SendRequest(slot, f"campaign/{message}"))
                outcomes[result.outcome] += 1
            world.clock.advance(seconds=random.choice(PAUSES))
        world.clock.advance(seconds=max(LATE))
        people.learn()
    assert {code: codes[code] for code in NO_RIGHT} == dict.fromkeys(NO_RIGHT, 0), (codes, outcomes)
    assert outcomes["sent"] > CONTACTS
    assert outcomes["skipped"] > CONTACTS
    assert codes[43004] > 0  # those who left are found out by WeChat's own word
