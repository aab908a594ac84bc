"""The first thing a newcomer sees: sample contacts live through a journey in seconds. Run by ``waypost demo``."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from local.cloud import LocalCloud
from local.message_files import write_message
from local.places import OUT, ROOT
from local.provider_record import Call
from local.rehearsal import Rehearsal
from local.scenario_result import Told
from local.scenarios import ScenarioFile, read_scenarios
from waypost.reports.timeline import MessageDecision

SAMPLE = ROOT / "examples" / "new-user-nurture.yaml"
RESULTS = OUT / "demo"
LENGTH = timedelta(days=8)
"""How long the stories of the sample last; the progress bar is drawn over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What the demo made: the stories, every decision and the message files."""

    told: list[Told]
    decisions: list[tuple[str, MessageDecision]]
    messages: list[Path]
    notes: list[str]


def read_sample() -> ScenarioFile:
    """The sample contacts."""
    return read_scenarios(SAMPLE)


def run_demo(sample: ScenarioFile, *, step: Callable[[str], None], arrived: Callable[[datetime], None]) -> Demo:
    """Play the sample on an embedded cloud of its own and write ``out/demo``. Raises LocalError."""
    with LocalCloud(OUT / "local" / "demo", start=sample.start, progress=step) as cloud:
        step("sending sign-ups and behaviour, travelling through the days")
        told = Rehearsal(cloud, sample).run(arrived)
        calls = cloud.providers.accepted
        notes = cloud.notes
    decisions = [(_who(each), decision) for each in told for decision in each.decisions]
    shutil.rmtree(RESULTS, ignore_errors=True)
    (RESULTS / "messages").mkdir(parents=True)
    lines = [json.dumps(decision.to_dict(), ensure_ascii=False) + "\n" for _, decision in decisions]
    (RESULTS / "decisions.jsonl").write_text("".join(lines), encoding="utf-8")
    messages = list(_write_messages(calls, decisions))
    return Demo(told=told, decisions=decisions, messages=messages, notes=notes)


def _who(told: Told) -> str:
    return told.scenario.contact.user_id


def _write_messages(calls: Iterable[Call], decisions: list[tuple[str, MessageDecision]]) -> Iterator[Path]:
    """Each mail as .html and .txt, each SMS as .txt, named by number, contact and message."""
    known = {decision.message_key: (who, decision.message) for who, decision in decisions}
    for number, call in enumerate(calls, start=1):
        who, message = known[call.message_key]
        yield from write_message(RESULTS / "messages", f"{number:02d}-{who}-{message}", call)
