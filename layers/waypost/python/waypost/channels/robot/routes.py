"""Which platform a robot is of: the one whose address the secret has under its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from waypost.channels.answers import Answer, RefusedForNow
from waypost.channels.contract import Outgoing, Provider
from waypost.channels.robot.channel import RenderedRobot
from waypost.channels.robot.group_robots import GroupRobots
from waypost.errors import RetryableError


@dataclass(frozen=True, slots=True)
class ByAddress(Provider[RenderedRobot]):
    """The robots of several platforms."""

    platforms: tuple[GroupRobots, ...]

    def send(self, outgoing: Outgoing[RenderedRobot]) -> Answer:
        """See Provider. A robot that none of them has is refused by the first, after the secret was read again."""
        try:
            found = next((each for each in self.platforms if each.has(outgoing.to.text)), self.platforms[0])
        except RetryableError as error:
            return RefusedForNow(str(error))
        return found.send(outgoing)


def route(providers: Mapping[str, Provider[Any]]) -> ByAddress:
    """One provider of several."""
    return ByAddress(tuple(cast("GroupRobots", each) for each in providers.values()))
