"""How DingTalk, WeChat and WeCom sign and encrypt what they call back with: the same scheme in all three.

The signature is SHA-1 over the sorted parts. The ciphertext is AES-256-CBC of 16 random bytes, a length (32 bits, big-endian),
the message and the id of its owner, padded to 32 bytes; the initialisation vector is the beginning of the key. Sources:
https://github.com/open-dingtalk/dingtalk-callback-Crypto and https://developer.work.weixin.qq.com/document/path/90968
"""

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

KEY_LENGTH: Final = 43
"""Characters of an encoding key: base64 of 32 bytes without its last sign."""
_PADDED_TO: Final = 32
_RANDOM: Final = 16
_BEFORE_THE_MESSAGE: Final = _RANDOM + 4


def signature(*parts: str) -> str:
    """The signature of a token, a timestamp, a nonce and what else is signed; in any order."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def is_signed(given: str, *parts: str) -> bool:
    """Whether ``given`` is the signature of the parts; compared in constant time."""
    return hmac.compare_digest(given.lower().encode("utf-8", "replace"), signature(*parts).encode())


def key_of(encoding_key: str) -> bytes | None:
    """The 32 bytes of an encoding key as the provider's console shows it, or None when it is none."""
    if len(encoding_key) != KEY_LENGTH:
        return None
    try:
        key = base64.b64decode(encoding_key + "=", validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == 32 else None


def seal(message: bytes, *, key: bytes, owner: str) -> str:
    """The message encrypted, in base64."""
    plain = randomness.token_bytes(_RANDOM) + len(message).to_bytes(4, "big") + message + owner.encode()
    padding = _PADDED_TO - len(plain) % _PADDED_TO
    encryptor = _cipher(key).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()


def unseal(ciphertext: str, *, key: bytes, owner: str) -> bytes | None:
    """The message; None when it is damaged, encrypted with another key or meant for another owner."""
    decryptor = _cipher(key).decryptor()
    try:
        plain = decryptor.update(base64.b64decode(ciphertext, validate=True)) + decryptor.finalize()
    except ValueError:
        return None
    padding = plain[-1] if plain else 0
    end = _BEFORE_THE_MESSAGE + int.from_bytes(plain[_RANDOM:_BEFORE_THE_MESSAGE], "big")
    if not 1 <= padding <= _PADDED_TO or plain[end : len(plain) - padding] != owner.encode():
        return None
    return plain[_BEFORE_THE_MESSAGE:end]


def _cipher(key: bytes) -> "Cipher[modes.CBC]":
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 - see below

    # 15 MB of library that only an encrypted callback needs: no other request waits for it
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
