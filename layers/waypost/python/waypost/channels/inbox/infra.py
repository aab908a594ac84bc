"""An inbox lies in the contacts table, where the sender writes already: nothing is made for it."""

from collections.abc import Collection

from constructs import Construct

from waypost.channels.infra_contract import ChannelInfra


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """No resources, no choices and no further rights."""
    del scope, name, settled
    return ChannelInfra(permissions=[])
