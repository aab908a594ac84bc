"""Which URLs and addresses may be called: public ones only, so that no URL makes us call our own network.

Source: OWASP, Server Side Request Forgery Prevention Cheat Sheet; the IANA special-purpose address registries.
"""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

_Address = IPv4Address | IPv6Address

_PORTS: Final = frozenset({None, 443, 8443})
_PRIVATE_NAMES: Final = (".local", ".internal", ".localhost")
_NUMERIC: Final = re.compile(r"\d+|0x[0-9a-f]*")  # no top-level domain looks so (WHATWG URL, ends in a number)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # RFC 4291, section 2.4: nothing outside it is routed in public
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052
_IPV4_COMPATIBLE: Final = IPv6Network("::/96")  # RFC 4291, section 2.5.5.1: deprecated, and still understood


def problem_with(url: str, *, loopback: bool = False) -> str:
    """Why this URL must not be called, or nothing. ``loopback`` allows ``http://127.0.0.1`` for tests."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "should be a URL"
    if not host or parts.username or parts.password or parts.fragment or any(sign.isspace() for sign in url):
        return "should be a URL with a host, without user, password and fragment"
    if parts.scheme != "https":
        return "" if loopback and parts.scheme == "http" and _is_loopback(host) else "should begin with https://"
    if port not in _PORTS:
        return "should use port 443 or 8443"
    if not (parts.path + parts.query).isascii() or not url.isprintable():
        return "should percent-encode what is not ASCII"
    return _problem_with_host(host)


def _problem_with_host(host: str) -> str:
    host = host.rstrip(".").lower()
    if _NUMERIC.fullmatch(host.rpartition(".")[2]) and _address(host) is None:
        return "should be a public address in its usual form"  # 127.1 and 0x7f.1 are addresses to the resolvers of C
    if _address(host) is not None:
        return "" if is_public(host) else "should be a public address"
    return "should be the public name of a host" if "." not in host or host.endswith(_PRIVATE_NAMES) else ""


def is_public(address: str) -> bool:
    """Whether an address, as a resolver gives it, leads to the public internet.

    An IPv6 address that stands for an IPv4 address is judged as that one.
    """
    found = _address(address)
    match found:
        case None:
            return False
        case IPv6Address():
            embedded = _embedded(found)
            if embedded is None:
                return found in _GLOBAL_UNICAST and found.is_global and not found.is_multicast
            return embedded.is_global and not embedded.is_multicast
        case _:
            return found.is_global and not found.is_multicast


def is_loopback(address: str) -> bool:
    """Whether an address, as a resolver gives it, is this machine."""
    found = _address(address)
    return found is not None and found.is_loopback


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that is reached by this one: mapped, compatible, through NAT64, 6to4 or Teredo."""
    if address in _NAT64 or address in _IPV4_COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _address(text: str) -> _Address | None:
    try:
        return ip_address(text.partition("%")[0])  # a link-local address comes with the interface it belongs to
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    return host == "localhost" or is_loopback(host)
