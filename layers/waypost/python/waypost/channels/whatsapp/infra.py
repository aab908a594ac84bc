"""WhatsApp: permission to send from one number, and the topic to which AWS publishes what Meta says of it.

CloudFormation has no WhatsApp accounts: they are linked once, with Meta's own sign-up in the console.
"""

import re
from collections.abc import Collection
from typing import Final

from aws_cdk import ArnFormat, Aws, Stack, aws_iam, aws_sns
from constructs import Construct

from waypost.channels.infra_contract import ChannelInfra, Permission, chosen, refuse
from waypost.channels.whatsapp.provider_social_messaging import API_VERSION

TOPIC: Final = "whatsapp"
"""How the topic's name ends."""
_ID: Final = re.compile(r"phone-number-id-([0-9a-zA-Z]+)")
_ARN: Final = re.compile(r"arn:[\w-]+:social-messaging:[\w-]+:[0-9]{12}:phone-number-id/[0-9a-zA-Z]+")
_VERSION: Final = re.compile(r"v[0-9]{1,3}\.[0-9]{1,2}")


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """Context: ``whatsapp_number`` is the id or ARN of the number that sends (empty: none), ``whatsapp_api_version`` Meta's version.

    Raises InvalidInput for another form.
    """
    del settled
    number, version = chosen(scope, "whatsapp_number"), chosen(scope, "whatsapp_api_version", API_VERSION)
    if not _VERSION.fullmatch(version):
        raise refuse("whatsapp_api_version", f"must be a version such as {API_VERSION}, not {version!r}")
    if not number:
        return ChannelInfra(permissions=[], settings={"number": "", "api_version": version})
    topic = _events(scope, f"{name}-{TOPIC}")
    return ChannelInfra(
        permissions=[Permission(actions=["social-messaging:SendWhatsAppMessage"], on=[_arn_of(scope, number)])],
        settings={"number": number, "api_version": version},
        replies=[topic],
        outputs={"WhatsAppEventsTopic": topic.topic_arn},
    )


def _arn_of(scope: Construct, number: str) -> str:
    if _ARN.fullmatch(number):
        return number
    if not (found := _ID.fullmatch(number)):
        raise refuse("whatsapp_number", f"must be an id such as phone-number-id-0123… or its ARN, not {number!r}")
    return Stack.of(scope).format_arn(
        service="social-messaging",
        resource="phone-number-id",
        resource_name=found[1],
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )


def _events(scope: Construct, name: str) -> aws_sns.Topic:
    """The topic that an operator makes the event destination of the WhatsApp account.

    Source: https://docs.aws.amazon.com/social-messaging/latest/userguide/managing-event-destinations-add.html
    """
    topic = aws_sns.Topic(scope, "Events", topic_name=name, display_name="WhatsApp messages", enforce_ssl=True)
    topic.add_to_resource_policy(
        aws_iam.PolicyStatement(
            principals=[aws_iam.ServicePrincipal("social-messaging.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    return topic
