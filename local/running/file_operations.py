"""Runs imports and exports of the running system: uploads the file, starts the machine, watches it, fetches what it wrote.

Called by ``waypost contacts import`` and ``waypost contacts export``.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.local_cloud import client
from local.problems import LocalError
from local.running.operation_runs import operation_machines

Progress = Callable[[int, int | None], None]
"""ScenarioResult how much is done, and of how much if that is known."""

LOOK_SECONDS: Final = 0.25
_RUNS: Final = ("RUNNING", "PENDING_REDRIVE")
_SAFE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")


def rows_of(
    parts: list[int], done: list[int], begun: Mapping[int, int] | None = None
) -> tuple[int, int | None]:  # fmt: skip
    """How many rows are imported and of how many, by the first rows of all parts and of those done.

    ``begun``: how many rows are done of parts that are not, by their first rows.

    The last part, whose end is not known here, counts as one of the full size; None: there is only that one.
    """
    firsts, finished = sorted(parts), set(done)
    under_way = sum(rows for first, rows in (begun or {}).items() if first not in finished)
    sizes = {first: later - first for first, later in pairwise(firsts)}
    if not sizes:
        return under_way, None
    sizes[firsts[-1]] = max(sizes.values())
    return sum(sizes.get(first, 0) for first in done) + under_way, sum(sizes.values())


def _begun(name: str) -> tuple[int, int]:
    """The first row of a part and how many of its rows are done, by the name of its mark."""
    first, _, rows = name.partition("-")
    return int(first), int(rows)


class FileOperations:
    """The two machines of the running system, and its bucket of files. ``access`` is what ``out/local.json`` says."""

    def __init__(self, access: Mapping[str, Any]) -> None:
        outputs = access["outputs"]
        self.bucket: str = outputs["FilesBucket"]
        self._machines = operation_machines(outputs)
        self._s3 = client("s3", access["endpoint_url"])
        self._machine = client("stepfunctions", access["endpoint_url"])

    def upload(self, file: Path) -> str:
        """Put a file where imports are found; the same content lies there once. The key. Raises LocalError."""
        if not file.is_file():
            raise LocalError(f"there is no file {file}", "name a CSV file, JSON lines or an Amazon Pinpoint export")
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()[:16]
        name = "".join(letter if letter in _SAFE else "_" for letter in file.name)[-80:]
        key = f"imports/{digest}-{name}"
        try:
            self._s3.head_object(Bucket=self.bucket, Key=key)
        except ClientError:
            self._s3.upload_file(str(file), self.bucket, key)
        return key

    def import_file(self, given: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        """Run ``import-contacts``; its report. Raises LocalError with the reason when it refuses the file or fails."""
        execution = self._start("import-contacts", given)
        run = ""
        while (state := self._state(execution))["status"] in _RUNS:
            run = run or self._run_of(execution)
            if run:
                begun = self._rows_begun(run)
                progress(*rows_of(self._first_rows(run, "parts"), self._first_rows(run, "done"), begun))
            time.sleep(LOOK_SECONDS)
        return self._output(state)

    def export(self, given: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        """Run ``export-contacts``; what it says of its files. Raises LocalError."""
        execution = self._start("export-contacts", given)
        run = ""
        while (state := self._state(execution))["status"] in _RUNS:
            run = run or self._run_of(execution)
            if run:
                progress(self._count(f"work/exports/{run}/pieces/", ending=".json"), None)
            time.sleep(LOOK_SECONDS)
        return self._output(state)

    def download(self, key: str, target: Path) -> Path:
        """Fetch a file. Raises LocalError."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._s3.download_file(self.bucket, key, str(target))
        except (ClientError, BotoCoreError, OSError) as error:
            raise LocalError(
                f"{target} could not be written: {error}", "name a file in a folder you may write to"
            ) from error
        return target

    def _start(self, operation: str, given: Mapping[str, Any]) -> str:
        if operation not in self._machines:
            raise LocalError(
                f"what runs has no operation {operation}", "waypost down, then waypost up, takes the new one in"
            )
        answer = self._machine.start_execution(stateMachineArn=self._machines[operation], input=json.dumps(given))
        return str(answer["executionArn"])

    def _state(self, execution: str) -> dict[str, Any]:
        state: dict[str, Any] = self._machine.describe_execution(executionArn=execution)
        return state

    def _run_of(self, execution: str) -> str:
        """The run that the first state has named, "" as long as it has not."""
        events = self._machine.get_execution_history(executionArn=execution, maxResults=20)["events"]
        for event in events:
            output = event.get("stateExitedEventDetails", {}).get("output")
            if output:
                return str(json.loads(output).get("run", ""))
        return ""

    def _rows_begun(self, run: str) -> dict[int, int]:
        """How many rows of each part are done, by its first row, as the part reported last."""
        return dict(map(_begun, self._names(run, "progress")))

    def _names(self, run: str, folder: str) -> list[str]:
        """The files of a folder of an import, in the order of their names."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"work/imports/{run}/{folder}/"
        )
        return [Path(item["Key"]).stem for page in pages for item in page.get("Contents", [])]

    def _first_rows(self, run: str, folder: str) -> list[int]:
        """The numbers of the first rows of the parts of an import, which their files are called by."""
        return list(map(int, self._names(run, folder)))

    def _count(self, prefix: str, ending: str = "") -> int:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return sum(item["Key"].endswith(ending) for page in pages for item in page.get("Contents", []))

    @staticmethod
    def _output(state: Mapping[str, Any]) -> dict[str, Any]:
        if state["status"] != "SUCCEEDED":
            cause = state.get("cause") or state["status"]
            raise LocalError(
                f"{state.get('error') or 'failed'}: {cause}", "correct the input or the file, and start again"
            )
        output: dict[str, Any] = json.loads(state["output"])
        return output
