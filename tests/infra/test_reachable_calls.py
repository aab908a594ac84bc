"""Each role may do what the code of its function can reach, and nothing that it cannot."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from infra.project import ROOT
from tests.infra.rights import BUCKET, PROFILES, QUEUES_BY_SETTING, SECRETS_BY_SETTING, STAGE, TABLE, base, granted
from tests.infra.template import Template
from waypost.authoring.functions import discover_functions
from waypost.authoring.publishing import publish

FUNCTIONS = discover_functions()
Found = dict[str, list[tuple[str, str, str]]]

WRITES_AN_OBJECT = ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
SERVICES = {
    "sesv2": "ses",
    "pinpoint-sms-voice-v2": "sms-voice",
    "socialmessaging": "social-messaging",
    "stepfunctions": "states",
}
"""Client → the prefix of its actions in IAM, where that is another."""
CALLED_FROM_OUTSIDE = {
    # the command that plans, applies and undoes changes of journeys
    "DynamoChanges.recent",
    "DynamoEnrolments.reopen",
    *(f"StageMachines.{name}" for name in ("definition", "delete", "versions")),
    "DynamoResponses.of_month",  # the command that shows how fast tasks are answered
    "DynamoCoupons.usage",  # the command that lists pools
    "DynamoDestinationStates.enable",  # the command that switches a destination on again
    "DynamoHistory.applied",  # the tool that rebuilds a contact
    "RememberedStates.enable",
    "S3EventArchive.applied",
}


@pytest.fixture(scope="module")
def reached(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """What the reading found: ``calls`` by function, and the methods of adapters that nothing reaches."""
    published = tmp_path_factory.mktemp("published")
    publish(ROOT / "statemachines", published)
    path = os.pathsep.join([str(ROOT), str(published / "python")])
    command = [sys.executable, "-m", "tests.infra.reachable_calls", *FUNCTIONS]
    answer = subprocess.run(  # noqa: S603  the interpreter of this test, on fixed arguments
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    found: dict[str, Found] = json.loads(answer.stdout)
    return found


def needed(calls: list[tuple[str, str, str]]) -> Iterator[str]:  # noqa: C901 - an arm for each service
    """The rights that calls need, in the words of ``granted``; of sends only the action. Files are compared by folder."""
    for service, operation, setting in calls:
        match service, operation:
            case "dynamodb", "TransactWriteItems":
                pass  # its parts are found where they are made
            case "dynamodb", _:
                _, _, index = setting.partition("/")
                yield f"dynamodb:{operation} on {TABLE}" + (f"/index/{index}" if index else "")
            case "s3", "GetObject" | "HeadObject":
                # without the right to list, a missing object is a refusal
                yield from (f"s3:{right} on {_folder(setting)}" for right in ("GetObject", "ListBucket"))
            case "s3", "ListObjectsV2":
                yield f"s3:ListBucket on {_folder(setting)}"
            case "s3", _ if operation in WRITES_AN_OBJECT:
                yield f"s3:PutObject on {_folder(setting)}"
            case "s3", _:
                yield f"s3:{operation} on {_folder(setting)}"
            case "sqs", _:
                yield f"sqs:{operation.removesuffix('Batch')} on {QUEUES_BY_SETTING[setting]}"
            case "secretsmanager", _:
                yield f"secretsmanager:{operation} on {SECRETS_BY_SETTING[setting]}"
            case "scheduler", _:
                yield f"scheduler:{operation} on scheduler:schedule/{STAGE}/*"
                if operation != "DeleteSchedule":
                    yield "iam:PassRole on <SchedulesRole.Arn>"
            case _:
                yield f"{SERVICES.get(service, service)}:{operation}"


def _folder(place: str) -> str:
    """``files_bucket/imports/`` as the resource of a right."""
    return f"{BUCKET}/{place.removeprefix('files_bucket/')}*"


def given(template: Template, folder: str) -> set[str]:
    """What a role may do beyond what Lambda itself needs, a right for each folder of files; other conditions are left out."""
    found: set[str] = set()
    for line in granted(template, folder) - set(base(FUNCTIONS[folder])):
        right, _, condition = line.partition(" when ")
        action, _, where = right.partition(" on ")
        if action == "s3:ListBucket":
            found.update(f"{action} on {where}/{prefix}" for prefix in json.loads(condition)["StringLike"]["s3:prefix"])
        elif action.partition(":")[0] in {"ses", "sms-voice", "social-messaging", "sns", "states", "events"}:
            found.add(action)
        else:
            found.add(f"{action} on {TABLE if where == PROFILES else where}")  # what holds one holds the other
    return found


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_a_role_may_do_all_that_its_code_can_reach(template: Template, reached: dict[str, Found], folder: str) -> None:
    missing = set(needed(reached["calls"][folder])) - given(template, folder)

    assert not missing, f"functions/{folder}/function.yaml does not grant what the code calls"


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_a_role_may_do_nothing_that_its_code_cannot_reach(
    template: Template, reached: dict[str, Found], folder: str
) -> None:
    too_much = given(template, folder) - set(needed(reached["calls"][folder]))

    assert not too_much, f"functions/{folder}/function.yaml grants what the code never calls"


def test_the_reading_reaches_every_method_of_every_adapter(reached: dict[str, Found]) -> None:
    """A method that no function is found to call is either for our tools, or shows that the reading lost its way."""
    assert set(reached["unreached"]) == CALLED_FROM_OUTSIDE
