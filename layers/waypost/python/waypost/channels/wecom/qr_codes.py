"""Contact ways (联系我): codes by which a customer adds a member, with a parameter by which it is known where they come from.

Used by make_codes. Source: https://developer.work.weixin.qq.com/document/path/92228
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from waypost.channels.code_contract import FormerCode, MadeCode, NoCode
from waypost.channels.contract import ProviderPorts
from waypost.channels.wecom.provider_qyapi import LATER, NO_APP, QUOTA, api_of, with_advice
from waypost.errors import RetryableError
from waypost.http.ports import NoAnswer, NotSent
from waypost.tencent.api import Api, Replied

LONGEST_STATE: Final = 30
"""Characters of ``state``, and of ``remark``."""
MOST_MEMBERS: Final = 100
"""Members of a contact way."""
_ADD: Final = "/cgi-bin/externalcontact/add_contact_way"
_UPDATE: Final = "/cgi-bin/externalcontact/update_contact_way"
_ONE_MEMBER: Final = 1
_SEVERAL: Final = 2
_BY_CODE: Final = 2


@dataclass(frozen=True, slots=True)
class ContactWays:
    """A CodeMaker: ``given`` has ``members``, their userids, and ``confirm``, whether they confirm who adds them.

    ``missing`` is why nothing can be called. A company has 500,000 contact ways, which its console does not show.
    """

    api: Api = field(repr=False)
    missing: str = ""

    def make(self, scene: str, given: Mapping[str, Any], former: FormerCode | None = None) -> MadeCode | NoCode:
        """See CodeMaker. Other members are put into the former code, unless it becomes one for several members."""
        if self.missing:
            return NoCode(self.missing)
        changing = former if former is not None and _type(former.given) == _type(given) else None
        content = {"remark": scene, "skip_verify": not given["confirm"], "state": scene, "user": list(given["members"])}
        about = {"config_id": changing.provider_id} if changing else {"type": _type(given), "scene": _BY_CODE}
        try:
            reply = self.api.post(_UPDATE if changing else _ADD, {**about, **content}, request_id=scene)
        except RetryableError as error:  # of the secret or of the token's item
            return NoCode(str(error), later=True)
        match reply:
            case Replied(code=0) if changing:
                return MadeCode("", changing.picture, provider_id=changing.provider_id)
            case Replied(code=0, content=made) if made.get("config_id") and made.get("qr_code"):
                return MadeCode("", str(made["qr_code"]), provider_id=str(made["config_id"]))
            case Replied():
                return NoCode(with_advice(reply), later=reply.code in LATER or reply.code == QUOTA)
            case NotSent(reason=reason) | NoAnswer(reason=reason):
                return NoCode(reason, later=True)
            case _:
                assert_never(reply)


def _type(given: Mapping[str, Any]) -> int:
    return _ONE_MEMBER if len(given["members"]) == 1 else _SEVERAL


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> ContactWays:
    """What makes the codes, from the settings of the provider."""
    missing = "" if settings.get("corp") and settings.get("agent", "").isdigit() else NO_APP
    return ContactWays(api_of(settings, ports), missing)
