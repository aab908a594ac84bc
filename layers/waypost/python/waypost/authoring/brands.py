"""The brands that a company writes under, ``statemachines/brands.yaml``, checked. Used by declaring, which publishes them, and by the checks of messages."""

from collections.abc import Mapping
from email.utils import formataddr
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored
from waypost.channels.authored_contract import LocaleName
from waypost.channels.email.headers import from_field, is_address

FILE: Final = "brands.yaml"
MOST_BRANDS: Final = 50
_IDENTITIES: Final = r"^([^@\s]+@)?[a-z0-9-]+(\.[a-z0-9-]+)+$"

BrandName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=24)]
"""Part of the name of a configuration set, which has 64 characters. Source: API_CreateConfigurationSet of SES v2."""


def _sender(text: str) -> str:
    name, address = from_field(text)
    return formataddr((name, address)) if name else address


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError(f"expected an e-mail address, got {text!r}")
    return text


Wording = Annotated[dict[LocaleName, Annotated[str, Field(min_length=1, max_length=300)]], Field(min_length=1)]


class BrandEntry(Authored):
    """One brand. ``identity`` is what SES verifies where it is another domain than the sender's, ``tenant``: SES judges it by itself."""

    name: Wording
    sender: Annotated[str, AfterValidator(_sender), Field(max_length=320)]
    reply_to: Annotated[list[Annotated[str, AfterValidator(_address)]], Field(max_length=10)] = Field(
        default_factory=list
    )
    identity: Annotated[str, Field(pattern=_IDENTITIES, max_length=255)] | None = None
    tenant: bool = False
    postal_address: Wording | None = None


class BrandsFile(Authored):
    """All of ``brands.yaml``."""

    brands: Annotated[dict[BrandName, BrandEntry], Field(min_length=1, max_length=MOST_BRANDS)]


def brands(reader: FileReader) -> dict[str, Any]:
    """``{brand: {name, sender, reply_to, identity, tenant, postal_address}}``."""
    path = reader.root / FILE
    file = reader.declared(path, BrandsFile)
    found: dict[str, Any] = {}
    for name, brand in file.brands.items() if file else ():
        domain = from_field(brand.sender)[1].rpartition("@")[2]
        verified = brand.identity or domain
        if not (domain == verified or domain.endswith(f".{verified}") or verified == from_field(brand.sender)[1]):
            reader.add(path, f"brands.{name}.identity", f"does not cover the sender's domain, {domain}")
        found[name] = {**brand.model_dump(exclude_none=True, exclude_defaults=True), "identity": verified}
    return found


def brands_under(statemachines: Path) -> Mapping[str, Any]:
    """The brands that a message may name; none while the file is wrong, which is a problem of its own."""
    path = statemachines / FILE
    return _brands_under(statemachines, path.stat().st_mtime_ns if path.exists() else 0)


@cache
def _brands_under(statemachines: Path, changed: int) -> Mapping[str, Any]:
    del changed  # the file is read once for as long as it does not change
    reader = FileReader(statemachines)
    section = brands(reader)
    return {} if reader.problems else section
