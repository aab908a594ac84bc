"""WeCom: the company and the app that messages go out of, and the name of its secret."""

import re
from collections.abc import Collection
from typing import Final

from constructs import Construct

from waypost.channels.infra_contract import ChannelInfra, chosen, refuse

_CORP: Final = re.compile(r"w[wx][A-Za-z0-9]{1,62}")
_AGENT: Final = re.compile(r"[0-9]{1,12}")


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """Context: ``wecom_corp`` is the company's id, ``wecom_agent`` the id of its own app; both empty: no WeCom.

    Raises InvalidInput for what is neither.
    """
    del name, settled
    corp, agent = chosen(scope, "wecom_corp").strip(), chosen(scope, "wecom_agent").strip()
    if corp and not _CORP.fullmatch(corp):
        raise refuse("wecom_corp", f"must be a company's id such as ww8f0a1b2c3d4e5f6a, not {corp!r}")
    if bool(corp) != bool(_AGENT.fullmatch(agent)) or (agent and not corp):
        raise refuse(
            "wecom_agent", f"must be the id of an app such as 1000002, with wecom_corp beside it, not {agent!r}"
        )
    return ChannelInfra(
        permissions=[],
        settings={"corp": corp, "agent": agent},
        credentials=["secret", "callback_token", "encoding_key"] if corp else [],
    )
