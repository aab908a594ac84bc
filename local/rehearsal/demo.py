"""The first thing a newcomer sees: sample contacts live through a journey in seconds. Run by ``waypost demo``."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from local.cloud.local_cloud import LocalCloud
from local.project.current_project import current_project
from local.providers.message_files import write_message
from local.providers.record import Call
from local.rehearsal.progress import Progress
from local.rehearsal.rehearsal import ALL_JOURNEYS, Rehearsal
from local.rehearsal.scenario_file import ScenarioFile, read_scenarios
from local.rehearsal.scenario_result import ScenarioResult
from waypost.reports.timeline import MessageDecision

SAMPLE: Final = "examples/new-user-nurture.yaml"
"""The file of the project that the demo plays."""
LENGTH = timedelta(days=8)
"""How long the stories of the sample last; the progress bar is drawn over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What the demo made: the stories, every decision and the message files, all under ``folder``."""

    folder: Path
    results: list[ScenarioResult]
    decisions: list[tuple[str, MessageDecision]]
    messages: list[Path]
    notes: list[str]


def read_sample() -> ScenarioFile:
    """The sample contacts."""
    return read_scenarios(current_project().content / SAMPLE)


def run_demo(sample: ScenarioFile, *, step: Callable[[str], None], progress: Progress) -> Demo:
    """Play the sample on an embedded cloud of its own and write ``out/demo``. Raises LocalError."""
    project = current_project()
    folder = project.out / "demo"
    with LocalCloud(project.out / "local" / "demo", start=sample.start, progress=step) as cloud:
        step("sending sign-ups and behaviour, travelling through the days")
        results = Rehearsal(cloud, {ALL_JOURNEYS: sample}).run(progress)[ALL_JOURNEYS]
        calls = cloud.providers.accepted
        notes = cloud.notes
    decisions = [(_who(each), decision) for each in results for decision in each.decisions]
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "messages").mkdir(parents=True)
    lines = [json.dumps(decision.to_dict(), ensure_ascii=False) + "\n" for _, decision in decisions]
    (folder / "decisions.jsonl").write_text("".join(lines), encoding="utf-8")
    messages = list(_write_messages(calls, decisions, folder / "messages"))
    return Demo(folder=folder, results=results, decisions=decisions, messages=messages, notes=notes)


def _who(result: ScenarioResult) -> str:
    return result.scenario.contact.user_id


def _write_messages(
    calls: Iterable[Call], decisions: list[tuple[str, MessageDecision]], folder: Path
) -> Iterator[Path]:
    """Each mail as .html and .txt, each SMS as .txt, named by number, contact and message."""
    known = {decision.message_key: (who, decision.message) for who, decision in decisions}
    for number, call in enumerate(calls, start=1):
        who, message = known[call.message_key]
        yield from write_message(folder, f"{number:02d}-{who}-{message}", call)
