"""AWS End User Messaging: permission to send, and its reports, which reach the default event bus by themselves."""

from collections.abc import Collection
from typing import Final

from aws_cdk import Stack, aws_events
from constructs import Construct

from waypost.channels.infra_contract import OUR_MESSAGE, ChannelInfra, Notices, Permission, chosen
from waypost.channels.sms.notices import IN_FLIGHT

_ANY_ORIGINATION: Final = "No origination is chosen by ARN (context sms_origination), so AWS picks one of the account's"


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """Context: ``sms_origination`` is the ARN or id of a number, pool or sender id; empty lets AWS choose."""
    del name, settled
    origination = chosen(scope, "sms_origination")
    any_of_the_account = Stack.of(scope).format_arn(service="sms-voice", resource="*")
    notices = Notices(
        name="TextMessages",
        description="AWS End User Messaging says what became of a text message",
        # all but what is known to be of no interest: a word that AWS adds later must not stay unseen
        pattern=aws_events.EventPattern(
            source=["aws.sms-voice"],
            detail_type=["Text Message Delivery Status Updated"],
            detail={"eventType": [{"anything-but": sorted(IN_FLIGHT)}], "context": OUR_MESSAGE},
        ),
    )
    return ChannelInfra(
        permissions=[
            Permission(
                actions=["sms-voice:SendTextMessage"],
                on=[origination if origination.startswith("arn:") else any_of_the_account],
                wildcard=_ANY_ORIGINATION,
            )
        ],
        settings={"origination": origination},
        notices=[notices],
    )
