"""Send messages that waited, many at a time: what goes to one provider shares its calls. Called by send_deferred."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from waypost.contacts.channels import Channel
from waypost.errors import InvalidInput, WaypostError
from waypost.sending.request import SendOutcome, SendRequest, SendResult
from waypost.sending.send_message import ClaimedMessage, SendMessage


@dataclass(slots=True)
class Sent:
    """What became of a batch, by the ids of its queue's messages; ``failed`` are to be delivered again."""

    results: dict[str, SendResult] = field(default_factory=dict)
    failed: dict[str, WaypostError] = field(default_factory=dict)

    def outcomes(self) -> Mapping[SendOutcome, int]:
        """How many messages had each outcome."""
        return Counter(result.outcome for result in self.results.values())

    def unsent(self) -> Sequence[SendResult]:
        """The results of messages that did not go out now."""
        return [result for result in self.results.values() if result.outcome != "sent"]

    @property
    def account_refusals(self) -> int:
        """How many messages the provider refused because of the account."""
        return sum(result.account_refused for result in self.results.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDeferred:
    """Sends each message of a batch at most once, as ``SendMessage`` does.

    All that may go out is claimed first, then handed over together, then settled. A process that dies between leaves claims
    without an answer, as a single send would leave one: each becomes ``unknown`` and is never sent.
    """

    sender: SendMessage

    def send(self, bodies: Mapping[str, str]) -> Sent:
        """Send the messages of a batch, given as JSON by ids of their own. One that fails holds up no other."""
        sent = Sent()
        claimed: dict[Channel, dict[str, ClaimedMessage]] = {}
        for body_id, body in bodies.items():
            try:
                reached = self.sender.claim(_request(body))
            except WaypostError as error:
                sent.failed[body_id] = error
                continue
            match reached:
                case SendResult():
                    sent.results[body_id] = reached
                case ClaimedMessage():
                    claimed.setdefault(reached.channel, {})[body_id] = reached
                case _:
                    assert_never(reached)
        for together in claimed.values():
            answers = self.sender.call(list(together.values()))
            for (body_id, each), answer in zip(together.items(), answers, strict=True):
                try:
                    sent.results[body_id] = self.sender.settle(each, answer) or self.sender.send(each.request)
                except WaypostError as error:
                    sent.failed[body_id] = error
        return sent


def _request(body: str) -> SendRequest:
    """Raises InvalidInput for what no schedule of ours carries."""
    try:
        payload: dict[str, Any] = json.loads(body)
        return SendRequest.from_dict(payload)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("deferred message", f"cannot be read: {type(error).__name__}") from error
