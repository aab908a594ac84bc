"""SES: the verified identity, and a configuration set that reports what becomes of a mail to the default event bus."""

import re
from collections.abc import Collection, Mapping
from email.utils import formataddr
from typing import Final

from aws_cdk import Stack, aws_events, aws_ses
from constructs import Construct

from waypost.channels.infra_contract import OUR_MESSAGE, ChannelInfra, Notices, Permission, chosen, refuse

_ADDRESS: Final = re.compile(r"[^@\s<>,]+@[^@\s<>,]+\.[^@\s<>,]+")
_SENDER: Final = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")

_REPORTED: Final[Mapping[str, aws_ses.EmailSendingEvent]] = {
    "Send": aws_ses.EmailSendingEvent.SEND,
    "Delivery": aws_ses.EmailSendingEvent.DELIVERY,
    "Bounce": aws_ses.EmailSendingEvent.BOUNCE,
    "Complaint": aws_ses.EmailSendingEvent.COMPLAINT,
    "Reject": aws_ses.EmailSendingEvent.REJECT,
    "Rendering Failure": aws_ses.EmailSendingEvent.RENDERING_FAILURE,
}
"""What SES is asked to report, by its word for it."""


def build(scope: Construct, *, name: str, settled: Collection[str]) -> ChannelInfra:
    """SES does not report that it took a mail unless something listens: its answer showed so, and its next word settles what
    became of an answer that got lost.

    Context: ``email_sender`` is the From address, with or without a name (``Acme <hello@acme.example>``), ``email_reply_to``
    where answers go (several with commas), ``email_identity`` the domain or address that SES verifies.

    Raises InvalidInput for what is no address.
    """
    sender, address = _sender(chosen(scope, "email_sender", "hello@waypost.example"))
    reply_to = [each.strip() for each in chosen(scope, "email_reply_to").split(",") if each.strip()]
    for each in reply_to:
        if not _ADDRESS.fullmatch(each):
            raise refuse("email_reply_to", f"must be e-mail addresses, not {each!r}")
    verified = chosen(scope, "email_identity", address.rpartition("@")[2])
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
    reported = [word for word in _REPORTED if word != "Send" or "message_accepted" not in settled]
    configuration.add_event_destination(
        "Events",
        destination=aws_ses.EventDestination.event_bus(
            aws_events.EventBus.from_event_bus_name(scope, "DefaultBus", "default")
        ),
        events=[_REPORTED[word] for word in reported],
    )
    configuration_arn = Stack.of(scope).format_arn(
        service="ses", resource="configuration-set", resource_name=configuration.configuration_set_name
    )
    notices = Notices(
        name="Mail",
        description="SES says what became of a mail",
        pattern=aws_events.EventPattern(
            source=["aws.ses"],
            detail={"eventType": reported, "mail": {"tags": {"ses:configuration-set": [name], **OUR_MESSAGE}}},
        ),
    )
    return ChannelInfra(
        permissions=[Permission(actions=["ses:SendEmail"], on=[identity.email_identity_arn, configuration_arn])],
        settings={
            "sender": sender,
            "configuration_set": configuration.configuration_set_name,
            **({"reply_to": ",".join(reply_to)} if reply_to else {}),
        },
        notices=[notices],
        outputs={"EmailIdentity": verified, "EmailConfigurationSet": configuration.configuration_set_name},
    )


def _sender(text: str) -> tuple[str, str]:
    """The From field and its address. A name beyond ASCII becomes an encoded word, as SES asks (RFC 2047)."""
    found = _SENDER.fullmatch(text.strip())
    name, address = (found["name"] or "", found["address"]) if found else ("", text.strip())
    if not _ADDRESS.fullmatch(address) or re.search(r"[\x00-\x1f\x7f]", name):
        raise refuse("email_sender", f"must be an e-mail address, with or without a name before it in <>, not {text!r}")
    name = name.strip().strip('"').strip()
    return (formataddr((name, address)) if name else address), address
