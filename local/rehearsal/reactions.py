"""Plays what contacts do with the messages they got: opens, clicks, dismisses, bounces, complains. Used by rehearsals.

All go the way they go on AWS. A bounce and a complaint are reported by the fake provider in its own words, and the notice
becomes an event. Who opens a message loads its picture, who clicks follows its first link, as a browser does. The links of a message
that is not tracked (an SMS to mainland China) are the company's own: then the event comes through the webhook API, as from a shop
that knows who came.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never

from local.cloud.local_cloud import LocalCloud
from local.loopback import call as http_call
from local.problems import LocalError
from local.providers.record import Call
from local.providers.server import fakes
from local.rehearsal.scenario_file import Reaction, ReactionKind, Scenario, ScenarioEvent
from local.running.tracking import track_call
from waypost.authoring.problems import nearest
from waypost.channels.fake_contract import Fate
from waypost.contacts.channels import Channel, Report, declared_channels
from waypost.events.message_events import MessageEvent
from waypost.reports.timeline import MessageDecision

_LINK: Final = re.compile(r"https?://", re.IGNORECASE)
_PIXEL: Final = re.compile(r'<img src="([^"]+/o/[^"]+)"')
_FOLLOWED: Final = re.compile(r'<a\b(?![^>]*\stabindex="-1")[^>]*\shref="([^"]+/r/[^"]+)"')
"""A link that is tracked, and not the hidden one."""

_FOLLOWED_IN_TEXT: Final = re.compile(r"(https?://\S+/r/[\w.-]+)")
_BROWSER: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
)
_REPORTED_AS: Final[Mapping[ReactionKind, Report]] = {
    "opens": "opened",
    "clicks": "clicked",
    "dismisses": "dismissed",
    "bounces": "bounced",
    "complains": "complained",
}
_BEFORE: Final[Fate] = "delivered"
"""What a provider reports before anybody can open, click or complain."""


def can_happen(kind: ReactionKind, channel: Channel) -> bool:
    """Whether anything reports such a reaction to a message of this channel."""
    return _REPORTED_AS[kind] in declared_channels()[channel].reports


@dataclass(slots=True, kw_only=True)
class PlannedReaction:
    """A reaction of a scenario: where it stands there, what it is, and at which moment, once that is known."""

    journey: str
    scenario: Scenario
    index: int
    entry: ScenarioEvent
    reaction: Reaction
    at: datetime | None

    @property
    def place(self) -> str:
        """The field, as messages about it name it."""
        return f"events[{self.index}].{self.reaction.kind}"


class Reactions:
    """Plays reactions on ``cloud``."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._delivered: set[str] = set()

    def sent(self, name: str, decided: Sequence[MessageDecision]) -> list[Call]:
        """The messages of that name among those decided on that a provider took, oldest first."""
        keys = {decision.message_key for decision in decided if decision.message == name}
        return [call for call in self._cloud.providers.accepted if call.message_key in keys] if keys else []

    def play(self, planned: PlannedReaction, decided: Sequence[MessageDecision]) -> str:
        """Do it now to the newest message of its name; "", or why it cannot be done."""
        calls = self.sent(planned.reaction.message, decided)
        if not calls:
            return not_played(planned, decided)
        call, kind = calls[-1], planned.reaction.kind
        if not can_happen(kind, call.channel):
            return f"{planned.place}: {planned.reaction.message!r} went by {call.channel}, where nothing reports that"
        if kind != "bounces":
            self._deliver(call)
        match kind:
            case "opens":
                self._load(_PIXEL, "message_opened", planned, call)
            case "clicks":
                if not _LINK.search(call.content.html or call.content.text):
                    return f"{planned.place}: there is no link in {planned.reaction.message!r}"
                self._load(_FOLLOWED if call.content.html else _FOLLOWED_IN_TEXT, "message_clicked", planned, call)
            case "dismisses":
                self._track("message_dismissed", planned, call)
            case "bounces":
                self._cloud.providers.report(call, "bounced")
            case "complains":
                self._cloud.providers.report(call, "complained")
            case _:
                assert_never(kind)
        return ""

    def _deliver(self, call: Call) -> None:
        """A message that was read had been delivered: the provider reports that first, once."""
        reports = any(_BEFORE in fake.fates for fake in fakes()[call.channel])
        if not reports or self._cloud.providers.delivery_events or call.message_key in self._delivered:
            return
        self._delivered.add(call.message_key)
        self._cloud.providers.report(call, _BEFORE)
        self._cloud.time.settle()

    def _load(self, place: re.Pattern[str], event: MessageEvent, planned: PlannedReaction, call: Call) -> None:
        """Ask for what the message has there, as its reader's program does; without it, say that the contact did it."""
        found = place.search(call.content.html or call.content.text)
        if not found:
            self._track(event, planned, call)
            return
        url = html.unescape(found[1])
        answer = http_call("GET", url, headers={"user-agent": _BROWSER})
        if answer.status not in {200, 302}:
            raise LocalError(
                f"{planned.scenario.name}: {planned.place}: {url} answered {answer.status}", "look at its function"
            )

    def _track(self, event: MessageEvent, planned: PlannedReaction, call: Call) -> None:
        properties: dict[str, Any] = {"channel": call.channel, "message_key": call.message_key}
        if journey := call.tags.get("journey"):
            properties["journey"] = journey
        done = track_call(planned.scenario.contact.user_id, event, properties, at=self._cloud.clock.now())
        answer = self._cloud.tracking.batch([done])
        if answer.status >= 300 or answer.json().get("warnings"):
            reason = answer.body[:500].decode(errors="replace")
            raise LocalError(
                f"{planned.scenario.name}: {planned.place} was not taken ({answer.status}): {reason}", "correct it"
            )


def not_played(planned: PlannedReaction, decided: Sequence[MessageDecision]) -> str:
    """Why a reaction was not played: what this contact got instead, and what became of the message that was meant."""
    name = planned.reaction.message
    sent = list(dict.fromkeys(decision.message for decision in decided if decision.outcome == "sent"))
    if name in sent:
        return f"{planned.place}: {name!r} was sent, but the rehearsal ended before this was due"
    instead = f"sent were {', '.join(sent)}" if sent else "nothing was sent"
    if held := next((each for each in reversed(decided) if each.message == name), None):
        return f"{planned.place}: {name!r} was {held.outcome} ({held.reason}), not sent; {instead}"
    near = nearest(name, sent)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"{planned.place}: {name!r} had not been sent to this contact{hint} ({instead})"
