"""Codes of coupons: made so that nobody guesses them, and compared as people type them. Used by issuing and imports."""

from collections.abc import Callable
from typing import Final

from waypost import ids
from waypost.coupons.pool import SHARDS

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0 and O, 1, I and L. Ten signs of it are 49 bits: of a million codes in use one guess in 800 million finds one."""
SHORTEST: Final = 8
LONGEST: Final = 64


def new_code(*, prefix: str, length: int, choose: Callable[[int], int]) -> str:
    """A code of ``length`` signs behind the prefix; ``choose(n)`` gives a number below n and must be secret."""
    return prefix + "".join(ALPHABET[choose(len(ALPHABET))] for _ in range(length))


def code_digest(code: str) -> str:
    """What a code is found under: the same however it is typed (case, spaces and hyphens around groups)."""
    return ids.digest("coupon", "".join(code.split()).replace("-", "").upper())


def shard_of_code(code: str) -> int:
    """The shard of its pool in which an imported code waits."""
    return int(code_digest(code)[:8], 16) % SHARDS


def code_problem(code: str) -> str:
    """Why this can be no code; "" when it can."""
    if not 4 <= len(code) <= LONGEST:
        return f"expected a code of 4 to {LONGEST} signs, got {len(code)}"
    if not code.isascii() or not code.replace("-", "").replace("_", "").isalnum():
        return "expected letters, digits, hyphens and underscores only"
    return ""
