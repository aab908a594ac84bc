"""Looks at a file of contacts and plans its import, or says why it cannot be imported. Called by inspect_import."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from waypost import ids
from waypost.bulk.plans import store_plan
from waypost.clock import Clock, parse_instant
from waypost.contacts.channels import CHANNELS, Channel
from waypost.contacts.cleaning.numbers import NO, YES
from waypost.errors import InvalidInput
from waypost.files.ports import Files, StoredFile
from waypost.files.uploads import uploaded_key
from waypost.importing.detecting import HEAD, resolve
from waypost.importing.file_reading import GZIP, heads
from waypost.importing.full_list import FullList
from waypost.importing.mapping import folded
from waypost.importing.plan import MODES, ImportPlan, Mode, plan_key, report_key
from waypost.importing.spec import FORMATS, ImportSpec, load_import_spec
from waypost.importing.split_import import LARGEST_FILE

EXAMPLE: Final = "imports/customers.csv"
MOST_FILES: Final = 10_000
"""Of a folder that is imported as one file; an export of Amazon Pinpoint has hundreds."""

_FIELDS: Final = (
    "file",
    "mapping",
    "format",
    "encoding",
    "dry_run",
    "consent",
    "as_of",
    "again",
    "mode",
    "clear",
    "full_list",
    "most_leaving",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """The input of the machine, checked."""

    file: str
    mapping: str
    format: str
    encoding: str
    dry_run: bool
    consent: dict[Channel, str]
    as_of: datetime | None
    again: bool
    mode: Mode
    clear: tuple[str, ...]
    full_list: FullList | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectImport:
    """Plans imports."""

    files: Files
    clock: Clock

    def inspect(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{input}`` → ``{run}``; the plan is stored once, so the same input resumes the same run.

        Of a run that is finished also its ``report``, which says in ``imported_before`` when that was: nothing is done
        then. With ``again`` in the input it is a new run.

        Raises InvalidInput with the field of the input, or the column of the file, and the way out.
        """
        request = self._checked(payload["input"])
        sources = self._sources(request.file)
        wanted = load_import_spec(request.mapping)
        if request.format:
            wanted = replace(wanted, format=request.format)  # type: ignore[arg-type]  # checked against FORMATS
        if request.encoding:
            wanted = replace(wanted, encoding=request.encoding)
        if request.clear:
            wanted = replace(wanted, clear=request.clear)
        head = heads(self.files.stream(sources[0], end=HEAD), HEAD)
        spec = resolve(head, wanted)
        _check_evidence(request.consent, spec)
        if len(sources) > 1 and spec.header:
            raise InvalidInput("file", "is a folder of CSV files, each with its header; import them one by one")
        plan = self._plan(request, sources, spec, unpacks=len(sources) > 1 or head.startswith(GZIP))
        finished = self.files.read(report_key(plan.run))
        if finished is not None:
            report: dict[str, Any] = json.loads(finished)
            return {
                "run": plan.run,
                "report": {**report, "imported_before": report.get("imported_at", report["as_of"])},
            }
        store_plan(self.files, plan_key(plan.run), plan)
        return {"run": plan.run}

    def _plan(
        self, request: _Request, sources: tuple[StoredFile, ...], spec: ImportSpec, *, unpacks: bool
    ) -> ImportPlan:
        now = self.clock()
        if request.as_of is not None and request.as_of > now:
            raise InvalidInput("as_of", "is in the future; say when the rows were true, or leave it out for now")
        what = {
            "sources": [asdict(source) for source in sources],
            "spec": spec.to_dict(),
            "dry_run": request.dry_run,
            "consent": request.consent,
            "as_of": str(request.as_of),
        }
        if request.mode != "upsert":
            what["mode"] = request.mode
        if request.full_list is not None:
            what["full_list"] = request.full_list.to_dict()
        as_of = request.as_of or now
        return ImportPlan(
            run=self._run(what, again=request.again),
            sources=sources,
            spec=spec,
            as_of=as_of.replace(microsecond=as_of.microsecond // 1000 * 1000),
            dry_run=request.dry_run,
            unpacks=unpacks,
            consent=request.consent,
            mode=request.mode,
            full_list=request.full_list,
            planned_at=now,
        )

    def _run(self, what: Mapping[str, Any], *, again: bool) -> str:
        """The run of these inputs. ``again``: the first one of them that is not finished, so that a repeated call resumes it."""
        run = "i-" + ids.digest("import", json.dumps(what, sort_keys=True))
        time = 1
        while again and self.files.find(report_key(run)) is not None:
            time += 1
            run = "i-" + ids.digest("import", json.dumps({**what, "again": time}, sort_keys=True))
        return run

    def _sources(self, given: str) -> tuple[StoredFile, ...]:
        """The file, or the files of the folder, in order. Raises InvalidInput."""
        key = uploaded_key(given, self.files, example=EXAMPLE)
        where = f"s3://{self.files.bucket}/{key}"
        if key.endswith("/"):
            found = [file for file in self.files.listed(key) if file.size and not file.key.endswith("/")]
            if len(found) > MOST_FILES:
                raise InvalidInput("file", f"{where} holds more than {MOST_FILES:,} files")
        else:
            file = self.files.find(key)
            found = [file] if file is not None else []
        if not found:
            raise InvalidInput("file", f"there is nothing at {where}; upload it there first")
        if not any(file.size for file in found):
            raise InvalidInput("file", f"{where} is empty")
        if sum(file.size for file in found) > LARGEST_FILE:
            raise InvalidInput("file", f"{where} has more than {LARGEST_FILE // 1024**3} GiB; split it")
        return tuple(found)

    def _checked(self, given: Any) -> _Request:
        """The input of the machine. Raises InvalidInput that names the field."""
        if not isinstance(given, dict):
            raise InvalidInput("input", 'expected an object, for example {"file": "imports/customers.csv"}')
        for name in given:
            if name not in _FIELDS:
                near = get_close_matches(str(name), _FIELDS, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"expected only {', '.join(_FIELDS)}"
                raise InvalidInput(str(name), f"is not known; {hint}")
        _check_types(given)
        if not given.get("file"):
            raise InvalidInput("file", 'is missing; for example "imports/customers.csv"')
        form = given.get("format") or ""
        if form and form not in FORMATS:
            raise InvalidInput(
                "format", f"expected one of {', '.join(FORMATS)}, or nothing to have it found; got {form!r}"
            )
        mode = given.get("mode") or "upsert"
        if mode not in MODES:
            raise InvalidInput("mode", f"expected {' or '.join(MODES)}, got {mode!r}")
        return _Request(
            file=given["file"],
            mapping=given.get("mapping") or "",
            format=form,
            encoding=given.get("encoding") or "",
            dry_run=given.get("dry_run", False),
            consent=_consent(given.get("consent") or {}),
            as_of=_instant(given.get("as_of") or ""),
            again=given.get("again", False),
            mode=mode,
            clear=tuple(given.get("clear") or ()),
            full_list=_full_list(given.get("full_list") or "", given.get("most_leaving")),
        )


def _check_types(given: Mapping[str, Any]) -> None:
    """Raise InvalidInput for a field of the input that is of another type."""
    for name in ("file", "mapping", "format", "encoding", "as_of", "mode", "full_list"):
        if not isinstance(given.get(name) or "", str):
            raise InvalidInput(name, "expected a text")
    for name in ("dry_run", "again"):
        if not isinstance(given.get(name, False), bool):
            raise InvalidInput(name, "expected true or false")
    clear = given.get("clear") or []
    if not (isinstance(clear, list) and all(isinstance(each, str) for each in clear)):
        raise InvalidInput("clear", 'expected a list of texts, for example ["#N/A"]; "" is an empty cell')


def _full_list(text: str, most_leaving: Any) -> FullList | None:
    """The list that the file holds whole. Raises InvalidInput."""
    if most_leaving is not None and (
        isinstance(most_leaving, bool) or not isinstance(most_leaving, int) or most_leaving < 0
    ):
        raise InvalidInput("most_leaving", "expected a number of contacts that may leave the list")
    if not text and most_leaving is not None:
        raise InvalidInput("most_leaving", "is for a full list; say which one in full_list")
    return FullList.read(text, most_leaving) if text else None


def _consent(given: Any) -> dict[Channel, str]:
    """What all rows have agreed to, by channel: the evidence, or "" for a refusal. Raises InvalidInput."""
    shape = 'expected for each channel where and how everybody agreed, for example {"email": "sign-up form, 2026"}, or false'
    if not isinstance(given, dict):
        raise InvalidInput("consent", shape)
    evidence: dict[Channel, str] = {}
    for channel, value in given.items():
        if channel not in CHANNELS:
            raise InvalidInput(f"consent.{channel}", f"expected one of {', '.join(CHANNELS)}")
        if value is not False and not (isinstance(value, str) and value.strip()):
            raise InvalidInput(f"consent.{channel}", shape)
        evidence[channel] = value.strip() if value else ""
    return evidence


def _check_evidence(consent: Mapping[Channel, str], spec: ImportSpec) -> None:
    """Raises InvalidInput for what can be no evidence: taken as such, "no" or the name of a column would be everybody's yes."""
    for channel, text in consent.items():
        if text.casefold() in YES | NO:
            reason = f"{text!r} says neither where nor how everybody agreed; write false for a refusal"
            raise InvalidInput(f"consent.{channel}", reason)
        if folded(text) in {folded(name) for name in spec.header}:
            reason = (
                f"{text!r} is a column: say in a mapping that it is the consent; here stands what all rows agreed to"
            )
            raise InvalidInput(f"consent.{channel}", reason)


def _instant(given: str) -> datetime | None:
    if not given:
        return None
    try:
        return parse_instant(given)
    except ValueError as error:
        raise InvalidInput(
            "as_of", f"expected an instant with its offset, for example 2026-03-02T09:00:00+08:00; got {given!r}"
        ) from error
