"""Where a service is called, from the environment alone as Lambda sets it; botocore's rules where that does not say it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from waypost.aws.json_services.services import Service

_COMMERCIAL: Final = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d+")
_CHINA: Final = re.compile(r"cn-[a-z]+-\d+")
_ADDRESS_VARIABLES: Final = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")
_PROXY_VARIABLES: Final = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_SOURCES: Final = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_DEFAULTS_MODE")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of a service, taken apart; ``authority`` is its host as the header names it."""

    url: str
    region: str
    host: str
    port: int
    tls: bool
    path: str
    authority: str

    @classmethod
    def of(cls, url: str, region: str) -> "Endpoint":
        """Raises ValueError for what is no address."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a service")
        tls = parts.scheme == "https"
        usual = 443 if tls else 80
        port = parts.port or usual
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(
            url=url,
            region=region,
            host=parts.hostname,
            port=port,
            tls=tls,
            path=parts.path or "/",
            authority=name if port == usual else f"{name}:{port}",
        )


def endpoint_in(environment: Mapping[str, str], service: Service) -> Endpoint | None:
    """The endpoint, or None where only botocore knows it or must make the call: a proxy, a profile, FIPS, dual stack, no region,
    a region of another partition than the commercial one and China. The null device as a file of settings says nothing."""
    region = environment.get("AWS_DEFAULT_REGION", "")
    elsewhere = any(environment.get(name) not in {None, "", os.devnull} for name in _PROXY_VARIABLES + _SOURCES)
    if not region or elsewhere or any(_is_on(environment, name) for name in _ADDRESS_VARIABLES):
        return None
    url = _configured(environment, service) or _regional(service, region)
    return Endpoint.of(url, region) if url else None


def _configured(environment: Mapping[str, str], service: Service) -> str | None:
    if _is_on(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        return None
    return environment.get(service.endpoint_variable) or environment.get("AWS_ENDPOINT_URL")


def _regional(service: Service, region: str) -> str | None:
    if _COMMERCIAL.fullmatch(region):
        return f"https://{service.host}.{region}.amazonaws.com"
    if _CHINA.fullmatch(region):
        return f"https://{service.host}.{region}.amazonaws.com.cn"
    return None


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").lower() == "true"


def endpoint(service: Service) -> Endpoint | None:
    """See ``endpoint_in``; of this process."""
    return endpoint_in(os.environ, service)
