"""A reaction that could not be played says what there was instead."""

import pytest

from local.rehearsal.reactions import PlannedReaction, can_happen, not_played
from local.rehearsal.scenario_file import Scenario
from waypost.contacts.channels import channel_named
from waypost.reports.timeline import MessageDecision

STORY = Scenario.model_validate(
    {
        "name": "one",
        "contact": {"user_id": "u"},
        "events": [{"at": "day 1", "event": "e"}, {"after": "2h", "opens": "reminder"}],
    }
)


def decision(message: str, outcome: str = "sent", reason: str = "every_guard_allowed") -> MessageDecision:
    return MessageDecision(
        contact_id="c",
        occasion="journey_step",
        journey="j",
        step=message,
        message=message,
        channel="email",
        at="2031-03-03T01:00:00.000Z",
        local_time="2031-03-03T09:00:00+08:00",
        outcome=outcome,
        reason=reason,
        message_key=message,
    )


@pytest.mark.parametrize(
    ("decided", "reason"),
    [
        ([], "'reminder' had not been sent to this contact (nothing was sent)"),
        (
            [decision("welcome"), decision("remind")],
            "'reminder' had not been sent to this contact; did you mean 'remind'? (sent were welcome, remind)",
        ),
        (
            [decision("welcome"), decision("reminder", "skipped", "frequency_cap")],
            "'reminder' was skipped (frequency_cap), not sent; sent were welcome",
        ),
        ([decision("reminder")], "'reminder' was sent, but the rehearsal ended before this was due"),
    ],
)
def test_what_there_was_instead(decided: list[MessageDecision], reason: str) -> None:
    entry = STORY.events[1]
    assert entry.reaction is not None
    planned = PlannedReaction(journey="j", scenario=STORY, index=1, entry=entry, reaction=entry.reaction, at=None)
    assert not_played(planned, decided) == f"events[1].opens: {reason}"


def test_a_channel_says_what_it_reports() -> None:
    email, sms = channel_named("email"), channel_named("sms")
    assert [kind for kind in ("opens", "clicks", "dismisses", "bounces", "complains") if can_happen(kind, sms)] == [
        "clicks",
        "bounces",
    ]
    assert can_happen("opens", email)
    assert can_happen("complains", email)
