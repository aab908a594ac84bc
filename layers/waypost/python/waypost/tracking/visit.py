"""What is kept of a request for a link or a pixel: enough to judge it again, and no address. Used by follow_link and the verdict."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, Self

from waypost.codec import JsonForm

Act = Literal["opened", "clicked"]

Network = Literal["apple", "barracuda", "google", "microsoft", "mimecast", "proofpoint", "other"]
"""Whose network a request came from; ``other`` for everybody's."""

NETWORKS: Final[Mapping[Network, tuple[str, ...]]] = {
    # https://support.apple.com/en-us/101555: Apple's own block, from which its mail servers load pictures
    "apple": ("17.0.0.0/8",),
    # https://campus.barracuda.com/product/emailgatewaydefense/doc/96023001/ (US, and the data centres of other regions)
    "barracuda": ("64.235.144.0/20", "209.222.80.0/21", "35.157.190.224/27", "35.176.92.96/27", "3.24.133.128/25"),
    # https://support.google.com/a/answer/60764 and _spf.google.com; Gmail's image proxy is 66.249.80.0/20 and its neighbours
    "google": (
        "64.233.160.0/19", "66.102.0.0/20", "66.249.80.0/20", "72.14.192.0/18", "74.125.0.0/16", "108.177.8.0/21",
        "142.250.0.0/15", "172.217.0.0/16", "172.253.0.0/16", "173.194.0.0/16", "209.85.128.0/17", "216.58.192.0/19",
        "2001:4860::/32", "2607:f8b0::/32", "2a00:1450::/32",
    ),
    # https://learn.microsoft.com/en-us/microsoft-365/enterprise/urls-and-ip-address-ranges, Exchange Online Protection; and
    # 40.94.0.0/16, from which Safe Links opens what it scans
    "microsoft": (
        "40.92.0.0/15", "40.94.0.0/16", "40.107.0.0/16", "52.100.0.0/14", "52.238.78.88/32", "104.47.0.0/17",
        "2a01:111:f400::/48", "2a01:111:f403::/48",
    ),
    # https://community.mimecast.com/s/article/email-security-cloud-gateway-data-centers-and-urls
    "mimecast": (
        "63.128.21.0/24", "91.220.42.0/24", "103.13.69.0/24", "124.47.150.0/24", "124.47.189.0/24", "146.101.78.0/24",
        "170.10.128.0/21", "180.189.28.0/24", "185.58.84.0/22", "194.104.108.0/22", "195.130.217.0/24", "205.139.110.0/23",
        "207.82.80.0/24", "207.211.30.0/23", "213.167.75.0/24", "213.167.81.0/24",
    ),
    # https://help.proofpoint.com, "Proofpoint on demand IP ranges"
    "proofpoint": ("67.231.144.0/20", "148.163.128.0/19", "185.132.180.0/22", "185.183.28.0/22", "205.220.160.0/19", "208.84.65.0/24", "208.86.200.0/22"),
}  # fmt: skip

_LONGEST_AGENT: Final = 300
_PREFETCH_HEADERS: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(JsonForm):
    """One request, without who made it.

    ``seconds`` is how long after the message was sent it came. ``links_at_once`` is how many links of the message were followed
    within ``AT_ONCE`` before and with it, ``trapped`` whether the hidden one was followed around then.
    """

    act: Act
    method: str = "GET"
    user_agent: str = ""
    network: Network = "other"
    purpose: str = ""
    seconds: int = 0
    links_at_once: int = 1
    trapped: bool = False

    @classmethod
    def of(cls, act: Act, request: Mapping[str, Any], *, seconds: int) -> Self:
        """From an event of an HTTP API (payload format 2.0); the address decides the network and is dropped."""
        headers, http = request.get("headers", {}), request["requestContext"]["http"]
        purpose = next((headers[name] for name in _PREFETCH_HEADERS if headers.get(name)), "")
        return cls(
            act=act,
            method=http["method"],
            user_agent=(headers.get("user-agent") or "")[:_LONGEST_AGENT],
            network=network_of(http.get("sourceIp", "")),
            purpose=purpose[:_LONGEST_AGENT],
            seconds=seconds,
        )


def network_of(address: str) -> Network:
    """Whose network an IP address belongs to."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "other"
    return next((owner for owner, nets in _networks().items() if any(ip in net for net in nets)), "other")


@cache
def _networks() -> dict[Network, list[ipaddress.IPv4Network | ipaddress.IPv6Network]]:
    return {owner: [ipaddress.ip_network(each) for each in nets] for owner, nets in NETWORKS.items()}
