"""Pools of coupons, ``statemachines/coupons/<pool>.yaml``, checked. Used by declaring, which publishes them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, unknown
from waypost.authoring.rules import PropertyName
from waypost.authoring.sending_policy import Locale
from waypost.clock import format_instant
from waypost.content.coupons import ANY_POOL
from waypost.coupons.codes import SHORTEST
from waypost.durations import parse_duration

FOLDER: Final = "coupons"
PoolName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=50)]
Money = Annotated[int | float, Field(gt=0, le=1e9)]


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError(f"expected an instant with its offset, such as 2027-01-01T00:00:00+08:00, got {text!r}")
    return text


class ValidFor(Authored):
    """One of: ``until`` an instant, ``for`` a duration, to the end of local ``days`` or ``months`` (1: the one of issue).

    Or to the end of the month in which the contact's date ``month_of`` comes back.
    """

    until: Annotated[str, AfterValidator(_instant)] | None = None
    for_: Annotated[Annotated[str, AfterValidator(_duration)] | None, Field(alias="for")] = None
    days: Annotated[int, Field(ge=1, le=1_100)] | None = None
    months: Annotated[int, Field(ge=1, le=36)] | None = None
    month_of: PropertyName | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(
                "expected one of until: 2027-01-01T00:00:00+08:00, for: 24h, days: 3, months: 1 or month_of: birthday"
            )
        return self

    def published(self) -> dict[str, Any]:
        """The form that functions read."""
        if self.until is not None:
            return {"until": format_instant(datetime.fromisoformat(self.until))}
        if self.for_ is not None:
            return {"seconds": int(parse_duration(self.for_).total_seconds())}
        return self.model_dump(include={"days", "months", "month_of"}, exclude_none=True)


class Benefit(Authored):
    """What the coupon is worth: ``kind`` and what belongs to it; ``from`` is the least an order must come to."""

    kind: Literal["amount", "percent", "free_shipping", "gift"]
    amount: Money | None = None
    percent: Annotated[int | float, Field(gt=0, le=100)] | None = None
    gift: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    from_: Annotated[Money | None, Field(alias="from")] = None

    @model_validator(mode="after")
    def _has_its_value(self) -> Self:
        values = {"amount": self.amount, "percent": self.percent, "gift": self.gift}
        for name, value in values.items():
            if (value is not None) != (name == self.kind):
                raise ValueError(
                    f"a benefit of kind {self.kind} has " + (f"no {name}" if value is not None else f"a {name}")
                )
        return self

    def published(self) -> dict[str, Any]:
        """The form that functions and templates read."""
        return self.model_dump(by_alias=True, exclude_none=True)


class PoolFile(Authored):
    """One pool. ``codes: imported`` come from a file of the shop; ``size`` limits how many are ``generated``."""

    label: Annotated[dict[Locale, Annotated[str, Field(min_length=1, max_length=80)]], Field(min_length=1)]
    benefit: Benefit
    valid: ValidFor
    codes: Literal["generated", "imported"] = "generated"
    size: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    alarm_below: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    fallback: PoolName | None = None
    prefix: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,10}-?$")] | None = None
    length: Annotated[int, Field(ge=SHORTEST, le=24)] | None = None

    @model_validator(mode="after")
    def _fits_its_source(self) -> Self:
        if self.codes == "imported":
            for name in sorted(self.model_fields_set & {"size", "prefix", "length"}):
                raise ValueError(f"imported codes have no {name}: the shop's file says which there are")
        elif self.alarm_below and self.size is None:
            raise ValueError("alarm_below needs a size: a generated pool without one is never empty")
        if self.size is not None and self.alarm_below >= self.size:
            raise ValueError(
                f"alarm_below: expected less than the size {self.size}, or the alarm is there from the start"
            )
        return self

    def published(self) -> dict[str, Any]:
        """The form that functions read."""
        plain = self.model_dump(exclude={"benefit", "valid"}, exclude_none=True)
        return plain | {"benefit": self.benefit.published(), "valid": self.valid.published()}


def coupons(reader: FileReader) -> dict[str, Any]:
    """``{"pools": {name: pool}}``; empty where none is declared."""
    found: dict[str, PoolFile] = {}
    for path in reader.files(reader.root / FOLDER):
        pool = reader.model(path, PoolFile)
        if pool is not None:
            found[path.stem] = pool
    for name, pool in found.items():
        path = reader.root / FOLDER / f"{name}.yaml"
        if name == ANY_POOL:
            reader.add(path, "", f"a message with coupon: {ANY_POOL} means every pool; choose another name")
        if pool.fallback is not None and pool.fallback not in found:
            reader.add(path, "fallback", unknown(pool.fallback, found, "unknown pool"))
        elif _returns(name, found):
            reader.add(path, "fallback", f"leads back to {name}; the last pool of a chain has none")
    return {"pools": {name: found[name].published() for name in sorted(found)}} if found else {}


def _returns(name: str, pools: Mapping[str, PoolFile]) -> bool:
    """Whether the stand-ins of a pool lead back to it."""
    seen, fallback = set[str](), pools[name].fallback
    while fallback is not None and fallback in pools and fallback not in seen:
        if fallback == name:
            return True
        seen.add(fallback)
        fallback = pools[fallback].fallback
    return False
