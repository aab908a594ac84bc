"""One run of an import: what is imported, how it is read, and the keys of its files. Used by every step of an import.

The name of a run is a hash of its inputs: the same file read in the same way is the same run, however often it is started,
so finished work is never repeated unless that is asked for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, Self, get_args

from waypost.bulk.plans import load_plan
from waypost.codec import JsonForm
from waypost.contacts.channels import Channel, declared_channels
from waypost.errors import InvalidInput
from waypost.files.folders import IMPORTS, IMPORTS_WORK
from waypost.files.ports import Files, StoredFile
from waypost.importing.full_list import FullList
from waypost.importing.rows import CleanRow
from waypost.importing.spec import ImportSpec

Mode = Literal["upsert", "update"]
"""Whether rows about nobody who is known create contacts."""
MODES: Final[tuple[Mode, ...]] = get_args(Mode)

_EVERY_ROW: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan(JsonForm):
    """What all parts of the run work by.

    ``sources`` are the files as they were found; ``content`` is the one that is read, which is another when the sources
    must be unpacked first. ``as_of`` is the time of the last row, and each earlier row is a millisecond older: so rows of the
    same person have the same result in whatever order they are applied. ``consent`` holds, for each channel, what all rows
    with an address there have agreed to (the evidence), or "" when they have all refused. ``mode``: ``update`` creates no contact. ``full_list``: who is not in the file leaves it. ``planned_at``: when the run began.
    """

    run: str
    sources: tuple[StoredFile, ...]
    spec: ImportSpec
    as_of: datetime
    dry_run: bool = False
    unpacks: bool = False
    consent: Mapping[Channel, str]
    mode: Mode = "upsert"
    full_list: FullList | None = None
    planned_at: datetime | None = None

    @property
    def source(self) -> str:
        """The source of the rows' events, and the evidence of their consents."""
        return f"import:{self.run}"

    @property
    def work(self) -> str:
        """The folder of working files, which only the run itself reads."""
        return work_folder(self.run)

    @property
    def target(self) -> str:
        """The folder of the report and its files."""
        return target_folder(self.run)

    @property
    def parts(self) -> str:
        """The folder of the parts; their names sort in the order of their rows."""
        return f"{self.work}parts/"

    @property
    def persons(self) -> str:
        """The folder of the persons of each part."""
        return f"{self.work}persons/"

    @property
    def listed(self) -> str:
        """The folder of the contacts that the rows of each part are about, in the import of a full list."""
        return f"{self.work}listed/"

    @property
    def statistics(self) -> str:
        """The key of what is usual in the file, when a rule fills by it."""
        return f"{self.work}statistics.json"

    @property
    def content(self) -> str:
        """The key of what is read."""
        return f"{self.work}content" if self.unpacks else self.sources[0].key

    def row_time(self, number: int, last: int) -> datetime:
        """The time of row ``number`` in a file that ends with row ``last``."""
        return self.as_of - (last - number) * _EVERY_ROW

    def with_consent(self, row: CleanRow) -> CleanRow:
        """The row with the consent that was given for all rows, for channels where it has an address and no answer of its own."""
        consents = dict(row.profile.get("consent", {}))
        evidence = dict(row.evidence)
        for channel, text in self.consent.items():
            kind = declared_channels()[channel].address.name
            if channel not in consents and (kind in row.identities or row.profile.get(kind)):
                consents[channel] = bool(text)
                evidence |= {channel: text} if text else {}
        return replace(row, profile={**row.profile, "consent": consents}, evidence=evidence) if consents else row


def content_of(plan: ImportPlan, files: Files) -> StoredFile:
    """The file that is read. Raises InvalidInput when it is gone."""
    if not plan.unpacks:
        return plan.sources[0]
    unpacked = files.find(plan.content)
    if unpacked is None:
        raise InvalidInput("file", f"{plan.content} is gone; start the import again with its file")
    return unpacked


@dataclass(frozen=True, slots=True)
class Division(JsonForm):
    """How a file was divided: ``last`` is at least the number of its last row, ``buckets`` the number of buckets of persons.

    ``slices`` is the number of slices of all contacts that are compared with a full list; 0 for any other file.
    """

    last: int
    buckets: int
    slices: int = 0

    @classmethod
    def find(cls, files: Files, plan: ImportPlan) -> Self | None:
        """The division of a run's file; None while it is not divided yet."""
        stored = files.read(division_key(plan))
        return None if stored is None else cls.from_dict(json.loads(stored))

    @classmethod
    def load(cls, files: Files, plan: ImportPlan) -> Self:
        """The division of a run's file. Raises InvalidInput while it is not divided."""
        division = cls.find(files, plan)
        if division is None:
            raise InvalidInput("run", f"the file of {plan.run} is not divided into parts; start the import again")
        return division


def division_key(plan: ImportPlan) -> str:
    """The key of the division of a run's file."""
    return f"{plan.work}divided.json"


def reconciled_key(plan: ImportPlan, bucket: int) -> str:
    """The key of the findings about the persons of a bucket, without the ending."""
    return f"{plan.work}reconciled/{bucket:05d}"


def work_folder(run: str) -> str:
    """The folder of working files, which only the run itself reads."""
    return f"{IMPORTS_WORK}{run}/"


def target_folder(run: str) -> str:
    """The folder of a run's report and its files."""
    return f"{IMPORTS}{run}/"


def report_key(run: str) -> str:
    """The key of a run's report; the run is finished when it exists."""
    return f"{target_folder(run)}report.json"


def load_import(files: Files, run: str) -> ImportPlan:
    """The plan of a run that has begun. Raises InvalidInput."""
    return load_plan(files, plan_key(run), ImportPlan)


def plan_key(run: str) -> str:
    """The key of a run's plan."""
    return f"{work_folder(run)}plan.json"


@dataclass(frozen=True, slots=True)
class Part(JsonForm):
    """Some rows of the content: its bytes from ``start`` up to ``end``; ``first`` is the number of its first row."""

    start: int
    end: int
    first: int

    @classmethod
    def load(cls, files: Files, key: str) -> Self:
        """The part under this key. Raises InvalidInput."""
        stored = files.read(key)
        if stored is None:
            raise InvalidInput("part", f"{key} is gone; start the import again with its file")
        return cls.from_dict(json.loads(stored))


def result_key(part_key: str) -> str:
    """The key of a part's result; the part is done when it exists."""
    return part_key.replace("/parts/", "/done/")


def progress_key(plan: ImportPlan, part: Part, rows: int) -> str:
    """The key that says by its name how many rows of a part are done; a listing tells how far a run is."""
    return f"{plan.work}progress/{part.first:011d}-{rows:09d}"


def beside(part_key: str, folder: str, ending: str) -> str:
    """The key of another file of a part."""
    return part_key.replace("/parts/", f"/{folder}/").removesuffix(".json") + ending
