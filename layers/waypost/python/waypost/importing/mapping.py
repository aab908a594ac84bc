"""Maps the columns of a file: as declared, or by the names people give to columns. Used by detecting."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Final, assert_never

from waypost.contacts.attributes import AttributeSystem
from waypost.contacts.file_columns import COMPUTED, CONTACT_ID, FileColumn, file_column
from waypost.errors import InvalidInput
from waypost.events.names import attribute_name
from waypost.importing.spec import Column, ImportSpec

_IDENTITY_NAMES: Final[Mapping[str, str]] = {
    "user_id": "user id|userid|uid|customer id|member id|member no|account id|external id|用户id|用户编号|用户号|会员id|会员编号|会员号|会员卡号|客户id|客户编号|顾客编号|买家id",
    "anonymous_id": "anonymous id|device id|匿名id|设备id",
    "unionid": "unionid|union id|wechat unionid|微信unionid",
    "external_userid": "external userid|wecom external userid|外部联系人id|企微外部联系人id",
    "email": "email|e-mail|mail|email address|e-mail address|邮箱|电子邮箱|电子邮件|邮件|邮箱地址|邮件地址",
    "phone": "phone|phone number|mobile|mobile number|mobile phone|mobile phone number|cell|cellphone|tel|telephone|手机|手机号|手机号码|联系手机|电话|电话号码|联系电话|联系方式|移动电话",
}  # fmt: skip
_MOBILE_NAMES: Final = (
    "mobile|mobile number|mobile phone|mobile phone number|cell|cellphone|手机|手机号|手机号码|联系手机|移动电话"
)
_FALLBACK_PHONE: Final = Column("identity", "phone", fallback=1, wrong="leave_out")
_OTHER_NAMES: Final[Mapping[str, Column]] = {
    "locale|language|lang|语言|语言地区": Column("attribute", "locale"),
    "timezone|time zone|时区": Column("attribute", "timezone"),
    "tags|tag|labels|标签|客户标签|用户标签|会员标签": Column("tags"),
    "groups|group|lists|分组|群组|客户分组|用户分组|会员分组": Column("groups"),
}
_LONGEST_COMPARED: Final = 200
_BRACKETS: Final = re.compile(r"[(（\[【<《].*?[)）\]】>》]")
_NOT_WORD: Final = re.compile(r"[\W_]+")


def folded(name: str) -> str:
    """A column's name without case, spaces, punctuation and brackets with their content: ``手机号（必填）`` is ``手机号``."""
    text = unicodedata.normalize("NFKC", name[:_LONGEST_COMPARED]).casefold()
    return _NOT_WORD.sub("", _BRACKETS.sub("", text)) or _NOT_WORD.sub("", text)


def by_alias(name: str, attributes: AttributeSystem) -> Column | None:
    """The mapping of an undeclared column by its name: the one an export gives it, or one that people use; None when
    nothing declared has such a name.
    """
    exported = file_column(name)
    if exported is not None and exported.holds != "computed":
        return _exported(exported)
    key = folded(name)
    for declared in attributes.attributes.values():
        if key in (folded(declared.name), *map(folded, declared.aliases)):
            return Column("attribute", declared.name)
    return _built_in_names().get(key)


def _exported(column: FileColumn) -> Column:
    """Where a column of an export goes."""
    match column.holds:
        case "identity":
            return Column("identity", column.of, account=column.account)
        case "attribute" | "consent" as place:
            return Column(place, column.of)
        case "tags" | "groups" as place:
            return Column(place)
        case "computed":
            return Column("ignore")
        case never:
            assert_never(never)


def taken_names() -> frozenset[str]:
    """The folded names that mean an identity or something else built in."""
    return frozenset(_built_in_names())


@lru_cache(maxsize=1)
def _built_in_names() -> dict[str, Column]:
    names = {folded(name): column for several, column in _OTHER_NAMES.items() for name in several.split("|")}
    for kind, several in _IDENTITY_NAMES.items():
        names |= {folded(name): Column("identity", kind) for name in (kind, *several.split("|"))}
    return names


