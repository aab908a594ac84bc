"""A journey is changed between down and up while contacts wait in it: the same plan, deployment and undo as on AWS."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.project import Project
from local.cloud.local_cloud import LocalCloud
from local.journeys import journey_changes
from local.journeys.stage import Stage, kept_by, stage_of
from local.problems import LocalError
from tests.flows.projects import link_layers
from tests.flows.steps import accepted, decided, enrolment_of, introduce, items, travel, waiting_at
from waypost.reports.timeline import timeline

pytestmark = pytest.mark.flow
NAME = "follow-up"
FIRST, SECOND, RENAMED = "Wait a day", "Wait two days", "Wait two days more"
MESSAGES = ("hello", "offer", "survey", "goodbye")


def definition(*steps: tuple[str, str]) -> dict[str, Any]:
    """A journey of messages and Pauses, one after the other."""
    states: dict[str, Any] = {}
    for index, (name, what) in enumerate(steps):
        pauses = what[0].isdigit()
        payload = {"for": what} if pauses else {"message": what}
        states[name] = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke" + (".waitForTaskToken" if pauses else ""),
            "Arguments": {
                "FunctionName": "${PauseJourney}" if pauses else "${SendMessage}",
                "Payload": {**payload, "context": "{% $states.context %}"},
            },
            **({"Next": steps[index + 1][0]} if index + 1 < len(steps) else {"End": True}),
        }
    return {"Comment": "Follows up.", "QueryLanguage": "JSONata", "StartAt": steps[0][0], "States": states}


FORMER = definition(
    ("Say hello", "hello"), (FIRST, "1d"), ("Make an offer", "offer"), (SECOND, "2d"), ("Say goodbye", "goodbye")
)
CHANGED = definition(
    ("Say hello", "hello"), (FIRST, "1d"), ("Ask for an answer", "survey"), (RENAMED, "2d"), ("Say goodbye", "goodbye")
)


class Content:
    """A project with one journey, which tests change."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.journey = folder, folder / "statemachines" / "journeys" / NAME
        link_layers(folder)
        for message in MESSAGES:
            path = self.journey / "messages" / message
            path.mkdir(parents=True)
            self._dump(path / "message.yaml", {"kind": "transactional", "topic": "orders", "channels": ["sms"]})
            (path / "sms.zh-CN.txt").write_text(f"【Shop】{message}\n", encoding="utf-8")
        self.write(FORMER)

    def write(self, flow: dict[str, Any], **manifest: Any) -> None:
        fields = {"scenario": "follow up", "description": "After an order.", "owner": "tests"}
        self._dump(self.journey / "journey.yaml", {**fields, "trigger": {"event": "order_placed"}, **manifest})
        self._dump(self.journey / "definition.asl.yaml", flow)

    def up(self) -> LocalCloud:
        return LocalCloud(self.folder / "cloud", project=Project.at(self.folder), keeps_state=True)

    def _dump(self, path: Path, content: dict[str, Any]) -> None:
        path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


def order(cloud: LocalCloud, *users: str) -> None:
    for user in users:
        introduce(cloud, user)
        accepted(cloud.tracking.track(user, "order_placed", {}, at=cloud.clock.now()))
    cloud.time.settle()


def stage(cloud: LocalCloud) -> Stage:
    found = stage_of("waypost-dev", cloud.client, clock=cloud.clock.now, by="ops", kept=kept_by(cloud.project))
    assert found is not None
    return found


def sent(cloud: LocalCloud, user: str) -> list[str]:
    return [each.message for each in decided(cloud, user) if each.outcome == "sent"]


def everything_went_out_once(cloud: LocalCloud) -> None:
    keys = Counter(call.message_key for call in cloud.providers.accepted)
    assert set(keys.values()) == {1}


def test_a_change_between_down_and_up_takes_the_contacts_along_and_can_be_undone(tmp_path: Path) -> None:
    content = Content(tmp_path)
    with content.up() as cloud:
        order(cloud, "early-1", "early-2")
        travel(cloud, cloud.clock.now() + timedelta(hours=25))
        order(cloud, "late-1", "late-2")
        former = enrolment_of(cloud, "late-1", NAME).machine_version
        assert waiting_at(cloud, "early-1") == [SECOND]
        assert waiting_at(cloud, "late-1") == [FIRST]

    # a Pause that somebody waits in is gone: refused, with the place, the number and the way out
    content.write(CHANGED)
    with pytest.raises(LocalError, match=f"{NAME}/definition.asl.yaml: {SECOND}.* 2 contacts wait there") as refused:
        content.up().__enter__()
    assert RENAMED in str(refused.value)

    # with a policy it is done
    content.write(CHANGED, change={"states": {SECOND: {"move": RENAMED}}})
    with content.up() as cloud:
        assert {user: waiting_at(cloud, user) for user in ("early-1", "early-2", "late-1", "late-2")} == {
            "early-1": [RENAMED],
            "early-2": [RENAMED],
            "late-1": [FIRST],
            "late-2": [FIRST],
        }
        order(cloud, "new-1")
        versions = {user: enrolment_of(cloud, user, NAME).machine_version for user in ("early-1", "late-1", "new-1")}
        assert len({former, *versions.values()}) == 2
        (change,) = stage(cloud).changes.recent()
        assert change.counts == {former: {SECOND: {"move": 2}, FIRST: {"follow": 2}}}
        entries = timeline(
            enrolment_of(cloud, "early-1", NAME).contact_id, items(cloud), default_zone=cloud.default_zone
        )
        assert f"moved from {SECOND} to {RENAMED}" in [entry.title for entry in entries]

        # and undone, while nobody has walked on; the former machine is still there
        undone = journey_changes.undo(change.id, stage(cloud), lambda _: None)
        assert undone.undone == {"restored": 4}
        assert waiting_at(cloud, "early-1") == [SECOND]
        travel(cloud, cloud.clock.now() + timedelta(days=4))

        assert sent(cloud, "early-1") == ["hello", "offer", "goodbye"]
        assert sent(cloud, "late-1") == ["hello", "offer", "goodbye"]
        assert sent(cloud, "new-1") == ["hello", "survey", "goodbye"]
        assert {enrolment_of(cloud, user, NAME).outcome for user in ("early-1", "late-2", "new-1")} == {"completed"}
        everything_went_out_once(cloud)


def test_those_who_stay_finish_on_their_version_and_others_are_stopped(tmp_path: Path) -> None:
    content = Content(tmp_path)
    with content.up() as cloud:
        order(cloud, "early-1")
        travel(cloud, cloud.clock.now() + timedelta(hours=25))
        order(cloud, "late-1", "late-2")

    content.write(CHANGED, change={"states": {SECOND: {"stop": "replaced"}, FIRST: "stay"}})
    with content.up() as cloud:
        order(cloud, "new-1")
        assert enrolment_of(cloud, "early-1", NAME).outcome == "stopped"
        travel(cloud, cloud.clock.now() + timedelta(days=4))

        assert sent(cloud, "early-1") == ["hello", "offer"]
        assert sent(cloud, "late-1") == ["hello", "offer", "goodbye"]
        assert sent(cloud, "new-1") == ["hello", "survey", "goodbye"]
        everything_went_out_once(cloud)
