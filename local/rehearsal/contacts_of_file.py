"""Reads the contacts of a file, to see what would become of them in a journey. Used by ``waypost rehearse --contacts``."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from local.problems import LocalError
from local.rehearsal.many_contacts import MOST
from local.rehearsal.scenario_file import Scenario, ScenarioContact, ScenarioFile
from waypost.authoring.problems import explain, unknown
from waypost.contacts.attributes import AttributeSystem
from waypost.contacts.channels import CHANNELS
from waypost.errors import InvalidInput
from waypost.importing.cleaning import RowCleaner
from waypost.importing.detecting import HEAD, resolve
from waypost.importing.file_reading import plain_stream, read_rows
from waypost.importing.filling import Filling
from waypost.importing.rows import RawRow, RejectedRow
from waypost.importing.spec import Column, ImportSpec

SCENARIO: Final = "scenario"
"""The column that names the scenario a contact plays; without it they play the scenarios in turn."""
MOST_SHOWN: Final = 20
_EVIDENCE: Final = "as the file of the rehearsal says"
_SPEC: Final = ImportSpec(
    unknown_columns="keep",
    missing_columns="ignore",
    required=("user_id",),
    columns=(
        (SCENARIO, Column("ignore")),
        *((f"consent.{channel}", Column("consent", channel, evidence=_EVIDENCE)) for channel in CHANNELS),
    ),
)

Finding = tuple[int, str, str]
"""What is wrong with a row: its number, the field and the reason."""


@dataclass(frozen=True, slots=True)
class FileContact:
    """A contact of a file: the number of its row, who it is, and which scenario it plays ("" for the next one)."""

    row: int
    contact: ScenarioContact
    scenario: str


def read_contacts(path: Path, sections: Mapping[str, dict[str, Any]], scenarios: Sequence[str]) -> list[FileContact]:
    """The contacts of a CSV file or of JSON lines, cleaned as an import cleans them.

    ``sections`` are the declared ones, of which ``attributes`` and ``filling`` count; ``scenarios`` are the names a row may give. Raises
    LocalError that names every row and field that is wrong (the first ``MOST_SHOWN``).
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}", "name a CSV file or JSON lines") from error
    attributes = AttributeSystem.from_dict(sections.get("attributes", {}))
    try:
        spec = resolve(content[:HEAD], _SPEC, attributes=attributes)
    except InvalidInput as error:
        raise LocalError(f"{path}: {error}", "docs/imports.md says which files can be read") from error
    cleaner = RowCleaner(spec, attributes, Filling.from_dict(sections.get("filling", {})))
    found: list[FileContact] = []
    wrong: list[Finding] = []
    seen: dict[str, int] = {}
    for row in read_rows(plain_stream(io.BytesIO(content[HEAD:]), content[:HEAD]), spec):
        contact, findings = _read(row, cleaner, scenarios)
        wrong += findings
        if contact is not None:
            user = contact.contact.user_id
            if user in seen:
                wrong.append((row.number, "user_id", f"is that of row {seen[user]} too"))
            seen.setdefault(user, row.number)
            found.append(contact)
    if wrong:
        raise LocalError(_listed(path, wrong), "correct these rows; docs/imports.md says how cells are read")
    if not 0 < len(found) <= MOST:
        raise LocalError(f"{path} has {len(found):,} contacts", f"rehearse between 1 and {MOST:,} at a time")
    return found


def played_by(file: ScenarioFile, contacts: Sequence[FileContact]) -> ScenarioFile:
    """The file with these contacts, who do what its scenarios do. What a scenario expects is about its own contact, so nothing is expected of them."""
    by_name = {scenario.name: scenario for scenario in file.scenarios}
    turns = cycle(file.scenarios)
    played = [
        Scenario(
            name=f"{story.name} ({each.row})",
            contact=each.contact,
            events=story.events,
        )
        for each in contacts
        for story in [by_name[each.scenario] if each.scenario else next(turns)]
    ]
    return file.model_copy(update={"scenarios": played})


def _read(row: RawRow, cleaner: RowCleaner, scenarios: Sequence[str]) -> tuple[FileContact | None, list[Finding]]:
    clean = cleaner.clean(row)
    if isinstance(clean, RejectedRow):
        return None, [(clean.number, field, reason) for field, reason in ((clean.field, clean.reason), *clean.more)]
    chosen = str(row.cells.get(SCENARIO) or "").strip() if isinstance(row.cells, Mapping) else ""
    if chosen and chosen not in scenarios:
        return None, [(row.number, SCENARIO, unknown(chosen, scenarios, "the journey has no scenario"))]
    given = {**clean.filled, **clean.profile, **clean.identities}
    try:
        return FileContact(row.number, ScenarioContact.model_validate(given), chosen), []
    except ValidationError as error:
        return None, [(row.number, field, reason) for field, reason in explain(error, given, ScenarioContact)]


def _listed(path: Path, wrong: Sequence[Finding]) -> str:
    def lines() -> Iterator[str]:
        for row, field, reason in sorted(wrong)[:MOST_SHOWN]:
            yield f"{path}: row {row}: {field}: {reason}"
        if len(wrong) > MOST_SHOWN:
            yield f"{path}: and {len(wrong) - MOST_SHOWN:,} more"

    return "\n".join(lines())
