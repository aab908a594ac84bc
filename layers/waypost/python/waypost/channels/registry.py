"""Finds the parts of a channel in its folder; each is imported when it is first asked for.

A message loads what its own channel needs, and nothing of the others. Used by the sender, record_delivery and the tests.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from waypost.channels.callback_contract import CallbackReader
from waypost.channels.code_contract import CodeMaker
from waypost.channels.contract import ChannelPlugin, GivenRight, NoticeReader, Provider, ProviderPorts, TopicReader
from waypost.channels.people_contract import People
from waypost.channels.results_contract import Results
from waypost.contacts.channels import CHANNELS, Channel, channel_named, declared_channels
from waypost.errors import InvalidInput
from waypost.events.envelope import Event
from waypost.staff.outside_members import StaffSource

_FOLDER: Final = Path(__file__).parent
_PROVIDER: Final = "provider_"


@cache
def plugin(channel: Channel) -> ChannelPlugin[Any]:
    """The channel of this name. Raises InvalidInput when there is none."""
    name = channel_named(channel)
    found = import_module(f"waypost.channels.{name}.channel").CHANNEL
    if not isinstance(found, ChannelPlugin) or found.name != name:
        raise TypeError(f"channels/{name}/channel.py: CHANNEL is not the plug-in of {name!r}")
    return found


def rights_in(event: Event) -> Sequence[GivenRight]:
    """The rights that a person gives by this event; the channel is imported only for an event that it names."""
    return [
        right
        for channel, declared in declared_channels().items()
        if event.type in declared.gives_rights
        for right in plugin(channel).rights_in(event)
    ]


def code_channels() -> list[Channel]:
    """The channels that make codes that people scan."""
    return [channel for channel in CHANNELS if (_FOLDER / channel / "qr_codes.py").is_file()]


def code_maker(channel: Channel, *, settings: Mapping[str, str], ports: ProviderPorts) -> CodeMaker:
    """What makes the channel's codes. Raises InvalidInput for a channel that has none."""
    if channel_named(channel) not in code_channels():
        raise InvalidInput("channel", f"{channel} has no codes")
    maker: CodeMaker = import_module(f"waypost.channels.{channel}.qr_codes").connect(settings, ports)
    return maker


def provider_names(channel: Channel) -> list[str]:
    """The providers a channel has a file for."""
    return sorted(path.stem.removeprefix(_PROVIDER) for path in (_FOLDER / channel).glob(f"{_PROVIDER}*.py"))


def connect(channel: Channel, *, settings: Mapping[str, str], ports: ProviderPorts) -> Provider[Any]:
    """The provider that ``settings["provider"]`` names, or the channel's usual one. Raises InvalidInput.

    Of several with commas, ``routes.py`` of the channel decides for each message.
    """
    known = provider_names(channel_named(channel))
    chosen = (settings.get("provider") or next(iter(declared_channels()[channel].providers))).split(",")
    if unknown := [name for name in chosen if name not in known]:
        raise InvalidInput(f"{channel}_provider", f"expected one of {', '.join(known)}, got {unknown[0]!r}")
    providers = {name: _connect(channel, name, settings, ports) for name in chosen}
    if len(providers) == 1:
        return providers[chosen[0]]
    routed: Provider[Any] = import_module(f"waypost.channels.{channel}.routes").route(providers)
    return routed


def _connect(channel: Channel, name: str, settings: Mapping[str, str], ports: ProviderPorts) -> Provider[Any]:
    provider = import_module(f"waypost.channels.{channel}.{_PROVIDER}{name}").connect(settings, ports)
    if not isinstance(provider, Provider):
        raise TypeError(f"channels/{channel}/{_PROVIDER}{name}.py: connect returns no Provider")
    return provider


@cache
def result_channels() -> Sequence[Channel]:
    """The channels whose providers are asked for results."""
    return [channel for channel in CHANNELS if (_FOLDER / channel / "results.py").is_file()]


def connect_results(channel: Channel, *, settings: Mapping[str, str], ports: ProviderPorts) -> Results | None:
    """What asks the channel's provider for the results of tasks; None for a channel whose messages no member of staff sends."""
    if channel not in result_channels():
        return None
    results: Results = import_module(f"waypost.channels.{channel}.results").connect(settings, ports)
    return results


SOURCE_OF_STAFF: Final = Channel("wecom")
"""The channel whose provider has the company's members of staff."""


def connect_staff(*, settings: Mapping[str, str], ports: ProviderPorts) -> StaffSource:
    """What asks the provider for the members of staff."""
    source: StaffSource = import_module(f"waypost.channels.{SOURCE_OF_STAFF}.staff").connect(settings, ports)
    return source


def people_channels() -> Sequence[Channel]:
    """The channels whose providers are asked what they know of a person."""
    return [channel for channel in CHANNELS if (_FOLDER / channel / "people.py").is_file()]


def connect_people(channel: Channel, *, settings: Mapping[str, str], ports: ProviderPorts) -> People:
    """What asks the channel's provider about people. Raises InvalidInput for a channel whose provider knows nobody."""
    if channel_named(channel) not in people_channels():
        raise InvalidInput("channel", f"{channel} knows no people")
    people: People = import_module(f"waypost.channels.{channel}.people").connect(settings, ports)
    return people


@cache
def callback_channels() -> Sequence[Channel]:
    """The channels whose providers post to us."""
    return [channel for channel in CHANNELS if (_FOLDER / channel / "callbacks.py").is_file()]


@cache
def callback_reader(channel: str) -> CallbackReader | None:
    """What reads the callbacks of a channel; None where there is no such channel or it has no ``callbacks.py``."""
    if channel not in callback_channels():
        return None
    reader: CallbackReader = import_module(f"waypost.channels.{channel}.callbacks").receive
    return reader


@cache
def notice_readers() -> Mapping[str, tuple[Channel, NoticeReader]]:
    """Which channel's reader understands the notices of each EventBridge source."""
    readers: dict[str, tuple[Channel, NoticeReader]] = {}
    for channel in CHANNELS:
        sources: Mapping[str, NoticeReader] = import_module(f"waypost.channels.{channel}.notices").SOURCES
        if shared := sorted(readers.keys() & sources.keys()):
            raise TypeError(f"channels/{channel}/notices.py: {readers[shared[0]][0]!r} reads {shared[0]!r} too")
        readers.update((source, (channel, reader)) for source, reader in sources.items())
    return readers


@cache
def topic_readers() -> Mapping[str, TopicReader]:
    """What reads the messages of topics, by a field that only they have."""
    return {
        field: reader
        for channel in CHANNELS
        for field, reader in getattr(import_module(f"waypost.channels.{channel}.notices"), "TOPICS", {}).items()
    }
