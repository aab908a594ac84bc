"""The welcome to a customer who became a member's friend: WeCom gives a code for it, which is good once and for 20 seconds.

Source: https://developer.work.weixin.qq.com/document/path/92599
"""

from datetime import timedelta
from typing import Final

WITHIN: Final = timedelta(seconds=20)
"""Of the moment at which the friend was added."""
CODE: Final = "welcome_code"
UNTIL: Final = "welcome_until"
"""Properties of the event that is answered: the code, and when it ends in seconds since 1970 (templates read times as texts)."""
