"""QR codes of an official account with a parameter, by which it is known where a follower comes from. Used by make_codes.

Source: https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, assert_never
from urllib.parse import quote

from waypost.channels.code_contract import FormerCode, MadeCode, NoCode
from waypost.channels.contract import ProviderPorts
from waypost.channels.wechat.accounts import LATER, Accounts, with_advice
from waypost.clock import Clock
from waypost.errors import RetryableError
from waypost.http.ports import NoAnswer, NotSent
from waypost.tencent.api import Replied

LONGEST_SCENE: Final = 64
"""Characters of ``scene_str``."""
MOST_DAYS: Final = 30
"""How long a temporary code lives at most."""
MOST_PERMANENT: Final = 100_000
"""Permanent codes of an account."""
_PATH: Final = "/cgi-bin/qrcode/create"
_PICTURE: Final = "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket="


@dataclass(frozen=True, slots=True)
class QrCodes:
    """A CodeMaker: permanent codes, or for ``days`` temporary ones, of which an account may make many more."""

    accounts: Accounts
    clock: Clock

    def make(self, scene: str, given: Mapping[str, Any], former: FormerCode | None = None) -> MadeCode | NoCode:
        """See CodeMaker. A code cannot be changed."""
        del former
        account, days = str(given["account"]), given.get("days")
        if missing := self.accounts.missing(account):
            return NoCode(missing)
        lasting = timedelta(days=days) if days else None
        content: dict[str, Any] = {
            "action_name": "QR_STR_SCENE" if lasting else "QR_LIMIT_STR_SCENE",
            "action_info": {"scene": {"scene_str": scene}},
            **({"expire_seconds": int(lasting.total_seconds())} if lasting else {}),
        }
        now = self.clock()
        try:
            reply = self.accounts.api(account).post(_PATH, content, request_id=scene)
        except RetryableError as error:
            return NoCode(str(error), later=True)
        match reply:
            case Replied(code=0, content=made) if made.get("ticket") and made.get("url"):
                picture = f"{_PICTURE}{quote(str(made['ticket']), safe='')}"
                return MadeCode(str(made["url"]), picture, now + lasting if lasting else None)
            case Replied():
                return NoCode(with_advice(reply), later=reply.code in LATER)
            case NotSent(reason=reason) | NoAnswer(reason=reason):
                return NoCode(reason, later=True)
            case _:
                assert_never(reply)


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> QrCodes:
    """What makes the codes, from the settings of its Accounts."""
    return QrCodes(Accounts.connect(settings, ports), ports.clock)
