"""Journeys as templates: archive one with its scenario label, make a new one from a template. Called by ``waypost journey``.

A template is a folder with the files of a journey: one that was archived under ``statemachines/templates/``, a journey of the project, or one
of those that are shipped. Templates are not deployed.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

from infra.project import ROOT, Project
from local.problems import LocalError
from waypost.authoring.yaml_reading import UnclearYamlError, read_yaml

_NAME: Final = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_LONGEST_NAME: Final = 50
_MANIFEST: Final = "journey.yaml"
_SCENARIOS: Final = "scenarios.yaml"
_LABEL: Final = "template.yaml"
_FREE_DIGITS: Final = 4
"""The last digits of a scenario's phone number, which a copy has for itself."""

_USER: Final = re.compile(r"(?<=\buser_id: )(?P<quote>[\"']?)(?P<id>[\w.\-]+)(?P=quote)")
_EMAIL: Final = re.compile(r"(?P<name>[\w.+\-]+)@(?P<domain>example\.(?:com|org|net))")
_PHONE: Final = re.compile(r"\+\d{8,15}")
_OF_THE_FIRST: Final = re.compile(r"^(?:change|closed|version|name|reviewed):.*\n(?:[ \t]+\S.*\n)*", re.MULTILINE)
"""What of a manifest is about the contacts and versions of the journey that it was written for."""

Origin = Literal["archived", "project", "shipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A folder that a journey can be made from, with its scenario label."""

    name: str
    scenario: str
    origin: Origin
    path: Path


def templates(project: Project) -> list[Template]:
    """Every template by its name; an archived one stands before a journey of the same name, this before a shipped one."""
    places: dict[Origin, Path] = {
        "archived": project.statemachines / "templates",
        "project": project.journeys,
        "shipped": ROOT / "statemachines" / "journeys",
    }
    found: dict[str, Template] = {}
    for origin, folder in places.items():
        for path in sorted(folder.glob(f"*/{_MANIFEST}")):
            name = path.parent.name
            found.setdefault(
                name, Template(name=name, scenario=_scenario(path.parent), origin=origin, path=path.parent)
            )
    return sorted(found.values(), key=lambda each: each.name)


def archive_journey(project: Project, journey: str, *, name: str, scenario: str, today: date) -> Path:
    """Keep the files of a journey as a template and give its folder; the journey itself stays. Raises LocalError.

    ``name`` and ``scenario`` are those of the template, "" for the journey's own.
    """
    source = project.journeys / journey
    if not (source / _MANIFEST).is_file():
        known = ", ".join(sorted(path.parent.name for path in project.journeys.glob(f"*/{_MANIFEST}")))
        raise LocalError(f"there is no journey {journey!r}", f"journeys: {known or 'there is none yet'}")
    target = project.statemachines / "templates" / _checked(name or journey)
    if target.exists():
        raise LocalError(f"{target} is there already", "give another name with --name, or delete it")
    shutil.copytree(source, target)
    label = scenario or _scenario(source)
    lines = (f"scenario: {_quoted(label)}", f"journey: {journey}", f'archived: "{today.isoformat()}"')
    (target / _LABEL).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target


def new_journey(project: Project, name: str, *, template: str, scenario: str, owner: str) -> Path:
    """Make a journey from a template and give its folder. Raises LocalError for a name that is taken, and an unknown template.

    It begins with version 1 and without what the other journey does with its contacts. Its scenarios have contacts of their
    own, so that both can be rehearsed together.
    """
    chosen = next((each for each in templates(project) if each.name == template), None)
    if chosen is None:
        known = ", ".join(f"{each.name} ({each.scenario})" for each in templates(project))
        raise LocalError(f"there is no template {template!r}", f"templates: {known or 'there is none'}")
    target = project.journeys / _checked(name)
    if target.exists():
        raise LocalError(f"there is a journey {name!r} already", "choose another name")
    shutil.copytree(chosen.path, target, ignore=shutil.ignore_patterns(_LABEL))
    manifest = target / _MANIFEST
    text = _OF_THE_FIRST.sub("", manifest.read_text(encoding="utf-8"))
    given = {"scenario": scenario or (chosen.scenario if chosen.origin == "archived" else ""), "owner": owner}
    for field, value in given.items():
        if value:
            text = _with(text, field, value)
    manifest.write_text(f"name: {name}\nversion: 1\n{text}", encoding="utf-8")
    if (target / _SCENARIOS).is_file():
        taken = set(_phones(project.journeys))
        content = (target / _SCENARIOS).read_text(encoding="utf-8")
        (target / _SCENARIOS).write_text(_other_contacts(content, name, taken), encoding="utf-8")
    return target


def _with(manifest: str, field: str, value: str) -> str:
    """A manifest with another text in a field at its top."""
    line = f"{field}: {_quoted(value)}\n"
    return re.sub(rf"^{field}:.*\n(?:[ \t]+\S.*\n)*", lambda _: line, manifest, count=1, flags=re.MULTILINE)


def _other_contacts(scenarios: str, name: str, taken: set[str]) -> str:
    """The scenarios with other user ids, addresses and numbers, the same wherever one stands again."""
    numbers: dict[str, str] = {}
    for phone in dict.fromkeys(_PHONE.findall(scenarios)):
        numbers[phone] = next(each for each in _numbers(phone, name) if each not in taken)
        taken.add(numbers[phone])
    changed = _USER.sub(lambda found: f"{found['quote']}{name}-{found['id']}{found['quote']}", scenarios)
    changed = _EMAIL.sub(lambda found: f"{found['name']}.{name}@{found['domain']}", changed)
    return _PHONE.sub(lambda found: numbers[found[0]], changed)


def _numbers(phone: str, name: str) -> Iterator[str]:
    """Numbers that differ from one in its last digits, from a place on that depends on the name."""
    first = int(hashlib.sha256(f"{name}/{phone}".encode()).hexdigest(), 16)
    for step in range(10**_FREE_DIGITS):
        yield f"{phone[:-_FREE_DIGITS]}{(first + step) % 10**_FREE_DIGITS:0{_FREE_DIGITS}}"
    raise LocalError(f"every number beside {phone} is taken", "use other numbers in the scenarios")


def _phones(journeys: Path) -> Iterator[str]:
    for path in journeys.glob(f"*/{_SCENARIOS}"):
        yield from _PHONE.findall(path.read_text(encoding="utf-8"))


def _scenario(folder: Path) -> str:
    """The label: of an archived template its own, else that of the manifest."""
    for name in (_LABEL, _MANIFEST):
        if (folder / name).is_file():
            try:
                content = read_yaml(folder / name)
            except UnclearYamlError as error:
                raise LocalError(f"{folder / name}: {error}", "correct it, or delete the template") from error
            return str(content.get("scenario", "")) if isinstance(content, dict) else ""
    return ""


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise LocalError(
            f"{name!r} cannot name a journey",
            f"lower case, words joined by -, at most {_LONGEST_NAME} characters: win-back",
        )
    return name


def _quoted(text: str) -> str:
    """A text as YAML reads it as text, whatever is in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
