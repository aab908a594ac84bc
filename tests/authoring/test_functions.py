"""``function.yaml`` is checked like every authored file: what is wrong names the file, the field and the way out."""

from pathlib import Path

import pytest

from waypost.authoring.discovery import discover
from waypost.authoring.functions import FUNCTIONS, discover_functions
from waypost.authoring.problems import InvalidJourney
from waypost.authoring.tasks import journey_tasks

HANDLER = '"""Give a coupon. Called by Coupon tasks."""\n'
MANIFEST = "purpose: Gives a coupon of a pool to a contact\ntask: journeys\nwrites:\n  contacts: [PutItem]\n"
PAYLOAD = '''
from waypost.authoring.payloads import Occurrence, Payload


class GrantGiftPayload(Payload):
    """Give a coupon of a pool."""

    pool: str
    occurrence: Occurrence | None = None
'''


def write(folder: Path, manifest: str = MANIFEST, payload: str | None = PAYLOAD, name: str = "grant_gift") -> Path:
    """A folder of functions with one in it."""
    function = folder / "functions" / name
    function.mkdir(parents=True)
    function.joinpath("handler.py").write_text(HANDLER, encoding="utf-8")
    function.joinpath("function.yaml").write_text(manifest, encoding="utf-8")
    if payload is not None:
        function.joinpath("payload.py").write_text(payload, encoding="utf-8")
    return folder / "functions"


def problem(folder: Path) -> str:
    """The only thing that is wrong with the functions."""
    with pytest.raises(InvalidJourney) as raised:
        discover_functions(folder)
    [found] = raised.value.problems
    return str(found)


def test_a_folder_is_a_function_with_what_it_may_do(tmp_path: Path) -> None:
    [function] = discover_functions(write(tmp_path)).values()

    assert (function.name, function.placeholder) == ("grant_gift", "GrantGift")
    assert (function.manifest.timeout_seconds, function.manifest.memory) == (30, 512)
    assert function.manifest.writes.contacts == ["PutItem"]


def test_a_function_with_a_payload_is_a_task_of_journeys(tmp_path: Path) -> None:
    [(placeholder, task)] = journey_tasks(write(tmp_path)).items()

    assert placeholder == "GrantGift"
    assert task.counts_rounds
    assert task.payload.model_validate({"context": "{% $states.context %}", "pool": "spring"})


def test_a_task_that_waits_is_authored_with_a_token() -> None:
    waiting = {name for name, task in journey_tasks().items() if task.resource.endswith("waitForTaskToken")}

    assert waiting == {"PauseJourney"}


def test_what_the_synth_puts_into_a_machine_is_no_task_of_authors() -> None:
    assert discover_functions()["close_enrolment"].manifest.task == "hops"
    assert "CloseEnrolment" not in journey_tasks()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("purpose:", "aim:"), "functions/grant_gift/function.yaml: "),
        (("writes:", "write:"), "function.yaml: write: unknown field 'write'; did you mean 'writes'?"),
        (("[PutItem]", "[PutItems]"), "function.yaml: writes.contacts[0]: expected 'BatchWriteItem'"),
        (("task: journeys", "task: jorneys"), "function.yaml: task: expected 'hops', 'journeys' or 'operations'"),
        (("task: journeys\n", ""), "give 'task' (journeys or operations) or 'called_by'"),
        (("task: journeys", "task: operations\nwaits: true"), "only a task of journeys waits"),
        (("task: journeys", "called_by: [api]"), "'routes' (such as GET /u/{token}) and 'called_by: [api]' come together"),
        (("task: journeys", "timeout: 16m\ntask: journeys"), "function.yaml: timeout: expected at most 15m, got '16m'"),
        (("task: journeys", "memory: 64\ntask: journeys"), "function.yaml: memory: "),
        (("task: journeys", "settings: [api_ulr]\ntask: journeys"), "settings[0]: unknown setting 'api_ulr'; did you mean 'api_url'?"),
        (("task: journeys", "reads: {files: [/imports]}\ntask: journeys"), "function.yaml: reads.files[0]: "),
    ],
)  # fmt: skip
def test_a_wrong_file_names_the_field_and_the_way_out(tmp_path: Path, change: tuple[str, str], reason: str) -> None:
    functions = write(tmp_path, MANIFEST.replace(*change))

    with pytest.raises(InvalidJourney) as raised:
        discover_functions(functions)

    assert [found for found in map(str, raised.value.problems) if reason in found], raised.value.problems


def test_a_folder_without_its_files_says_which_are_missing(tmp_path: Path) -> None:
    (tmp_path / "functions" / "grant_gift").mkdir(parents=True)

    with pytest.raises(InvalidJourney) as raised:
        discover_functions(tmp_path / "functions")

    assert [str(found).partition(":")[0] for found in raised.value.problems] == [
        "functions/grant_gift/handler.py",
        "functions/grant_gift/function.yaml",
    ]


def test_a_task_of_journeys_without_a_payload_says_what_belongs_there(tmp_path: Path) -> None:
    assert problem(write(tmp_path, payload=None)) == (
        "functions/grant_gift/payload.py: is missing; it holds the class GrantGiftPayload with what a journey passes to the task"
    )


def test_a_payload_under_another_name_says_which_is_expected(tmp_path: Path) -> None:
    functions = write(tmp_path, payload=PAYLOAD.replace("GrantGiftPayload", "CouponPayload"))

    assert problem(functions).startswith("functions/grant_gift/payload.py: GrantGiftPayload: is missing")


def test_a_name_that_is_no_verb_with_an_object_is_refused(tmp_path: Path) -> None:
    assert problem(write(tmp_path, name="Coupons", payload=PAYLOAD)).startswith("functions/Coupons: expected a verb")


def test_a_new_task_needs_nothing_but_its_folder(tmp_path: Path) -> None:
    functions = write(tmp_path)
    for shipped in FUNCTIONS.iterdir():
        if (shipped / "handler.py").is_file():
            (functions / shipped.name).symlink_to(shipped)
    journey = tmp_path / "statemachines" / "journeys" / "gift"
    journey.mkdir(parents=True)
    manifest = "scenario: gift\ndescription: A coupon for every order.\nowner: crm\ntrigger: {event: order_placed}\nversion: 1\n"
    journey.joinpath("journey.yaml").write_text(manifest, encoding="utf-8")
    definition = """
Comment: A coupon for every order.
QueryLanguage: JSONata
StartAt: Give the coupon
States:
  Give the coupon:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: { FunctionName: "${GrantGift}", Payload: { pool: spring, context: "{% $states.context %}" } }
    End: true
"""
    journey.joinpath("definition.asl.yaml").write_text(definition, encoding="utf-8")

    [found] = discover(tmp_path / "statemachines", functions=functions).journeys

    assert found.functions == ("CloseEnrolment", "GrantGift", "PauseJourney")
    assert found.definition["States"]["Give the coupon"]["TimeoutSeconds"] == 60
