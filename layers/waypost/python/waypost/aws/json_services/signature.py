"""Signature Version 4 of a POST without a query string.

Source: IAM User Guide, "Create a signed AWS API request".
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from waypost.aws.json_services.credentials import Credentials

ALGORITHM: Final = "AWS4-HMAC-SHA256"


def signed(
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    at: datetime,
    path: str = "/",
) -> dict[str, str]:
    """The headers with ``x-amz-date``, the session's token and the signature over all of them.

    Give names in lower case, ``host`` among them; ``at`` in UTC.
    """
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    complete = {**headers, "x-amz-date": stamp}
    if credentials.token:
        complete["x-amz-security-token"] = credentials.token
    names = sorted(complete)
    listed = ";".join(names)
    lines = "".join([f"{name}:{_trimmed(complete[name])}\n" for name in names])
    canonical = f"POST\n{_quoted(path)}\n\n{lines}\n{listed}\n{sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"{ALGORITHM}\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = signing_key(credentials.secret_key, stamp[:8], region, service)
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    complete["authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={listed}, Signature={signature}"
    )
    return complete


def _trimmed(value: str) -> str:
    """The value with single blanks within, and none around it; few have any."""
    return " ".join(value.split()) if " " in value else value


@lru_cache(maxsize=32)
def _quoted(path: str) -> str:
    return quote(path, safe="/~")


@lru_cache(maxsize=32)
def signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    """The key of a day (``20261129``), a region and a service; the same for every call of that day."""
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
