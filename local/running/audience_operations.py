"""Runs previews and audiences of the running system: starts the machine, waits, fetches the card. Called by ``waypost segment``."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from local.project.current_project import current_project
from local.running.file_operations import LOOK_SECONDS, FileOperations

_RUNS: Final = ("RUNNING", "PENDING_REDRIVE")


class AudienceOperations(FileOperations):
    """The machines ``preview-segment`` and ``build-audience`` of the running system."""

    def preview(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Run ``preview-segment``; its output. Raises LocalError with the reason when it refuses or fails."""
        return self._run("preview-segment", given)

    def build(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Run ``build-audience``; its output. Raises LocalError with the reason when it refuses or fails."""
        return self._run("build-audience", given)

    def fetch_card(self, output: Mapping[str, Any]) -> Path:
        """The persona card of an output, in out/personas/."""
        return self.download(output["card"], current_project().out / "personas" / f"{output['audience']}.html")

    def _run(self, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        execution = self._start(operation, given)
        while (state := self._state(execution))["status"] in _RUNS:
            time.sleep(LOOK_SECONDS)
        return self._output(state)
