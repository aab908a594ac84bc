"""SES: the verified identity, and a configuration set that reports what becomes of a mail to the default event bus."""

import re
from typing import Final

from aws_cdk import Stack, aws_events, aws_ses
from constructs import Construct

from waypost.channels.infra_contract import OUR_MESSAGE, ChannelInfra, Notices, Permission, chosen, refuse

_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def build(scope: Construct, *, name: str) -> ChannelInfra:
    """Context: ``email_sender`` is the From address, ``email_identity`` the domain or address that SES verifies.

    Raises InvalidInput for a sender that is no address.
    """
    sender = chosen(scope, "email_sender", "hello@waypost.example")
    if not _ADDRESS.fullmatch(sender):
        raise refuse("email_sender", f"must be an e-mail address, not {sender!r}")
    verified = chosen(scope, "email_identity", sender.rpartition("@")[2])
    identity = aws_ses.EmailIdentity(
        scope,
        "Identity",
        identity=aws_ses.Identity.email(verified) if "@" in verified else aws_ses.Identity.domain(verified),
    )
    configuration = aws_ses.ConfigurationSet(
        scope,
        "Configuration",
        configuration_set_name=name,
        reputation_metrics=True,
        suppression_reasons=aws_ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
    )
    configuration.add_event_destination(
        "Events",
        destination=aws_ses.EventDestination.event_bus(
            aws_events.EventBus.from_event_bus_name(scope, "DefaultBus", "default")
        ),
        events=[
            aws_ses.EmailSendingEvent.SEND,
            aws_ses.EmailSendingEvent.DELIVERY,
            aws_ses.EmailSendingEvent.BOUNCE,
            aws_ses.EmailSendingEvent.COMPLAINT,
            aws_ses.EmailSendingEvent.REJECT,
        ],
    )
    configuration_arn = Stack.of(scope).format_arn(
        service="ses", resource="configuration-set", resource_name=configuration.configuration_set_name
    )
    notices = Notices(
        name="Mail",
        description="SES says what became of a mail",
        pattern=aws_events.EventPattern(
            source=["aws.ses"],
            detail={"mail": {"tags": {"ses:configuration-set": [name], **OUR_MESSAGE}}},
        ),
    )
    return ChannelInfra(
        permissions=[Permission(actions=["ses:SendEmail"], on=[identity.email_identity_arn, configuration_arn])],
        settings={"sender": sender, "configuration_set": configuration.configuration_set_name},
        notices=[notices],
        outputs={"EmailIdentity": verified, "EmailConfigurationSet": configuration.configuration_set_name},
    )
