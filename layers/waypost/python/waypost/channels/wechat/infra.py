"""WeChat: the accounts that messages go out of, and the names of their secrets."""

import re
from collections.abc import Collection
from typing import Final

from constructs import Construct

from waypost.channels.infra_contract import ChannelInfra, chosen, refuse

_APP_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """Context: ``wechat_accounts`` are the app ids of official accounts and mini programs, with commas; empty: none.

    Raises InvalidInput for what is no app id.
    """
    del name, settled
    accounts = [each for part in chosen(scope, "wechat_accounts").split(",") if (each := part.strip())]
    for account in accounts:
        if not _APP_ID.fullmatch(account):
            raise refuse(
                "wechat_accounts", f"must be app ids such as wx8f0a1b2c3d4e5f6a with commas between, not {account!r}"
            )
    return ChannelInfra(
        permissions=[],
        settings={"accounts": ",".join(accounts)},
        credentials=[f"{account}.{part}" for account in accounts for part in ("secret", "encoding_key", "token")],
    )
