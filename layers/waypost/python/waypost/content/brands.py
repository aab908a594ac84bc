"""The brands that a company writes under: what a mail's header and its template say of one. Used by the sender and by previews."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Self

from waypost.content.locale import choose_locale
from waypost.published_sections import published_section

SECTION: Final = "brands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """One brand of ``brands.yaml``; ``name`` and ``postal_address`` are by locale.

    ``sender`` is the From field as RFC 5322 writes it, ``reply_to`` where answers go: to ``sender`` without any.

    ``tenant``: SES keeps its reputation and its suppressions apart from those of the other brands.
    """

    id: str
    name: Mapping[str, str]
    sender: str
    reply_to: tuple[str, ...] = ()
    tenant: bool = False
    postal_address: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, brand_id: str, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(
            id=brand_id,
            name=value["name"],
            sender=value["sender"],
            reply_to=tuple(value.get("reply_to", ())),
            tenant=value.get("tenant", False),
            postal_address=value.get("postal_address", {}),
        )

    def shown(self, locale: str | None, default_locale: str) -> dict[str, str]:
        """The variable ``brand`` of a template, in the reader's language."""
        return {
            "name": _in_locale(self.name, locale, default_locale),
            "postal_address": _in_locale(self.postal_address, locale, default_locale),
        }


def brands_of(section: Mapping[str, Any]) -> dict[str, Brand]:
    """The brands of the published section, by their ids."""
    return {name: Brand.from_dict(name, value) for name, value in section.items()}


@cache
def published_brands() -> Mapping[str, Brand]:
    """The brands of this deployment."""
    return brands_of(published_section(SECTION))


def _in_locale(wording: Mapping[str, str], locale: str | None, default_locale: str) -> str:
    return wording[choose_locale(locale, wording, default_locale)] if wording else ""
