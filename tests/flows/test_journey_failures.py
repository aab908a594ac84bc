"""A journey that fails says on the contact's timeline in which state, with which error and why."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from local.cloud.assembly import Assembly
from local.cloud.local_cloud import LocalCloud
from tests.flows.steps import accepted, by_day, contact_id, items, travel
from waypost.reports.timeline import Entry, timeline

pytestmark = pytest.mark.flow

JOURNEY = """
scenario: a journey that fails
description: Fails on purpose.
owner: growth team
trigger: {{ event: {name}_asked }}
goal: {{ event: never_happened }}
"""
DEFINITION = """
QueryLanguage: JSONata
StartAt: The whole of it
States:
  The whole of it:
    Type: Parallel
    Branches:
      - StartAt: A moment of peace
        States:
          A moment of peace:
            Type: Task
            Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
            Arguments:
              FunctionName: "${{PauseJourney}}"
              Payload: {{ for: 1h, context: "{{% $states.context %}}" }}
            Assign: {{ outcome: "{{% $states.result.outcome %}}" }}
            Next: What goes wrong
{body}
    Catch:
      - ErrorEquals: [GoalReached, JourneyExited]
        Next: Finished
    Next: Finished
  Finished:
    Type: Succeed
"""
BODIES = {
    "naming": """
          What goes wrong:
            Type: Fail
            Error: OutOfStock
            Cause: nothing is left of it
""",
    "calling": """
          What goes wrong:
            Type: Task
            Resource: arn:aws:states:::lambda:invoke
            Arguments:
              FunctionName: "${UpdateContact}"
              Payload: { earn_points: "{% $length($outcome) - 9 %}", context: "{% $states.context %}" }
            End: true
""",
    "reckoning": """
          What goes wrong:
            Type: Task
            Resource: arn:aws:states:::lambda:invoke
            Arguments:
              FunctionName: "${UpdateContact}"
              Payload: { earn_points: "{% $number($outcome) %}", context: "{% $states.context %}" }
            End: true
""",
    "choosing": """
          What goes wrong:
            Type: Choice
            Choices:
              - Condition: "{% $number($outcome) > 1 %}"
                Next: That was all
            Default: That was all
          That was all:
            Type: Succeed
""",
    "inside": """
          What goes wrong:
            Type: Parallel
            Branches:
              - StartAt: A sum of words
                States:
                  A sum of words:
                    Type: Pass
                    Output: { sum: "{% $outcome + 1 %}" }
                    End: true
            End: true
""",
    "nowhere": """
          What goes wrong:
            Type: Choice
            Choices:
              - Condition: "{% $outcome = 'never' %}"
                Next: That was all
          That was all:
            Type: Succeed
""",
}
BODIES["no-boolean"] = """
          What goes wrong:
            Type: Choice
            Choices:
              - Condition: "{% $outcome %}"
                Next: That was all
            Default: That was all
          That was all:
            Type: Succeed
"""
BARE = """
QueryLanguage: JSONata
StartAt: A moment of peace
States:
  A moment of peace:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
    Arguments:
      FunctionName: "${{PauseJourney}}"
      Payload: {{ for: 1h, context: "{{% $states.context %}}" }}
    Assign: {{ outcome: "{{% {outcome} %}}" }}
    Next: What goes wrong
  What goes wrong:
    Type: Choice
    Choices:
      - Condition: "{{% {condition} %}}"
        Next: Finished
    Default: Finished
  Finished:
    Type: Succeed
"""
BARE_BODIES = {
    "bare-choice": BARE.format(outcome="$states.result.outcome", condition="$number($outcome) > 1"),
    "bare-pause": BARE.format(outcome="$number($states.result.outcome)", condition="$outcome = 1"),
}


def drop_in(statemachines: Path) -> None:
    for name, body in BODIES.items():
        folder = statemachines / "journeys" / name
        folder.mkdir()
        (folder / "journey.yaml").write_text(JOURNEY.format(name=name.replace("-", "_")), encoding="utf-8")
        (folder / "definition.asl.yaml").write_text(DEFINITION.format(body=body), encoding="utf-8")
    for name, whole in BARE_BODIES.items():
        folder = statemachines / "journeys" / name
        folder.mkdir()
        manifest = JOURNEY.format(name=name.replace("-", "_")).replace("goal: { event: never_happened }\n", "")
        (folder / "journey.yaml").write_text(manifest, encoding="utf-8")
        (folder / "definition.asl.yaml").write_text(whole, encoding="utf-8")


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, changed_assembly: Callable[[Callable[[Path], None]], Assembly]
) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("failing") / "cloud"
    with LocalCloud(folder, assembly=changed_assembly(drop_in)) as cloud:
        by_day(cloud)
        for name in [*BODIES, *BARE_BODIES]:
            event = f"{name.replace('-', '_')}_asked"
            accepted(cloud.tracking.track(f"u-{name}", event, {}, at=cloud.clock.now()))
        cloud.time.settle()
        travel(cloud, cloud.clock.now() + timedelta(hours=2))
        yield cloud


def end_of(cloud: LocalCloud, name: str) -> Entry:
    entries = timeline(contact_id(f"u-{name}"), items(cloud), default_zone=cloud.default_zone)
    [end] = [entry for entry in entries if entry.kind == "end"]
    return end


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("naming", "at What goes wrong: OutOfStock: nothing is left of it"),
        ("calling", "at What goes wrong: InvalidInput: earn_points: "),
        ("reckoning", "at What goes wrong: States.QueryEvaluationError: "),
        ("choosing", "at What goes wrong: States.QueryEvaluationError: "),
        ("inside", "at A sum of words: States.QueryEvaluationError: T2001: "),
        ("nowhere", "at What goes wrong: States.NoChoiceMatched: "),
        ("no-boolean", "at What goes wrong: States.QueryEvaluationError: {% $outcome %} is not a boolean"),
        ("bare-choice", "at What goes wrong: States.QueryEvaluationError: "),
        ("bare-pause", "at A moment of peace: States.QueryEvaluationError: "),
    ],
)
def test_a_failure_names_the_state_the_error_and_the_cause(cloud: LocalCloud, name: str, why: str) -> None:
    end = end_of(cloud, name)
    assert (end.title, end.journey, end.run) == ("journey ended: failed", name, 1)
    assert end.detail.startswith(why), end.detail
