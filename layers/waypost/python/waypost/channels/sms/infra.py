"""Text messages: AWS End User Messaging, whose reports reach the default event bus by themselves, and Alibaba Cloud."""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from aws_cdk import Aws, Stack, aws_events, aws_iam, aws_sns
from constructs import Construct

from waypost.channels.infra_contract import OUR_MESSAGE, ChannelInfra, Notices, Permission, chosen, providers_of, refuse
from waypost.channels.sms.notices import IN_FLIGHT

_YES_OR_NO: Final = ("yes", "no")
_ANY_ORIGINATION: Final = "No origination is chosen by ARN (context sms_origination), so AWS picks one of the account's"


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """Context: ``sms_provider`` is ``end_user_messaging``, ``aliyun``, or both with a comma: then the number's country decides.

    Raises InvalidInput for other providers.
    """
    del name, settled
    providers = providers_of("sms", scope.node.try_get_context)
    built = [_PROVIDERS[provider](scope) for provider in providers]
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


def _by_aliyun(scope: Construct) -> ChannelInfra:
    """Alibaba Cloud: nothing of AWS but the secret with its key, and a random one for the address of its callbacks."""
    del scope
    return ChannelInfra(permissions=[], credentials=["access_key_id", "access_key_secret", "callback_key"])


def _by_end_user_messaging(scope: Construct) -> ChannelInfra:
    """Context: ``sms_origination`` is the ARN or id of a number, pool or sender id; empty lets AWS choose. ``sms_two_way`` is
    ``yes`` where a number takes replies: they go to a topic of this stage.
    """
    two_way = chosen(scope, "sms_two_way", "no")
    if two_way not in _YES_OR_NO:
        raise refuse("sms_two_way", f"must be one of {', '.join(_YES_OR_NO)}, not {two_way!r}")
    topics = [_replies(scope)] if two_way == "yes" else []
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
        replies=topics,
        outputs={"SmsRepliesTopic": topics[0].topic_arn} if topics else {},
    )


def _replies(scope: Construct) -> aws_sns.Topic:
    """The topic that an operator gives to a number as its two-way channel.

    Source: https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-iam-policy-auto-response.html
    """
    topic = aws_sns.Topic(scope, "Replies", display_name="Replies to text messages", enforce_ssl=True)
    topic.add_to_resource_policy(
        aws_iam.PolicyStatement(
            principals=[aws_iam.ServicePrincipal("sms-voice.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    return topic


_PROVIDERS: Final[Mapping[str, Callable[[Construct], ChannelInfra]]] = {
    "end_user_messaging": _by_end_user_messaging,
    "aliyun": _by_aliyun,
}
