"""QR codes of an official account with a parameter, by which it is known where a follower comes from. Used by make_codes.

Source: https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode
"""

from typing import Final

LONGEST_SCENE: Final = 64
"""Characters of ``scene_str``."""
MOST_DAYS: Final = 30
"""How long a temporary code lives at most."""
MOST_PERMANENT: Final = 100_000
"""Permanent codes of an account."""
