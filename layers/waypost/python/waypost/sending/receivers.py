"""What single mailbox providers take a second, whatever the account's own rate is. Its policy: ``receivers``. Asked by the sender."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from waypost.contacts.channels import Address
from waypost.sending.policy import Setting


@dataclass(frozen=True, slots=True)
class Receiver:
    """One mailbox provider by the domains of its addresses."""

    domains: tuple[str, ...]
    per_second: float

    def __post_init__(self) -> None:
        if not 0 < self.per_second <= 10_000:
            raise ValueError(f"per_second should be more than 0 and at most 10000, not {self.per_second}")
        if not self.domains or any(each != each.lower() or "@" in each for each in self.domains):
            raise ValueError("domains should be names in lower case, such as gmail.com")

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(tuple(value["domains"]), value["per_second"])


RECEIVERS: Final[Setting[Mapping[str, Receiver]]] = Setting(
    "receivers",
    form=dict[str, Receiver],
    default={},
    load=lambda value: {name: Receiver.load(each) for name, each in value.items()},
)


def rate_at(to: Address, receivers: Mapping[str, Receiver]) -> tuple[str, float] | None:
    """The name of the rate of the mailbox provider of this address, and the rate; None for one without."""
    domain = to.text.rpartition("@")[2].lower()
    found = next((each for each in receivers.items() if domain in each[1].domains), None)
    return (f"{to.channel}@{found[0]}", found[1].per_second) if found else None
