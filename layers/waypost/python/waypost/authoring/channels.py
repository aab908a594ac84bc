"""The channels as authors see them: their names, and the files and fields a message has on each. Used by the models."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from waypost.channels.authored_contract import AuthoredChannel
from waypost.contacts.channels import CHANNELS, Channel

if TYPE_CHECKING:
    ChannelName = Channel
else:
    ChannelName = Literal[CHANNELS]  # pydantic then says which names there are


@cache
def authored_channels() -> Mapping[str, AuthoredChannel]:
    """What authors write for each channel, by the channel's name."""
    return {channel: _authored(channel) for channel in CHANNELS}


def _authored(channel: Channel) -> AuthoredChannel:
    found = import_module(f"waypost.channels.{channel}.authored").AUTHORED
    if not isinstance(found, AuthoredChannel):
        raise TypeError(f"channels/{channel}/authored.py: AUTHORED is no AuthoredChannel")
    return found
