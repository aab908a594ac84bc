"""Text messages: AWS End User Messaging, whose reports reach the default event bus by themselves, and Alibaba Cloud."""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from aws_cdk import Aws, Stack, aws_events, aws_iam, aws_sns
from constructs import Construct

from waypost.channels.infra_contract import OUR_MESSAGE, ChannelInfra, Notices, Permission, chosen, providers_of, refuse
from waypost.channels.sms.notices import IN_FLIGHT
from waypost.channels.sms.provider_end_user_messaging import is_pool

EVENTS_TOPIC: Final = "sms-events"
"""How the name of the topic ends."""
_YES_OR_NO: Final = ("yes", "no")
_ANY_ORIGINATION: Final = "No origination is chosen by ARN (context sms_origination), so AWS picks one of the account's"


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """Context: ``sms_provider`` is ``end_user_messaging``, ``aliyun``, or both with a comma: then the number's country decides.

    Raises InvalidInput for other providers.
    """
    del settled
    providers = providers_of("sms", scope.node.try_get_context)
    built = [_PROVIDERS[provider](scope, name) for provider in providers]
    return ChannelInfra(
        permissions=[permission for each in built for permission in each.permissions],
        settings={
            "provider": ",".join(providers),
            **{name: value for each in built for name, value in each.settings.items()},
        },
        notices=[notices for each in built for notices in each.notices],
        credentials=[name for each in built for name in each.credentials],
        replies=[topic for each in built for topic in each.replies],
        outputs={name: value for each in built for name, value in each.outputs.items()},
    )


def _by_aliyun(scope: Construct, name: str) -> ChannelInfra:
    """Alibaba Cloud: nothing of AWS but the secret with its key, and a random one for the address of its callbacks."""
    del scope, name
    return ChannelInfra(permissions=[], credentials=["access_key_id", "access_key_secret", "callback_key"])


def _by_end_user_messaging(scope: Construct, name: str) -> ChannelInfra:
    """Context: ``sms_origination`` is the ARN or id of a number, pool or sender id; empty lets AWS choose. ``sms_two_way`` is
    ``yes`` where a number takes replies: they go to a topic of this stage. ``sms_rcs_agent`` is the agent or pool that sends cards,
    ``sms_configuration_set`` the one whose event destination says what becomes of them.
    """
    two_way = chosen(scope, "sms_two_way", "no")
    if two_way not in _YES_OR_NO:
        raise refuse("sms_two_way", f"must be one of {', '.join(_YES_OR_NO)}, not {two_way!r}")
    origination, agent = chosen(scope, "sms_origination"), chosen(scope, "sms_rcs_agent")
    configuration_set = chosen(scope, "sms_configuration_set")
    if agent and not configuration_set:
        raise refuse("sms_configuration_set", "is missing: without it AWS reports nothing of what sms_rcs_agent sends")
    if agent and not is_pool(agent) and (not origination or is_pool(origination)):
        raise refuse(
            "sms_origination",
            "must be the number or sender id of the text messages that follow a card, or sms_rcs_agent a pool",
        )
    replies = _topic(scope, "Replies", "Replies to text messages") if two_way == "yes" else None
    events = _topic(scope, "Events", "RCS messages", name=f"{name}-{EVENTS_TOPIC}") if agent else None
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
            ),
            *([_sends_cards(agent, any_of_the_account)] if agent else []),
        ],
        settings={"origination": origination, "rcs_agent": agent, "configuration_set": configuration_set},
        notices=[notices],
        replies=[topic for topic in (replies, events) if topic],
        outputs={
            **({"SmsRepliesTopic": replies.topic_arn} if replies else {}),
            **({"SmsEventsTopic": events.topic_arn} if events else {}),
        },
    )


def _sends_cards(agent: str, any_of_the_account: str) -> Permission:
    """The text message that follows a card is sent by AWS, under the same right."""
    on = [agent if agent.startswith("arn:") else any_of_the_account]
    return Permission(actions=["sms-voice:SendRcsMessage"], on=on, wildcard=_ANY_ORIGINATION)


def _topic(scope: Construct, construct_id: str, shown: str, *, name: str | None = None) -> aws_sns.Topic:
    """A topic that an operator gives to a number as its two-way channel, or to a configuration set as its event destination.

    Source: https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-iam-policy-auto-response.html
    """
    topic = aws_sns.Topic(scope, construct_id, topic_name=name, display_name=shown, enforce_ssl=True)
    topic.add_to_resource_policy(
        aws_iam.PolicyStatement(
            principals=[aws_iam.ServicePrincipal("sms-voice.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    return topic


_PROVIDERS: Final[Mapping[str, Callable[[Construct, str], ChannelInfra]]] = {
    "end_user_messaging": _by_end_user_messaging,
    "aliyun": _by_aliyun,
}
