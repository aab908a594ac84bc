"""The plan of an export and the keys of its files. Called by plan_export; used by export_slice and finish_export."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, Literal, get_args

from waypost import ids
from waypost.bulk.plans import load_plan, store_plan
from waypost.bulk.ports import SlicedScan
from waypost.bulk.slices import SliceSize, slice_payloads
from waypost.codec import JsonForm
from waypost.contacts.attributes import AttributeSystem, load_attributes
from waypost.contacts.file_columns import attribute_column, file_column
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.files.folders import AUDIENCES, EXPORTS, EXPORTS_WORK
from waypost.files.ports import Files, StoredFile
from waypost.segments.saved_segments import SavedSegment, saved_segment

Format = Literal["csv", "jsonl"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

SLICES: Final = SliceSize(items=50_000, most=64)
"""An on-demand index gives 12,000 read units a second when it is new; 64 readers use that up."""
MOST_COLUMNS: Final = 1000

MEMBER_FILES: Final = (".jsonl", ".jsonl.gz")

_MEMBERS: Final = "/members/"
_MANIFEST: Final = "manifest.json"
_FIELDS: Final = ("format", "columns", "segment", "audience")


@dataclass(frozen=True, slots=True)
class ExportPlan(JsonForm):
    """One run. ``columns`` are the chosen ones in order; empty: all.

    ``segment`` is a saved segment: its members at the time of reading. ``audience`` is the key of a file of contact ids, or the folder
    of several. Without either it is everybody.
    """

    run: str
    format: Format
    columns: tuple[str, ...]
    segment: str
    audience: str
    slices: int

    @property
    def work(self) -> str:
        """The folder of working files, which only the run itself reads."""
        return f"{EXPORTS_WORK}{self.run}/"

    @property
    def target(self) -> str:
        """The folder of the exported files."""
        return f"{EXPORTS}{self.run}/"


def load_export(files: Files, run: str) -> ExportPlan:
    """The plan of a run that has begun. Raises InvalidInput."""
    return load_plan(files, _plan_key(run), ExportPlan)


def _plan_key(run: str) -> str:
    return f"{EXPORTS_WORK}{run}/plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanExport:
    """Validates a request and decides on the number of slices."""

    files: Files
    scan: SlicedScan[Contact]
    segments: Mapping[str, SavedSegment] = field(default_factory=dict)
    attributes: AttributeSystem = field(default_factory=load_attributes)

    def plan(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{input, execution}`` → ``{run, slices}``; the same execution gets the same run. Raises InvalidInput."""
        request = _checked(payload["input"])
        if request["segment"]:
            saved_segment(request["segment"], self.segments)
        request["columns"] = self._columns(request["columns"])
        audience = request["audience"]
        slices = min(SLICES.most, len(members(self.files, audience))) if audience else SLICES.slices(self.scan.size())
        run = "x-" + ids.digest("export", payload["execution"])
        plan = store_plan(self.files, _plan_key(run), ExportPlan(run=run, slices=slices, **request))
        return {"run": run, "slices": slice_payloads(plan.slices, run=run)}

    def _columns(self, names: Iterable[str]) -> tuple[str, ...]:
        """The columns of these names; an attribute may be named as it is, declared or not."""
        declared = self.attributes.attributes
        return tuple(name if file_column(name) else attribute_column(name, declared) for name in names)


def members(files: Files, audience: str) -> list[StoredFile]:
    """The files of contact ids of an audience, by key.

    Of a run of build-audience they are the files in its manifest, whether ``audience`` names the run, its members or the
    manifest. Raises InvalidInput when there is none, when a run is not finished, and when a folder holds several.
    """
    run = audience.removesuffix(_MANIFEST).rstrip("/").removesuffix(_MEMBERS.rstrip("/"))
    manifest = files.read(f"{run}/{_MANIFEST}")
    if manifest is not None:
        from waypost.audiences.gather_audience import files_of  # noqa: PLC0415 - with persona cards: only audiences need it

        listed = {file.key for file in files_of(json.loads(manifest))}
        return [file for file in files.listed(f"{run}/") if file.key in listed]
    found = [file for file in files.listed(audience) if file.key.endswith(MEMBER_FILES)]
    where = f"s3://{files.bucket}/{audience}"
    if not found:
        raise InvalidInput("audience", f"there is no file of contact ids at {where}; build-audience writes one")
    if runs := sorted({file.key.partition(_MEMBERS)[0] for file in found if _MEMBERS in file.key}):
        raise InvalidInput(
            "audience",
            f"{where} is no finished run of build-audience; name one with its {_MANIFEST}, such as {runs[-1]}/",
        )
    return found


def _checked(given: Any) -> dict[str, Any]:
    """The input of the machine. Raises InvalidInput that names the field."""
    if not isinstance(given, dict):
        raise InvalidInput("input", 'expected an object, for example {"format": "csv"}')
    for name in given:
        if name not in _FIELDS:
            near = get_close_matches(str(name), _FIELDS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"expected only {', '.join(_FIELDS)}"
            raise InvalidInput(str(name), f"is not known; {hint}")
    form, columns = given.get("format", "csv"), given.get("columns") or []
    segment, audience = given.get("segment") or "", given.get("audience") or ""
    if form not in FORMATS:
        raise InvalidInput("format", f"expected one of {', '.join(FORMATS)}, got {form!r}")
    if not (isinstance(columns, list) and all(isinstance(name, str) and name for name in columns)):
        raise InvalidInput("columns", 'expected a list of names, for example ["user_id", "email", "city"]')
    if len(columns) > MOST_COLUMNS or len(set(columns)) < len(columns):
        raise InvalidInput("columns", f"expected at most {MOST_COLUMNS} names, each once")
    if not (isinstance(audience, str) and (not audience or audience.startswith(AUDIENCES))):
        raise InvalidInput("audience", f"expected a key or folder under {AUDIENCES}, as build-audience names it")
    if not isinstance(segment, str):
        raise InvalidInput("segment", "expected the name of a saved segment")
    if segment and audience:
        raise InvalidInput("audience", "expected a segment or an audience, not both")
    return {"format": form, "columns": tuple(columns), "segment": segment, "audience": audience}
