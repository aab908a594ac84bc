"""Signs calls of Alibaba Cloud's interfaces, version 3 (ACS3-HMAC-SHA256).

Source: https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

ALGORITHM: Final = "ACS3-HMAC-SHA256"


def signed_headers(
    headers: Mapping[str, str], *, query: str = "", body: bytes, key_id: str, key_secret: str
) -> dict[str, str]:
    """The headers with the hash of the body and ``authorization``; all given ones are signed.

    ``headers`` have lower-case names, among them ``host``; ``query`` is encoded and sorted.
    """
    digest = hashlib.sha256(body).hexdigest()
    signed = {**headers, "x-acs-content-sha256": digest}
    signature = signature_of(signed, query=query, key_secret=key_secret)
    authorization = f"{ALGORITHM} Credential={key_id},SignedHeaders={';'.join(sorted(signed))},Signature={signature}"
    return {**signed, "authorization": authorization}


def signature_of(signed: Mapping[str, str], *, query: str = "", key_secret: str) -> str:
    """The signature over the signed headers of a POST to ``/``, the hash of its body among them."""
    names = sorted(signed)
    canonical = "\n".join(
        [
            "POST",
            "/",
            query,
            "".join(f"{name}:{signed[name].strip()}\n" for name in names),
            ";".join(names),
            signed["x-acs-content-sha256"],
        ]
    )
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def acs_date(at: datetime) -> str:
    """An instant as ``x-acs-date`` has it; Alibaba Cloud takes a call within 15 minutes of it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
