"""Column mappings as authors write them, ``statemachines/contacts/imports/<name>.yaml``, checked. Called by declaring."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from waypost.authoring.attributes import AttributeName
from waypost.authoring.authored_files import FileReader
from waypost.authoring.channels import ChannelName
from waypost.authoring.problems import Authored, unknown
from waypost.authoring.sending_policy import TimeZone
from waypost.contacts.cleaning.orders import DateOrder
from waypost.events.envelope import IDENTITY_KINDS
from waypost.importing.detecting import CODECS
from waypost.importing.mapping import folded
from waypost.importing.spec import Column, Format, ImportSpec, MissingColumns, Target, UnknownColumns, WhenWrong
from waypost.importing.steps import CLEARABLE_IDENTITIES

FOLDER: Final = "contacts/imports"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_WORDS: Final = ("tags", "groups", "ignore")


def _identity(kind: str) -> str:
    if kind not in IDENTITY_KINDS:
        raise ValueError(unknown(kind, IDENTITY_KINDS, "unknown kind of identity"))
    return kind


def _encoding(name: str) -> str:
    if name.lower() not in CODECS:
        raise ValueError(unknown(name, CODECS, "unknown encoding"))
    return CODECS[name.lower()]


def _delimiter(text: str) -> str:
    text = {"tab": "\t", "comma": ",", "semicolon": ";"}.get(text, text)
    if len(text) != 1 or text in '"\r\n':
        raise ValueError(f"expected one character, or tab, comma or semicolon, got {text!r}")
    return text


def _region(code: str) -> str:
    import phonenumbers  # noqa: PLC0415 - only where a mapping is read

    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"expected a country in ISO 3166 such as CN or US, got {code!r}")
    return code


Identity = Annotated[str, AfterValidator(_identity)]


Clearing = list[Annotated[str, Field(max_length=100)]]
"""Texts of a cell that take the value away from the contact; "" is an empty cell."""


class ColumnMapping(Authored):
    """Where a column goes: exactly one of identity, attribute, tags, groups, consent and ignore; the rest says how."""

    identity: Identity | None = None
    attribute: AttributeName | None = None
    tags: Literal[True] | None = None
    groups: Literal[True] | None = None
    consent: ChannelName | None = None
    ignore: Literal[True] | None = None
    account: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^:]+$")] | None = None
    evidence: Annotated[str, Field(min_length=10, max_length=2000)] | None = None
    separator: Annotated[str, Field(min_length=1, max_length=5)] | None = None
    dates: DateOrder | None = None
    excel_dates: bool | None = None
    wrong: WhenWrong | None = None
    clear: Clearing = Field(default_factory=list)
    fallback: bool = False
    opt_out: bool = False

    @model_validator(mode="after")
    def _goes_to_one_place(self) -> Self:
        places = [place for place in get_args(Target) if getattr(self, place) is not None]
        if len(places) != 1:
            raise ValueError(
                f"expected one of identity, attribute, tags, groups, consent, ignore, got {', '.join(places) or 'none'}"
            )
        if (self.identity == "openid") != (self.account is not None):
            raise ValueError(
                "an openid needs its 'account': each official account and mini program gives a person another one"
                if self.identity == "openid"
                else "'account' is for an openid"
            )
        if self.fallback and self.identity is None and self.attribute is None:
            raise ValueError("'fallback' is for an identity or an attribute that another column says as well")
        if self.opt_out and self.consent is None:
            raise ValueError("'opt_out' is for consent: a yes in the column is a withdrawal")
        if self.consent is not None and self.evidence is None and not self.opt_out:
            raise ValueError("consent needs 'evidence': what the person agreed to, where and in which words")
        if self.clear and self.attribute is None and self.identity not in CLEARABLE_IDENTITIES:
            raise ValueError("'clear' is for an attribute, an e-mail address or a phone number")
        if self.evidence is not None and self.consent is None:
            raise ValueError("'evidence' is for consent")
        return self

    def column(self, rank: int = 1) -> Column:
        """The form the run time works with; ``rank`` is its place among the columns of the file."""
        named = self.identity or self.attribute or self.consent or ""
        place = next(place for place in get_args(Target) if getattr(self, place) is not None)
        return Column(
            goes_to=place,
            name=named,
            account=self.account or "",
            evidence=self.evidence or "",
            separator=self.separator or "",
            dates=self.dates or "",
            excel_dates=self.excel_dates,
            wrong=self.wrong or "",
            clear=tuple(self.clear),
            fallback=rank if self.fallback else 0,
            opt_out=self.opt_out,
        )


def _short_form(value: Any) -> Any:
    """``手机号: phone`` is short for ``手机号: {identity: phone}``; another word is an attribute."""
    if not isinstance(value, str):
        return value
    if value in _WORDS:
        return {value: True}
    return {"identity": value} if value in IDENTITY_KINDS else {"attribute": value}


class ImportMapping(Authored):
    """``imports/<name>.yaml``; what is left out is found in the file itself."""

    description: Annotated[str, Field(min_length=1, max_length=500)]
    format: Format | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] | None = None
    delimiter: Annotated[str, AfterValidator(_delimiter)] | None = None
    header_row: Annotated[int, Field(ge=1, le=100)] = 1
    phone_region: Annotated[str, AfterValidator(_region)] = "CN"
    time_zone: TimeZone = "Asia/Shanghai"
    dates: DateOrder = "year_first"
    excel_dates: bool = False
    required: list[Identity] = Field(default_factory=list)
    unknown_columns: UnknownColumns = "ignore"
    missing_columns: MissingColumns = "refuse"
    empty: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(default_factory=list)
    clear: Clearing = Field(default_factory=list)
    columns: dict[str, Annotated[ColumnMapping, BeforeValidator(_short_form)]] = Field(default_factory=dict)

    def published(self, name: str) -> dict[str, Any]:
        """The form the run time reads."""
        spec = ImportSpec(
            name=name,
            format=self.format or "",
            encoding=self.encoding or "",
            delimiter=self.delimiter or "",
            header_row=self.header_row,
            phone_region=self.phone_region,
            time_zone=self.time_zone,
            dates=self.dates,
            excel_dates=self.excel_dates,
            required=tuple(self.required),
            unknown_columns=self.unknown_columns,
            missing_columns=self.missing_columns,
            empty=tuple(marker.casefold() for marker in self.empty),
            clear=tuple(self.clear),
        )
        columns = {name: each.column(rank) for rank, (name, each) in enumerate(self.columns.items(), 1)}
        return spec.with_columns(columns).to_dict()


def imports(reader: FileReader) -> dict[str, Any]:
    """The section ``imports``: every mapping by the name of its file."""
    published: dict[str, Any] = {}
    for path in reader.files(reader.root / FOLDER):
        if not _NAME.fullmatch(path.stem):
            reader.add(path, "", "expected a file name in lower case, such as shop-members.yaml")
        mapping = reader.model(path, ImportMapping)
        if mapping is None:
            continue
        reader.extend(path, _problems(mapping.columns))
        published[path.stem] = mapping.published(path.stem)
    return published


def _problems(columns: Mapping[str, ColumnMapping]) -> Iterator[tuple[str, str]]:
    """Columns of one name, and two columns that go to the same place."""
    named: dict[str, str] = {}
    places: dict[tuple[str, str, str], str] = {}
    for name, mapping in columns.items():
        other = named.setdefault(folded(name), name)
        if other != name:
            yield (
                f"columns.{name}",
                f"is the same column as {other!r}: case, blanks and what stands in brackets do not count",
            )
        column = mapping.column()
        if column.goes_to in _WORDS or column.fallback or column.opt_out:
            continue
        place = (column.goes_to, column.name, column.account)
        first = places.setdefault(place, name)
        if first != name:
            yield f"columns.{name}", f"goes to the same place as {first!r} ({column.name})"
