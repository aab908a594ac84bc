"""Rehearses journey folders on an embedded cloud of its own. Called by ``waypost rehearse``."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from infra.project import Project
from local.cloud.local_cloud import LocalCloud
from local.problems import LocalError
from local.project.content_copy import copied_content
from local.project.current_project import current_project
from local.project.journey_files import drawn_journey
from local.rehearsal.contacts_of_file import played_by, read_contacts
from local.rehearsal.coverage import Coverage, coverage_of
from local.rehearsal.invariants import Promised
from local.rehearsal.progress import UNSEEN, Progress
from local.rehearsal.rehearsal import Rehearsal
from local.rehearsal.scenario_file import ScenarioFile, read_scenarios
from local.rehearsal.scenario_names import wrong_names
from local.rehearsal.scenario_result import ScenarioResult
from local.rehearsal.storms import Storms
from local.rehearsal.until_red import Red, StormPlayer, UntilRed
from waypost.authoring.discovery import Library, survey
from waypost.authoring.problems import Problem
from waypost.channels.fake_contract import SentContent
from waypost.clock import clock
from waypost.contacts.channels import channel_named
from waypost.pages.texts import DEFAULT
from waypost.reports.journey_counts import JourneyCounts
from waypost.reports.journey_page import ShownMessage, counts_page
from waypost.sending.judge import all_guards


def read_journey_scenarios(journey: str, *, only: str = "") -> ScenarioFile:
    """The scenarios of a journey folder, or the one named ``only``. Raises LocalError."""
    journeys = current_project().journeys
    if not (journeys / journey / "journey.yaml").is_file():
        known = ", ".join(sorted(path.parent.name for path in journeys.glob("*/journey.yaml"))) or "there is none yet"
        raise LocalError(f"there is no journey {journey!r}", f"journeys: {known}")
    file = read_scenarios(journeys / journey / "scenarios.yaml")
    if not only:
        return file
    chosen = [scenario for scenario in file.scenarios if scenario.name == only]
    if not chosen:
        names = ", ".join(repr(scenario.name) for scenario in file.scenarios)
        raise LocalError(f"{journey} has no scenario {only!r}", f"scenarios: {names}")
    return file.model_copy(update={"scenarios": chosen})


def read_all_scenarios() -> dict[str, ScenarioFile]:
    """The scenarios of every journey of the project, by journey. Raises LocalError."""
    found = sorted(path.parent.name for path in current_project().journeys.glob("*/journey.yaml"))
    if not found:
        raise LocalError("there is no journey yet", "docs/authoring.md says how to write one")
    return {journey: read_journey_scenarios(journey) for journey in found}


def played_from(path: Path, file: ScenarioFile) -> ScenarioFile:
    """The file with the contacts of a CSV or JSON lines file. Raises LocalError that names the rows and fields that are wrong."""
    library, _ = _surveyed(current_project())
    return played_by(file, read_contacts(path, library.sections, [each.name for each in file.scenarios]))


def _surveyed(project: Project) -> tuple[Library, list[Problem]]:
    return survey(
        project.statemachines,
        functions=project.product / "functions",
        shipped_operations=project.product / "statemachines" / "operations",
    )


def rehearsable(files: Mapping[str, ScenarioFile], folder: Path, step: Callable[[str], None]) -> Project:
    """The project; where a journey that nobody asked for is wrong, a copy of it in ``folder`` without that journey.

    Raises LocalError for what the scenarios name that their journeys do not have.
    """
    project = current_project()
    library, problems = _surveyed(project)
    wrong = [
        f"{journey.name}/scenarios.yaml: {field}: {reason}"
        for journey in library.journeys
        if journey.name in files
        for field, reason in wrong_names(files[journey.name], journey)
    ]
    if wrong:
        raise LocalError("\n".join(wrong), "correct the scenarios; waypost journey check shows all of a journey")
    journeys = project.journeys.relative_to(project.content)
    places = [Path(each.file).relative_to(journeys) for each in problems if Path(each.file).is_relative_to(journeys)]
    left_out = sorted({place.parts[0] for place in places if place.parts} - set(files))
    if not left_out:
        return project
    for name in left_out:
        step(f"leaving out {name}, which is wrong: waypost journey check {name}")
    return copied_content(project, folder, without=[project.journeys / name for name in left_out])


def write_counts_page(journey: str, file: ScenarioFile, results: Sequence[ScenarioResult]) -> Path:
    """Write a page with the number of contacts on every way of the journey, and give its path. Raises LocalError."""
    graph = drawn_journey(journey)
    page = current_project().out / "pages" / f"rehearsal-{journey}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    content = counts_page(
        graph,
        counts_of(journey, results),
        contacts=len(results),
        begun=file.start,
        language=DEFAULT,
        messages=_messages(journey, [step.name for step in graph.steps], results, page.with_suffix("")),
    )
    page.write_text(content, encoding="utf-8")
    return page


def counts_of(journey: str, results: Sequence[ScenarioResult]) -> JourneyCounts:
    """How many contacts took which way of the journey. Raises LocalError."""
    graph, counts = drawn_journey(journey), JourneyCounts()
    for passage in (each for result in results for each in result.passages if each.journey == journey):
        counts.add(graph, passage.trail, outcome=passage.outcome)
    return counts


def covered(results: Mapping[str, Sequence[ScenarioResult]]) -> list[Coverage]:
    """What the scenarios of each journey reached of it."""
    return [coverage_of(drawn_journey(journey), each, guards=all_guards()) for journey, each in results.items()]


def _messages(
    journey: str, steps: Sequence[str], results: Sequence[ScenarioResult], folder: Path
) -> list[ShownMessage]:
    """The messages of each step, in the order of the journey; mails are also written to ``folder``, as they look."""
    shutil.rmtree(folder, ignore_errors=True)
    counts = Counter[tuple[str, str, str]]()
    first: dict[tuple[str, str, str], SentContent] = {}
    for decision, content in (each for result in results for each in result.messages):
        if decision.journey == journey and decision.channel:
            key = (decision.step, decision.message, decision.channel)
            counts[key] += 1
            first.setdefault(key, content)
    place = {name: index for index, name in enumerate(steps)}
    return [
        ShownMessage(
            step=step,
            name=name,
            channel=channel_named(channel),
            count=counts[step, name, channel],
            subject=content.subject,
            text=content.text,
            link=_written(folder, f"{number:02d}-{name}", content),
        )
        for number, ((step, name, channel), content) in enumerate(
            sorted(first.items(), key=lambda each: place.get(each[0][0], len(place))), start=1
        )
    ]


def _written(folder: Path, name: str, content: SentContent) -> str:
    """Where the page finds the mail as it looks; "" for a message that is text alone."""
    if not content.html:
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.html").write_text(content.html, encoding="utf-8")
    return f"{folder.name}/{name}.html"


def until_red(
    journey: str,
    file: ScenarioFile,
    *,
    first: int,
    most: int,
    longest: timedelta,
    step: Callable[[str], None],
    played: Callable[[int], None],
) -> tuple[Red | None, int]:
    """Look for an event storm of the journey that breaks an invariant: see ``UntilRed.search``. Raises LocalError."""
    folder = current_project().out / "local" / f"rehearsal-{os.getpid()}"
    project = rehearsable({journey: file}, folder, step)
    library, _ = _surveyed(project)
    with LocalCloud(folder / "cloud", start=file.start, project=project, progress=step) as cloud:
        cloud.remember()
        promised = Promised(library)
        storms = Storms.of(promised.folders[journey], file, cloud.default_zone)
        found = UntilRed(StormPlayer(cloud, promised), journey, storms).search(
            first=first, most=most, longest=longest, clock=clock(), progress=played
        )
    shutil.rmtree(folder)
    return found


def rehearse(
    files: Mapping[str, ScenarioFile], *, step: Callable[[str], None], progress: Progress = UNSEEN
) -> dict[str, list[ScenarioResult]]:
    """Rehearse the scenarios of these journeys on one timeline: journey → results. Raises LocalError.

    ``step`` is called with each step until the cloud is there. Other journeys that are wrong are named and left out.
    """
    folder = current_project().out / "local" / f"rehearsal-{os.getpid()}"
    project = rehearsable(files, folder, step)
    start = min(file.start for file in files.values())
    with LocalCloud(folder / "cloud", start=start, project=project, progress=step) as cloud:
        results = Rehearsal(cloud, files).run(progress)
    shutil.rmtree(folder)
    return results
