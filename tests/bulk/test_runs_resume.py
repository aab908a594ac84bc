"""Exports and audiences come out the same when they die at any write of a file and are started again. The refresh: see metrics."""

import json
from typing import Any

import pytest

from tests.audiences.audience_world import Audiences
from tests.bulk.crashing_files import CrashingFiles
from tests.fakes.effects import Crash, Effects
from tests.importing.machine import Machines

ROWS = "user_id\n" + "".join(f"u-{number:02d}\n" for number in range(11))
RULE = {"any": [{"tag": "vip"}, {"event": "page_viewed", "at_least": 2}]}
MODES = pytest.mark.parametrize("mode", ["before", "after"])


def exported(files: CrashingFiles) -> str:
    """An export that is started again when it dies; the rows, in order of their cells."""
    machines = Machines(files=files)
    machines.upload(ROWS)
    crash_at, files.effects.crash_at = files.effects.crash_at, None
    machines.import_file()
    files.effects.log.clear()
    files.effects.crash_at = crash_at
    try:
        answer = machines.export()
    except Crash:
        machines.executions -= 1  # the same execution, redriven
        answer = machines.export()
    [key] = answer["files"]
    assert answer["contacts"] == 11
    return "\n".join(sorted(machines.text(key).splitlines()))


def built(files: CrashingFiles, given: dict[str, Any]) -> Any:
    """An audience that is built again when it dies: its members as the folder lists them, and the manifest's counts."""
    world = Audiences(size=40, files=files)
    try:
        output = world.build(given, remaining=0)
    except Crash:
        output = world.build(given, remaining=0)
    manifest = world.manifest(output)
    members = world.ids_in(manifest["files"])
    listed = [
        json.loads(line)["contact_id"]
        for file in files.listed(output["folder"])
        for line in files[file.key].splitlines()
    ]
    assert sorted(listed) == sorted(members)
    held_out = sorted(world.ids_in(manifest["held_out_files"]))
    return {"members": sorted(members), "held_out": held_out, "digest": output["digest"], "card": files[output["card"]]}


@MODES
def test_an_export_that_dies_anywhere_has_every_contact_once(mode: Any) -> None:
    whole = CrashingFiles(Effects())
    rows = exported(whole)
    assert len(whole.effects.log) > 8
    for index in range(len(whole.effects.log)):
        files = CrashingFiles(Effects(crash_at=index, mode=mode))
        assert exported(files) == rows
        assert files.effects.crashed


@MODES
@pytest.mark.parametrize(
    "more", [{"hold_out": {"salt": "may", "percent": 20}}, {"limit": 5}], ids=["hold-out", "limit"]
)
def test_an_audience_that_dies_anywhere_has_every_member_once(mode: Any, more: dict[str, Any]) -> None:
    given = {"rule": RULE, "audience": "a", "slices": 2, **more}
    whole = CrashingFiles(Effects())
    result = built(whole, given)
    assert len(whole.effects.log) > 8
    for index in range(len(whole.effects.log)):
        files = CrashingFiles(Effects(crash_at=index, mode=mode))
        assert built(files, given) == result
        assert files.effects.crashed
