"""The functions that work on files of contacts, called with their samples: together the samples tell two stories."""

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.functions.conftest import HANDLERS, LambdaContext, sample, substituted
from tests.importing.machine import Machines

ROWS = "user_id,email,phone\nu-1042,lin.mei@example.com,13800000042\nu-1043,not an address,\n"


@dataclass
class FileFunctions:
    """The functions on fakes; ``logs`` is what they write."""

    machines: Machines
    logs: io.StringIO

    def call(self, name: str, **changes: Any) -> Any:
        """Call a function with its sample, some of it changed; gives the answer as JSON has it."""
        return json.loads(json.dumps(HANDLERS[name].handle(sample(name) | changes, LambdaContext())))


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> FileFunctions:
    machines = Machines()
    services = {
        "inspect_import": machines.inspector,
        "split_import": machines.split_import,
        "import_part": machines.import_part,
        "reconcile_import": machines.reconcile_import,
        "leave_list": machines.leave_list,
        "finish_import": machines.finish_import,
        "plan_export": machines.plan_export,
        "export_slice": machines.export_slice,
        "finish_export": machines.finish_export,
    }
    logs = substituted(monkeypatch, {name: {name: service} for name, service in services.items()})
    return FileFunctions(machines, logs)


def test_the_samples_of_an_import_tell_one_story(functions: FileFunctions) -> None:
    functions.machines.upload(ROWS)
    run = functions.call("inspect_import")["run"]
    assert run.startswith(sample("split_import")["run"][:2])
    split = functions.call("split_import", run=run)
    assert split["done"]
    part = sample("import_part")["part"].replace(sample("import_part")["run"], run)
    assert part in functions.machines.files
    assert functions.call("import_part", run=run, part=part) == {"rows": 2, "repeated": False}
    assert functions.call("import_part", run=run, part=part) == {"rows": 2, "repeated": True}
    assert sample("reconcile_import")["bucket"] in split["buckets"]
    found = {"duplicates": 0, "settled": 0}
    for bucket in split["buckets"]:
        assert functions.call("reconcile_import", run=run, bucket=bucket) == {**found, "repeated": False}
    assert functions.call("reconcile_import", run=run) == {**found, "repeated": True}
    report = functions.call("finish_import", run=run)
    assert (report["created"], report["rejected"]) == (1, 1)
    contact = functions.machines.one("user_id", "u-1042")
    assert contact.consents["email/*"].source == f"import:{run}"


def test_the_sample_of_a_full_list_counts_before_anybody_leaves(functions: FileFunctions) -> None:
    functions.machines.upload(ROWS)
    functions.machines.import_file(full_list="group:partners", most_leaving=1)
    functions.machines.upload("user_id\nu-1044\n", "imports/next.csv")
    run = functions.machines.import_file("imports/next.csv", full_list="group:partners", most_leaving=1)["run"]
    assert functions.call("leave_list", run=run) == {**sample("leave_list"), "run": run, "done": True}
    assert functions.machines.one("user_id", "u-1042").groups == set()


def test_the_samples_of_an_export_tell_one_story(functions: FileFunctions) -> None:
    functions.machines.upload(ROWS)
    functions.machines.import_file()
    planned = functions.call("plan_export")
    [first] = planned["slices"]
    assert first.keys() == sample("export_slice").keys()
    assert functions.call("export_slice", **first)["done"]
    answer = functions.call("finish_export", **planned)
    assert (answer["contacts"], answer["columns"]) == (1, ["user_id", "email", "tags"])


def test_their_logs_name_nobody(functions: FileFunctions, capsys: pytest.CaptureFixture[str]) -> None:
    test_the_samples_of_an_import_tell_one_story(functions)
    test_the_samples_of_an_export_tell_one_story(functions)
    output = functions.logs.getvalue() + "".join(capsys.readouterr())
    assert "part imported" in output
    for secret in ("lin.mei", "example.com", "13800000042", "u-1042", "not an address"):
        assert secret not in output
