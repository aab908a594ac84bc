"""SNS mobile push: permission to register devices with the company's platform applications and to send to them.

CloudFormation has no platform applications: they hold the keys of Apple and Firebase, and are made once by hand.
"""

import re
from collections.abc import Collection
from typing import Final

from constructs import Construct

from waypost.channels.infra_contract import ChannelInfra, Permission, chosen, refuse
from waypost.channels.push.provider_sns import PLATFORMS

_APPLICATION: Final = {
    "ios": re.compile(r"arn:[\w-]+:sns:[\w-]+:[0-9]{12}:app/(APNS|APNS_SANDBOX)/[\w.-]+"),
    "android": re.compile(r"arn:[\w-]+:sns:[\w-]+:[0-9]{12}:app/GCM/[\w.-]+"),
}
_ENDPOINTS: Final = "The devices of one platform application; SNS names each endpoint by itself"


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """Context: ``push_application_ios`` and ``push_application_android`` are ARNs of platform applications; empty: none.

    Raises InvalidInput for an ARN of another kind.
    """
    del name, settled
    applications = {platform: chosen(scope, f"push_application_{platform}") for platform in PLATFORMS}
    for platform, arn in applications.items():
        if arn and not _APPLICATION[platform].fullmatch(arn):
            kind = "GCM" if platform == "android" else "APNS"
            reason = (
                f"must be the ARN of an SNS platform application, such as arn:aws:sns:…:app/{kind}/shop, not {arn!r}"
            )
            raise refuse(f"push_application_{platform}", reason)
    used = [arn for arn in applications.values() if arn]
    permissions = [
        Permission(actions=["sns:CreatePlatformEndpoint"], on=used),
        Permission(
            actions=["sns:Publish"],
            on=[f"{arn.replace(':app/', ':endpoint/', 1)}/*" for arn in used],
            wildcard=_ENDPOINTS,
        ),
    ]
    return ChannelInfra(
        permissions=permissions if used else [],
        settings={f"application_{platform}": arn for platform, arn in applications.items()},
    )
