"""Rows that grow fit their items at their largest: every part that can grow has its bound here. The profile has a test of its own."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any, Final

import pytest

from tests.fakes.world import START
from waypost.authoring.manifest import MOST_SPLITS
from waypost.aws.address_records import MOST_NOTED
from waypost.channels.inbox.box import KeptMessage
from waypost.channels.wechat.channel import MOST_BYTES, MOST_PAGE
from waypost.clock import parse_instant
from waypost.contacts.address_record import AddressRecord
from waypost.contacts.channels import CHANNELS
from waypost.content.link_rewriting import LONGEST_TARGET, MOST_SHORT_LINKS
from waypost.intake.http_request import MAX_EVENT
from waypost.item_size import LARGEST_ITEM, stored_size
from waypost.journeys.enrolment import LONGEST_MOVES, LONGEST_TRAIL, Enrolment
from waypost.sending.judge import LONGEST_SEEN, all_guards
from waypost.sending.ledger import MOST_DEFERRALS_NOTED, MOST_TOUCHES, LedgerRow, Touch, Touches

NOON = parse_instant(START)
LARGEST_PAYLOAD: Final = 256 * 1024
"""Bytes of a state's input in Step Functions, all variables beside it included. Source: Step Functions Developer Guide, "Quotas"."""

NAME: Final = "甲" * 64
INSTANT: Final = "2027-03-01T04:00:00.000Z"
MOST_TOPICS: Final = 500
"""Topics that a company's messages have: signed links name them, so nobody else can add one."""

MOST_TEMPLATES: Final = 50
"""Templates of an account's messages: what a person agrees to comes from the company's own systems, so nobody else can add one."""

DECISION: Final = {"at": INSTANT, "local_time": INSTANT, "outcome": "deferred", "reason": NAME, "channel": NAME, "policy": "f" * 8,
                   "saw": "x" * (LONGEST_SEEN + 4) * (1 + len(all_guards())), "elsewhere": dict.fromkeys(CHANNELS, NAME)}  # fmt: skip
SENT: Final = {**DECISION, "saw": f"{DECISION['saw']}{'x' * (LONGEST_SEEN + 4)}"}
"""The decision to send names the next backup besides."""

PAST_PAUSE: Final = {"state": NAME, "occurrence": 10**6, "parked_at": INSTANT, "due_at": INSTANT, "ended_at": INSTANT,
                     "end": "elapsed", "awaited": "甲" * 100, "event_id": "e" * 140}  # fmt: skip
MOVE: Final = {"change": NAME, "act": "follow", "at": INSTANT, "by": NAME, "from_version": NAME, "from_state": NAME,
               "to_version": NAME, "to_state": NAME}  # fmt: skip
EVENT: Final = {"id": "e" * 140, "type": "甲" * 100, "occurred_at": INSTANT, "properties": "x" * MAX_EVENT}

LARGEST: Final[Mapping[type, Mapping[str, Any]]] = {
    Touches: {
        "recent": [{"message_key": "m" * 80, "at": INSTANT, "channel": "push", "message": NAME + NAME, "kind": "marketing",
                    "topic": NAME, "priority": "normal"}] * MOST_TOUCHES,
    },
    LedgerRow: {
        "decisions": [*[DECISION] * (MOST_DEFERRALS_NOTED + 2), SENT],
        "links": ["x" * LONGEST_TARGET] * MOST_SHORT_LINKS,
        "in_answer": {"MsgType": "news", "Articles": {"item": {"Title": "x" * MOST_BYTES, "Url": "甲" * MOST_PAGE}}},
    },
    KeptMessage: {
        "tags": dict.fromkeys(("message_key", "contact_id", "address", "journey", "stream"), NAME),
        "done": dict.fromkeys(("seen", "dismissed"), INSTANT),
    },
    AddressRecord: {
        "withdrawn": {f"{number}{NAME}": INSTANT for number in range(MOST_TOPICS)},
        "rights": {
            "states": {f"opened/template:{number}{'x' * 100}": INSTANT for number in range(3 * MOST_TEMPLATES)},
            "notes": {f"granted/{number}{'e' * 140}": INSTANT for number in range(4 * MOST_NOTED)},
        },
    },
    # a Pause's row and result are a payload; a trail of states and instants packs to a fifth at most
    Enrolment: {
        "trigger": EVENT,
        "left_on": EVENT,
        "pause": "x" * LARGEST_PAYLOAD,
        "trail": "x" * (stored_size([PAST_PAUSE] * LONGEST_TRAIL) // 5),
        "moves": [MOVE] * LONGEST_MOVES,
        "failure": "x" * 4_000,
        "splits": {"s" * 38 + f"{number:02}": "甲" * 40 for number in range(MOST_SPLITS)},
    },
}  # fmt: skip

_GROWS: Final = ("dict", "list", "tuple", "Mapping", "Sequence", "Pause", "TriggerEvent", "Failure")


@pytest.mark.parametrize("row", LARGEST, ids=lambda each: each.__name__)
def test_every_part_that_grows_has_a_bound_and_together_they_fit(row: type) -> None:
    growing = {each.name for each in fields(row) if any(word in str(each.type) for word in _GROWS)}
    assert growing == LARGEST[row].keys()
    assert stored_size(LARGEST[row]) < LARGEST_ITEM - 4_000


def test_the_newest_messages_of_a_contact_are_the_ones_that_are_remembered() -> None:
    def touch(number: int) -> Touch:
        at = NOON + timedelta(minutes=number)
        return Touch(f"m-{number}", at, "email", "welcome", "marketing", "news", "normal")

    recent = Touches()
    for number in range(MOST_TOUCHES + 5):
        recent = recent.plus(touch(number))
    assert [recent.recent[0].message_key, recent.recent[-1].message_key] == ["m-5", f"m-{MOST_TOUCHES + 4}"]
    both = recent.together_with(Touches([touch(10_000)]))
    assert len(both.recent) == MOST_TOUCHES
    assert both.recent[-1].message_key == "m-10000"
