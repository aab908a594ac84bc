"""The robots of staff groups: their names; the addresses they were given are in the channel's secret."""

from collections.abc import Collection

from constructs import Construct

from waypost.channels.infra_contract import ChannelInfra, chosen, refuse
from waypost.channels.robot.group_robots import NAME, PROVIDERS, SIGNING


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """Context: ``robot_names`` are the names of the robots, with commas, as ``staff/members.yaml`` uses them. Empty: none.

    Raises InvalidInput for what is no name.
    """
    del name, settled
    names = [each.strip() for each in chosen(scope, "robot_names").split(",") if each.strip()]
    if wrong := [each for each in names if not NAME.fullmatch(each)]:
        raise refuse("robot_names", f"must be names such as sales-group, in lower case, not {wrong[0]!r}")
    credentials = [key for each in names for key in (each, each + SIGNING)]
    return ChannelInfra(permissions=[], settings={"provider": ",".join(PROVIDERS)}, credentials=credentials)