def mapped(header: Iterable[str], spec: ImportSpec, attributes: AttributeSystem) -> ImportSpec:
    """The specification with a place for every column of the header.

    Raises InvalidInput for a declared column the file does not have, for one that nothing is known of when that is
    refused, and for two columns that go to the same place.
    """
    header = tuple(header)
    declared = dict(spec.columns)
    by_fold = {folded(name): name for name in declared}
    columns: dict[str, Column] = {}
    unmapped = []
    used: set[str] = set()
    computed = COMPUTED if CONTACT_ID in header else frozenset()
    for name in header:
        match = name if name in declared else by_fold.get(folded(name), "")
        if match and match not in used:
            used.add(match)
            columns[name] = declared[match]
            continue
        if name in computed:
            columns[name] = Column("ignore")
            continue
        column = by_alias(name, attributes) or unknown_column(name, spec)
        if column is None:
            unmapped.append(name)
        else:
            columns[name] = column
    missing = (
        []
        if spec.missing_columns == "ignore"
        else [name for name in declared if name not in used and declared[name].goes_to != "ignore"]
    )
    if missing:
        raise InvalidInput(
            f"column {missing[0]}", f"is declared but not in the file, whose columns are {_listed(header)}"
        )
    columns = _without_doubt(columns, set(columns) - used, unmapped)
    return spec.with_columns(columns, unmapped=tuple(unmapped))


def unknown_column(name: str, spec: ImportSpec) -> Column | None:
    """What the specification wants done with a column nothing is declared for. Raises InvalidInput when it refuses it."""
    match spec.unknown_columns:
        case "refuse":
            raise InvalidInput(
                f"column {name[:60]}",
                "is not declared; name it under columns (ignore will do), or set unknown_columns: ignore",
            )
        case "ignore":
            return None
        case "keep":
            try:
                return Column("attribute", attribute_name(name))
            except ValueError:
                return None
        case never:
            assert_never(never)


def _without_doubt(columns: dict[str, Column], guessed: set[str], unmapped: list[str]) -> dict[str, Column]:
    """The columns, each going to a place of its own; one that was only guessed steps back before one that was declared."""
    places: dict[tuple[str, str, str], str] = {}
    kept: dict[str, Column] = {}
    columns = columns | dict.fromkeys(_beside_mobile(columns, guessed), _FALLBACK_PHONE)
    for name in sorted(columns, key=lambda each: each in guessed):  # declared ones first, otherwise in the file's order
        column = columns[name]
        if column.fallback or column.opt_out:
            kept[name] = column
            continue
        place = (column.goes_to, column.name, column.account)
        if column.goes_to in {"ignore", "tags", "groups"} or place not in places:
            places.setdefault(place, name)
            kept[name] = column
        elif name in guessed and places[place] not in guessed:
            unmapped.append(name)
        else:
            raise InvalidInput(
                f"column {name}",
                f"goes to the same place as the column {places[place]} ({column.name}); declare where each goes, or ignore one",
            )
    return {name: kept[name] for name in columns if name in kept}


def _beside_mobile(columns: Mapping[str, Column], guessed: set[str]) -> list[str]:
    """The guessed columns of phone numbers (Phone, 电话) beside one of mobile numbers: what they are good for without one."""
    phones = [name for name in columns if (columns[name].goes_to, columns[name].name) == ("identity", "phone")]
    mobiles = [name for name in phones if folded(name) in _mobile_names()]
    if len(mobiles) != 1:
        return []
    return [name for name in phones if name in guessed and name not in mobiles]


@cache
def _mobile_names() -> frozenset[str]:
    return frozenset(map(folded, _MOBILE_NAMES.split("|")))


def _listed(names: Iterable[str]) -> str:
    shown = [name[:40] for name in names]
    return ", ".join(shown[:30]) + (f" and {len(shown) - 30} more" if len(shown) > 30 else "")
