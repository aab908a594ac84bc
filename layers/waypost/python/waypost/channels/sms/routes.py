"""Which provider takes a text message where a deployment has both: the number's country decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.channels.answers import Answer
from waypost.channels.contract import Outgoing, Provider
from waypost.channels.sms.approved_template import mainland_number
from waypost.channels.sms.channel import RenderedSms

_OF_MAINLAND_CHINA: Final = "aliyun"


@dataclass(frozen=True, slots=True)
class ByCountry(Provider[RenderedSms]):
    """Numbers of mainland China go to ``mainland``, all others to ``elsewhere``."""

    mainland: Provider[RenderedSms]
    elsewhere: Provider[RenderedSms]

    def send(self, outgoing: Outgoing[RenderedSms]) -> Answer:
        """See Provider."""
        return (self.mainland if mainland_number(outgoing.to.text) else self.elsewhere).send(outgoing)


def route(providers: Mapping[str, Provider[Any]]) -> ByCountry:
    """One provider of the two. Raises ValueError for any others."""
    others = [provider for name, provider in providers.items() if name != _OF_MAINLAND_CHINA]
    if _OF_MAINLAND_CHINA not in providers or len(others) != 1:
        raise ValueError(f"expected {_OF_MAINLAND_CHINA} and one other, got {', '.join(providers)}")
    return ByCountry(providers[_OF_MAINLAND_CHINA], others[0])
