"""An audience on fakes, as the state machine builds it, over a base of contacts of all kinds. Used by the tests of audiences."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.clock import FakeClock
from tests.fakes.files import FakeFiles
from tests.fakes.history import FakeHistory
from tests.fakes.profile_scan import FakeProfileScan
from tests.fakes.world import World, event
from waypost.assembly import assemble
from waypost.contacts.consent import Consent
from waypost.contacts.profile import Contact, with_seen
from waypost.events.listening import Listening
from waypost.segments.saved_segments import SavedSegment
from waypost.segments.subject import Subject, subject_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2027, 3, 1, 2, tzinfo=UTC)
CITIES = ("上海市", "北京市", "广州市", "<b>Bath & Wells</b>")
TAGS = ("interest-beauty", "vip", "newsletter", "dormant-warning")
EVENTS = ("page_viewed", "cart_updated", "order_placed")
PLENTY = 900_000
LISTENING = Listening(bus=(), settled=frozenset({"message_accepted"}))


def base(size: int, history: FakeHistory, seed: int = 1) -> list[Contact]:
    """So many contacts with events, the same ones for the same seed; some of them know next to nothing."""
    chance = random.Random(seed)  # noqa: S311 - people, not secrets
    return [_contact(number, chance, history) for number in range(size)]


def _contact(number: int, chance: random.Random, history: FakeHistory) -> Contact:
    since = NOW - timedelta(days=chance.randrange(1, 500), hours=chance.randrange(24))
    attributes: dict[str, Any] = {}
    if chance.random() < 0.8:
        attributes |= {
            "gender": chance.choice(["female", "male"]),
            "city": chance.choice(CITIES),
            "level": chance.randrange(5),
            "birthday": f"{chance.randrange(1950, 2010)}-0{chance.randrange(1, 10)}-1{chance.randrange(10)}",
            "email": f"person{number}@example.com",
        }
    tags = frozenset(tag for tag in TAGS if chance.random() < 0.4)
    contact = Contact(
        contact_id=f"c-{number:024x}",
        created_at=since,
        attributes=attributes,
        attributes_at={f"tag:{tag}": since for tag in tags},
        identities={"openid": [f"shop:{number}"]} if chance.random() < 0.3 else {},
        tags=tags,
        consents={"email/*": Consent(granted=chance.random() < 0.7, at=since, source="shop")},
        suppressions={"email": "hard_bounce"} if chance.random() < 0.1 else {},
        lifecycle=chance.choice(["", "lead", "active", "dormant"]),
        points=chance.randrange(100),
        absorbed=(f"c-before-{number}",) if chance.random() < 0.1 else (),
    )
    for count in range(chance.randrange(5)):
        happened = event(
            chance.choice(EVENTS),
            NOW - timedelta(days=chance.randrange(100), minutes=1),
            f"e-{number}-{count}",
            total=chance.randrange(200),
        )
        contact = with_seen(contact, happened)
        history.record(chance.choice(contact.partitions), happened, routed_at=NOW)
    return contact


@dataclass(kw_only=True)
class Audiences:
    """The functions behind build-audience and preview-segment, called in the machine's order."""

    size: int = 60
    segments: dict[str, SavedSegment] = field(default_factory=dict)
    files: FakeFiles = field(default_factory=FakeFiles)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))

    def __post_init__(self) -> None:
        self.world = World(clock=self.clock, files=self.files, segments=self.segments)
        ports, self.history = self.world.ports, self.world.history
        self.contacts = base(self.size, self.history)
        self.scan = self.world.scan = FakeProfileScan(lambda: self.contacts, page=7, read_units=2.5)
        self.planner = assemble.plan_audience(ports, segments=self.segments, default_zone=SHANGHAI, listening=LISTENING)
        self.builder = assemble.build_audience_slice(ports)
        self.gatherer = assemble.gather_audience(ports, segments=self.segments)
        self.previewer = assemble.preview_segment(
            ports, segments=self.segments, default_zone=SHANGHAI, listening=LISTENING
        )

    def build(self, given: Mapping[str, Any], *, execution: str = "run-1", remaining: int = PLENTY) -> dict[str, Any]:
        """A whole run; its output."""
        work = self.planner.plan({"input": given, "execution": execution})
        self.do_slices(work, remaining=remaining)
        return self.gatherer.gather(work)

    def do_slices(self, work: Mapping[str, Any], *, remaining: int = PLENTY) -> int:
        """All slices, each until it is done; how many calls that took."""
        calls = 0
        for payload in work["slices"]:
            done = False
            while not done:
                done = self.builder.step(payload, remaining=lambda: remaining)["done"]
                calls += 1
        return calls

    def preview(self, given: Mapping[str, Any], *, remaining: int = PLENTY) -> dict[str, Any]:
        """A whole preview; its output."""
        answer = self.previewer.preview({"input": given, "execution": "run-1"}, remaining=lambda: remaining)
        if answer["done"]:
            preview: dict[str, Any] = answer["preview"]
            return preview
        self.do_slices(answer)
        return self.gatherer.gather(answer)

    def manifest(self, output: Mapping[str, Any]) -> dict[str, Any]:
        """The manifest an output names."""
        content: dict[str, Any] = json.loads(self.files[output["manifest"]])
        return content

    def ids_in(self, files: Sequence[Mapping[str, Any]]) -> list[str]:
        """The contact ids in these files."""
        return [json.loads(line)["contact_id"] for file in files for line in self.files[file["key"]].splitlines()]

    def whole_subject(self, contact: Contact) -> Subject:
        """Everything known of a contact, for a naive answer."""
        history = [
            (each.type, each.occurred_at, each.properties)
            for partition in contact.partitions
            for each in self.history.since(partition, datetime(1970, 1, 1, tzinfo=UTC))
        ]
        return subject_of(contact, now=NOW, default_zone=SHANGHAI, history=history)
