"""A webhook's receiver: its address and the keys that messages to it are signed with."""

from collections.abc import Collection

from constructs import Construct

from waypost.channels.infra_contract import ChannelInfra, chosen, refuse
from waypost.channels.webhook.provider_standard_webhooks import IN_SECRET
from waypost.http.addresses import problem_with


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """Context: ``webhook_url`` is where messages are posted to, or ``secret``: the ``url`` in the channel's secret. Empty: nowhere.

    Raises InvalidInput for an address that is not posted to.
    """
    del name, settled
    url = chosen(scope, "webhook_url")
    if not url:
        return ChannelInfra(permissions=[])
    if url != IN_SECRET and (problem := problem_with(url)):
        raise refuse("webhook_url", f"{problem}, or be {IN_SECRET!r} where the channel's secret holds it: {url!r}")
    return ChannelInfra(permissions=[], settings={"url": url}, credentials=["url", "signing_keys"])
