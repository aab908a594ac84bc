"""AES-256 in CBC mode, for senders that encrypt their callbacks (DingTalk, WeCom). Used by the sender schemes.

Our own because the layer carries no cryptography package and this is all that one would be used for: FIPS 197 on a few
kilobytes of a callback whose signature was checked before. Table look-ups take time that depends on the key, which
matters to somebody on the same machine and not to a sender on the other side of the internet.
"""

from collections.abc import Iterator
from typing import Final

BLOCK: Final = 16
_ROUNDS: Final = 14
_WORDS: Final = 8


def _doubled(value: int) -> int:
    return ((value << 1) ^ 0x1B) & 0xFF if value & 0x80 else value << 1


def _product(left: int, right: int) -> int:
    """In the field of AES (FIPS 197, section 4.2)."""
    result = 0
    while right:
        if right & 1:
            result ^= left
        left, right = _doubled(left), right >> 1
    return result


def _substitutions() -> tuple[bytes, bytes]:
    """The S-box and its inverse (FIPS 197, section 5.1.1): the inverse in the field, then an affine map."""
    forward = bytearray(256)
    inverse = power = 1
    while True:  # 3 generates the field, and 0xF6 is its inverse: each pair is a number and its inverse
        spread = inverse
        for shift in range(1, 5):
            spread ^= ((inverse << shift) | (inverse >> (8 - shift))) & 0xFF
        forward[power] = spread ^ 0x63
        power, inverse = _product(power, 3), _product(inverse, 0xF6)
        if power == 1:
            break
    forward[0] = 0x63
    backward = bytearray(256)
    for position, value in enumerate(forward):
        backward[value] = position
    return bytes(forward), bytes(backward)


_S, _S_INVERSE = _substitutions()
_TIMES: Final = {factor: bytes(_product(value, factor) for value in range(256)) for factor in (2, 3, 9, 11, 13, 14)}
_ROTATED: Final = [row + 4 * ((column + row) % 4) for column in range(4) for row in range(4)]
_ROTATED_BACK: Final = [row + 4 * ((column - row) % 4) for column in range(4) for row in range(4)]


def encrypt(key: bytes, initial: bytes, content: bytes) -> bytes:
    """``content``, a whole number of blocks, encrypted. Raises ValueError for wrong lengths."""
    keys, previous, result = _round_keys(key), initial, bytearray()
    for block in _blocks(content, initial):
        previous = _encrypted(bytes(a ^ b for a, b in zip(block, previous, strict=True)), keys)
        result += previous
    return bytes(result)


def decrypt(key: bytes, initial: bytes, content: bytes) -> bytes:
    """The inverse of ``encrypt``; padding stays. Raises ValueError for wrong lengths."""
    keys, previous, result = _round_keys(key), initial, bytearray()
    for block in _blocks(content, initial):
        result += bytes(a ^ b for a, b in zip(_decrypted(block, keys), previous, strict=True))
        previous = block
    return bytes(result)


def _blocks(content: bytes, initial: bytes) -> Iterator[bytes]:
    if len(initial) != BLOCK or not content or len(content) % BLOCK:
        raise ValueError("expected whole blocks of 16 bytes")
    return (content[start : start + BLOCK] for start in range(0, len(content), BLOCK))


def _round_keys(key: bytes) -> list[bytes]:
    """FIPS 197, section 5.2."""
    if len(key) != 4 * _WORDS:
        raise ValueError("expected a key of 32 bytes")
    words = [key[start : start + 4] for start in range(0, len(key), 4)]
    constant = 1
    while len(words) < 4 * (_ROUNDS + 1):
        word = words[-1]
        if len(words) % _WORDS == 0:
            word = bytes(_S[value] for value in (*word[1:], word[0]))
            word = bytes((word[0] ^ constant, *word[1:]))
            constant = _doubled(constant)
        elif len(words) % _WORDS == 4:
            word = bytes(_S[value] for value in word)
        words.append(bytes(a ^ b for a, b in zip(words[-_WORDS], word, strict=True)))
    return [b"".join(words[start : start + 4]) for start in range(0, len(words), 4)]


def _encrypted(block: bytes, keys: list[bytes]) -> bytes:
    state = _added(block, keys[0])
    for number in range(1, _ROUNDS + 1):
        state = bytes(_S[state[position]] for position in _ROTATED)
        state = _added(_mixed(state) if number < _ROUNDS else state, keys[number])
    return state


def _decrypted(block: bytes, keys: list[bytes]) -> bytes:
    state = _added(block, keys[_ROUNDS])
    for number in range(_ROUNDS - 1, -1, -1):
        state = bytes(_S_INVERSE[state[position]] for position in _ROTATED_BACK)
        state = _added(state, keys[number])
        state = _unmixed(state) if number else state
    return state


def _added(state: bytes, key: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(state, key, strict=True))


def _mixed(state: bytes) -> bytes:
    two, three, result = _TIMES[2], _TIMES[3], bytearray()
    for start in range(0, BLOCK, 4):
        a, b, c, d = state[start : start + 4]
        result += bytes(
            (two[a] ^ three[b] ^ c ^ d, a ^ two[b] ^ three[c] ^ d, a ^ b ^ two[c] ^ three[d], three[a] ^ b ^ c ^ two[d])
        )
    return bytes(result)


def _unmixed(state: bytes) -> bytes:
    t9, t11, t13, t14 = (_TIMES[factor] for factor in (9, 11, 13, 14))
    result = bytearray()
    for start in range(0, BLOCK, 4):
        a, b, c, d = state[start : start + 4]
        result += bytes(
            (
                t14[a] ^ t11[b] ^ t13[c] ^ t9[d],
                t9[a] ^ t14[b] ^ t11[c] ^ t13[d],
                t13[a] ^ t9[b] ^ t14[c] ^ t11[d],
                t11[a] ^ t13[b] ^ t9[c] ^ t14[d],
            )
        )
    return bytes(result)
