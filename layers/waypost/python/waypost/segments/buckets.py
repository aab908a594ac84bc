"""Random but repeatable: buckets, hold-outs and samples by a salted hash. Used by rules, audiences and splits.

The same contact and salt give the same number on every machine, for ever; another salt gives an independent one.
"""

from collections.abc import Iterable
from hashlib import blake2b
from heapq import nsmallest


def position(contact_id: str, salt: str) -> int:
    """Where the contact stands in the order that ``salt`` draws: uniform over 64 bits."""
    digest = blake2b(contact_id.encode(), key=blake2b(salt.encode(), digest_size=16).digest(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def bucket(contact_id: str, salt: str, buckets: int = 10_000) -> int:
    """The contact's bucket, from 0 to ``buckets`` - 1; with 10,000 of them, a hundred make a percent."""
    return position(contact_id, salt) * buckets >> 64


def sample(ids: Iterable[str], n: int, salt: str) -> list[str]:
    """The ``n`` contacts that stand first in the order ``salt`` draws; all of them when there are fewer.

    A larger base changes a sample only by the newcomers that stand before its members. Memory holds ``n`` ids.
    """
    return [contact_id for _, contact_id in nsmallest(n, ((position(each, salt), each) for each in ids))]
