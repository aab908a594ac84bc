"""The dated price file: what AWS and the providers of channels ask for. Used by forecasts and by the benchmarks."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from waypost.authoring.yaml_reading import read_yaml
from waypost.contacts.channels import Channel, declared_channels

_FILE: Final = Path(__file__).with_name("prices.yaml")
MILLION: Final = 1_000_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(_Strict):
    """Dollars for a million of ``what``; ``source`` is where its seller publishes it."""

    what: str
    per_million: float = Field(ge=0)
    source: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return self.model_dump()


class ProviderPrice(_Strict):
    """The price of a provider's messages; where no list has it, why it is ``unknown``."""

    what: str = ""
    per_million: float | None = Field(default=None, ge=0)
    source: str = ""
    unknown: str = ""

    @model_validator(mode="after")
    def _has_a_price_or_a_reason(self) -> Self:
        if (self.per_million is None) != bool(self.unknown):
            raise ValueError("expected per_million with its source, or unknown with the reason")
        if self.per_million is not None and not self.source:
            raise ValueError("a price has a source")
        return self


class PriceList(_Strict):
    """``prices.yaml``: what AWS asks for by quantity, and providers by channel and name, as published in ``as_of``."""

    as_of: str
    region: str
    aws: Mapping[str, Price]
    providers: Mapping[str, Mapping[str, ProviderPrice]]

    def aws_dollars(self, quantities: Mapping[str, float]) -> float:
        """What the quantities cost. Raises KeyError for something that has no price."""
        return sum(self.aws[name].per_million * amount / MILLION for name, amount in quantities.items())

    def of_channel(self, channel: Channel, choices: Mapping[str, Any]) -> ProviderPrice:
        """The price of a channel's messages by the provider that the project's choices name; of several, by none."""
        names = str(choices.get(f"{channel}_provider") or next(iter(declared_channels()[channel].providers), ""))
        if "," in names:
            return ProviderPrice(unknown=f"several providers: {names}")
        found = self.providers.get(channel, {}).get(names)
        return found or ProviderPrice(unknown=f"no price of {names or 'its provider'} is in the price file")


@cache
def price_list() -> PriceList:
    """The price file that is shipped."""
    return PriceList.model_validate(read_yaml(_FILE))
