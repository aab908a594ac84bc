"""A webhook's receiver: its address and the keys that messages to it are signed with."""

from collections.abc import Collection
from urllib.parse import urlsplit

from constructs import Construct

from waypost.channels.infra_contract import ChannelInfra, chosen, refuse
from waypost.http.addresses import problem_with


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """Context: ``webhook_url`` is where messages are posted to; empty: the ``url`` in the channel's secret.

    Raises InvalidInput for an address that is not posted to.
    """
    del name, settled
    url = chosen(scope, "webhook_url")
    if url and (problem := problem_with(url, loopback=False)):
        raise refuse("webhook_url", f"{problem}: {urlsplit(url).hostname or url!r}")
    return ChannelInfra(permissions=[], settings={"url": url}, credentials=["signing_keys", "url"])
