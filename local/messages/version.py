"""A version of a message, checked and compiled, as the operation publish-message takes it. Used by ``waypost message publish``."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from local.cloud.local_cloud import client
from local.messages.message_folder import PlacedMessage
from local.problems import LocalError
from waypost.files.folders import LIBRARY


def packed(place: PlacedMessage) -> bytes:
    """The texts of the message's folder. Raises LocalError with what publishing refuses."""
    published, problems = place.read()
    if published is None:
        raise LocalError("\n".join(map(str, problems)), f"waypost message lint {place.id}")
    return json.dumps(published, ensure_ascii=False, sort_keys=True).encode()


def hand_in(content: bytes, access: Mapping[str, Any]) -> str:
    """Put a version where the running system takes it from; the key."""
    key = f"{LIBRARY}inbox/{hashlib.sha256(content).hexdigest()[:16]}.json"
    s3 = client("s3", access["endpoint_url"])
    s3.put_object(Bucket=access["outputs"]["FilesBucket"], Key=key, Body=content)
    return key
