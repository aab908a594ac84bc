"""What WeChat knows of a follower: the unionid, where the account is bound to an open platform. Used by sync_person.

Source: https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_userinfo
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from waypost.channels.contract import ProviderPorts
from waypost.channels.people_contract import NotAnswered, NotKnown, Person
from waypost.channels.wechat.accounts import Accounts, with_advice
from waypost.errors import RetryableError
from waypost.http.ports import NoAnswer, NotSent
from waypost.tencent.api import Replied

_PATH: Final = "/cgi-bin/user/info"
_NOBODY: Final = frozenset({40003, 43004, 46004})
"""The openid is wrong, or is of another account."""


@dataclass(frozen=True, slots=True)
class Followers:
    """People of the accounts of a deployment."""

    accounts: Accounts

    def read(self, address: str) -> Person | NotKnown | NotAnswered:
        """See People; of who unfollowed nothing is known."""
        account, _, openid = address.partition(":")
        if missing := self.accounts.missing(account):
            return NotKnown(missing)
        try:
            reply = self.accounts.api(account).get(_PATH, {"openid": openid, "lang": "zh_CN"})
        except RetryableError as error:  # of the secret or of the token's item
            return NotAnswered(str(error))
        match reply:
            case Replied(code=0, content=about):
                unionid = str(about.get("unionid") or "")
                return Person(identities={"unionid": unionid} if unionid else {})
            case Replied(code=code):
                return NotKnown(str(code)) if code in _NOBODY else NotAnswered(with_advice(reply))
            case NotSent(reason=reason) | NoAnswer(reason=reason):
                return NotAnswered(reason)
            case _:
                assert_never(reply)


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> Followers:
    """The followers, from the settings of its Accounts."""
    return Followers(Accounts.connect(settings, ports))
