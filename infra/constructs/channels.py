"""The ways out: the mail identity with its events, and permission to send text messages."""

from aws_cdk import Stack, aws_events, aws_ses
from constructs import Construct

from infra.constructs.hop import Hop
from infra.constructs.undelivered import Undelivered
from infra.deployment import Deployment

_ANY_ORIGINATION = "No origination is chosen by ARN (context sms_origination), so AWS picks one of the account's"


class Channels(Construct):
    """The SES identity and configuration set; what SES says about a mail goes to the account's default event bus.

    ``settings`` are the environment of a function that sends.
    """

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, "Channels")
        identity = deployment.email_identity
        self._identity = aws_ses.EmailIdentity(
            self,
            "Identity",
            identity=aws_ses.Identity.email(identity) if "@" in identity else aws_ses.Identity.domain(identity),
        )
        self._configuration = aws_ses.ConfigurationSet(
            self,
            "Configuration",
            configuration_set_name=deployment.name,
            reputation_metrics=True,
            suppression_reasons=aws_ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
        )
        self._configuration.add_event_destination(
            "Events",
            destination=aws_ses.EventDestination.event_bus(
                aws_events.EventBus.from_event_bus_name(self, "DefaultBus", "default")
            ),
            events=[
                aws_ses.EmailSendingEvent.SEND,
                aws_ses.EmailSendingEvent.DELIVERY,
                aws_ses.EmailSendingEvent.BOUNCE,
                aws_ses.EmailSendingEvent.COMPLAINT,
                aws_ses.EmailSendingEvent.REJECT,
            ],
        )
        self.email_configuration_set = self._configuration.configuration_set_name
        self._sms_origination = deployment.sms_origination

        self.settings = {
            "email_sender": deployment.email_sender,
            "email_configuration_set": self.email_configuration_set,
            "sms_origination": deployment.sms_origination,
        }
        ours = {"message_key": [{"exists": True}]}
        self._mail_events = aws_events.EventPattern(
            source=["aws.ses"],
            detail={"mail": {"tags": {"ses:configuration-set": [deployment.name], **ours}}},
        )
        # AWS End User Messaging sends these to the default bus by itself
        self._text_message_events = aws_events.EventPattern(
            source=["aws.sms-voice"],
            detail_type=["Text Message Delivery Status Updated"],
            detail={"context": ours},
        )

    def usable_by(self, hop: Hop) -> None:
        """Let a hop send mail from the identity, and text messages."""
        stack = Stack.of(self)
        configuration_arn = stack.format_arn(
            service="ses", resource="configuration-set", resource_name=self.email_configuration_set
        )
        hop.allow("ses:SendEmail", on=[self._identity.email_identity_arn, configuration_arn])
        chosen = self._sms_origination if self._sms_origination.startswith("arn:") else ""
        hop.allow(
            "sms-voice:SendTextMessage",
            on=chosen or stack.format_arn(service="sms-voice", resource="*"),
            wildcard=_ANY_ORIGINATION,
        )

    def tell_notices_to(self, hop: Hop, *, undelivered: Undelivered) -> None:
        """Call the hop with what the providers say about a message."""
        for name, pattern, description in (
            ("Mail", self._mail_events, "SES says what became of a mail"),
            (
                "TextMessages",
                self._text_message_events,
                "AWS End User Messaging says what became of a text message",
            ),
        ):
            target = undelivered.rule_target(hop)
            aws_events.Rule(hop, name, description=description, event_pattern=pattern, targets=[target])
