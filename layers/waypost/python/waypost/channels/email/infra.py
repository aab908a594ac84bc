"""Mail: SES with its verified identity and a configuration set that reports what becomes of a mail, or a mail server by SMTP."""

from collections.abc import Collection, Mapping
from email.utils import formataddr
from typing import Any, Final

from aws_cdk import Annotations, Aws, Duration, Fn, RemovalPolicy, Stack, aws_cloudwatch, aws_events, aws_ses
from constructs import Construct

from waypost.channels.email.headers import from_field, is_address
from waypost.channels.email.submission import MailServer
from waypost.channels.infra_contract import (
    OUR_MESSAGE,
    ChannelInfra,
    Notices,
    Permission,
    Watched,
    chosen,
    providers_of,
    refuse,
)

_REPORTED: Final[Mapping[str, aws_ses.EmailSendingEvent]] = {
    "Send": aws_ses.EmailSendingEvent.SEND,
    "Delivery": aws_ses.EmailSendingEvent.DELIVERY,
    "Bounce": aws_ses.EmailSendingEvent.BOUNCE,
    "Complaint": aws_ses.EmailSendingEvent.COMPLAINT,
    "Reject": aws_ses.EmailSendingEvent.REJECT,
    "Rendering Failure": aws_ses.EmailSendingEvent.RENDERING_FAILURE,
}
"""What SES is asked to report, by its word for it."""

_OWNERS: Final = ("account", "stack")
_BULK: Final = ("on", "off")
_REVIEWED: Final[Mapping[str, tuple[str, float]]] = {
    "BounceRate": ("bounced", 0.05),
    "ComplaintRate": ("were complained about", 0.001),
}
"""From which share on SES reviews an account, by its metric. It pauses one from twice the bounces and five times the complaints on.
Source: https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html"""


def build(scope: Construct, *, name: str, settled: Collection[str], brands: Mapping[str, Any]) -> ChannelInfra:
    """Context: ``email_provider`` is ``ses`` or ``smtp``, ``email_sender`` the From address, with or without a name
    (``Acme <hello@acme.example>``), ``email_reply_to`` where answers go (several with commas).

    Raises InvalidInput for what is no address.
    """
    sender, address = _sender(chosen(scope, "email_sender", "hello@waypost.example"))
    reply_to = [each.strip() for each in chosen(scope, "email_reply_to").split(",") if each.strip()]
    for each in reply_to:
        if not is_address(each):
            raise refuse("email_reply_to", f"must be e-mail addresses, not {each!r}")
    [provider] = providers_of("email", scope.node.try_get_context)
    settings = {"provider": provider, "sender": sender, **({"reply_to": ",".join(reply_to)} if reply_to else {})}
    if provider == "smtp":
        return _by_smtp(scope, settings)
    return _by_ses(scope, settings, address, name=name, settled=settled, brands=brands)


def _by_smtp(scope: Construct, settings: Mapping[str, str]) -> ChannelInfra:
    """Context: ``email_smtp_server`` is the server (``smtps://host:465``, or ``smtp://host:587`` with STARTTLS).

    Raises InvalidInput for what is no server.
    """
    server = chosen(scope, "email_smtp_server")
    try:
        MailServer.of(server)
    except ValueError:
        reason = (
            "must be a mail server such as smtps://smtp.example.com:465, or smtp://smtp.example.com:587 with STARTTLS"
        )
        raise refuse("email_smtp_server", f"{reason}, not {server!r}") from None
    return ChannelInfra(permissions=[], settings={**settings, "server": server}, credentials=["username", "password"])


def _by_ses(
    scope: Construct,
    settings: Mapping[str, str],
    address: str,
    *,
    name: str,
    settled: Collection[str],
    brands: Mapping[str, Any],
) -> ChannelInfra:
    """SES does not report that it took a mail unless something listens: its answer showed so, and its next word settles what
    became of an answer that got lost.

    Context: ``email_bulk`` is ``off`` where several mails may not share a call; ``email_identity`` is the domain or address that SES verifies. It belongs to the account, whose other stages and
    senders use it too: a stack makes it only when ``email_identity_owner`` is ``stack``, and leaves it in place when it goes.
    """
    verified = chosen(scope, "email_identity", address.rpartition("@")[2])
    bulk = chosen(scope, "email_bulk", "on")
    if bulk not in _BULK:
        raise refuse("email_bulk", f"must be one of {', '.join(_BULK)}, not {bulk!r}")
    owner = chosen(scope, "email_identity_owner", "account")
    if owner not in _OWNERS:
        raise refuse("email_identity_owner", f"must be one of {', '.join(_OWNERS)}, not {owner!r}")
    of_brands = {brand: str(value["identity"]) for brand, value in brands.items()}
    identities = {verified: "", **{each: brand for brand, each in of_brands.items() if each != verified}}
    records: dict[str, str] = {}
    if owner == "stack":
        for identity, brand in identities.items():
            place = Construct(scope, titled(brand)) if brand else scope
            records |= {f"Email{titled(brand)}{record}": text for record, text in _identity(place, identity).items()}
    else:
        Annotations.of(scope).add_info(
            f"mail is sent as {', '.join(identities)}, which SES must have verified in this account and region; where it has not, "
            "-c email_identity_owner=stack has this stack do it"
        )
    reported = [word for word in _REPORTED if word != "Send" or "message_accepted" not in settled]
    bus = aws_events.EventBus.from_event_bus_name(scope, "DefaultBus", "default")
    sets = {brand: _configuration(scope, name, brand, bus, reported) for brand in ("", *brands)}
    tenants = [brand for brand, value in brands.items() if value.get("tenant")]
    for brand in tenants:
        _tenant(scope, brand, sets[brand], identity=of_brands[brand])
    names = {brand: f"{name}-{brand}" if brand else name for brand in sets}
    notices = Notices(
        name="Mail",
        description="SES says what became of a mail",
        pattern=aws_events.EventPattern(
            source=["aws.ses"],
            detail={
                "eventType": reported,
                "mail": {"tags": {"ses:configuration-set": [*names.values()], **OUR_MESSAGE}},
            },
        ),
    )
    return ChannelInfra(
        permissions=[
            Permission(
                actions=["ses:SendEmail", "ses:SendBulkEmail"],
                on=[
                    *(_arn(scope, "identity", each) for each in identities),
                    *(_arn(scope, "configuration-set", each.configuration_set_name) for each in sets.values()),
                ],
            )
        ],
        settings={
            **settings,
            "configuration_set": sets[""].configuration_set_name,
            **({"bulk": bulk} if bulk == "off" else {}),
        },
        notices=[notices],
        watched=[
            Watched(
                name=name,
                metric=aws_cloudwatch.Metric(
                    namespace="AWS/SES",
                    metric_name=f"Reputation.{name}",
                    period=Duration.hours(1),
                    statistic="Average",
                ),
                over=share,
                because=f"More than {share:.1%} of this account's mail {happened}: SES reviews such an account, and then pauses it",
            )
            for name, (happened, share) in _REVIEWED.items()
        ],
        outputs={
            "EmailIdentity": verified,
            **{f"EmailIdentity{titled(brand)}": identity for brand, identity in of_brands.items()},
            **{f"EmailConfigurationSet{titled(brand)}": each.configuration_set_name for brand, each in sets.items()},
            **{f"EmailTenant{titled(brand)}": names[brand] for brand in tenants},
            **records,
        },
    )


def titled(brand: str) -> str:
    """A brand in the name of an output: ``my-outlet`` is ``MyOutlet``."""
    return "".join(part.title() for part in brand.split("-"))


def _arn(scope: Construct, kind: str, name: str) -> str:
    return Stack.of(scope).format_arn(service="ses", resource=kind, resource_name=name)


def _configuration(
    scope: Construct, name: str, brand: str, bus: aws_events.IEventBus, reported: Collection[str]
) -> aws_ses.ConfigurationSet:
    """The configuration set of a brand, or with "" of the deployment's own mails: SES keeps the figures of each apart."""
    configuration = aws_ses.ConfigurationSet(
        scope,
        f"Configuration{titled(brand)}",
        configuration_set_name=f"{name}-{brand}" if brand else name,
        reputation_metrics=True,
        suppression_reasons=aws_ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
    )
    configuration.add_event_destination(
        "Events",
        destination=aws_ses.EventDestination.event_bus(bus),
        events=[_REPORTED[word] for word in reported],
    )
    return configuration


def _tenant(scope: Construct, brand: str, configuration: aws_ses.ConfigurationSet, *, identity: str) -> None:
    """A tenant of a brand, which SES judges and pauses by itself; it sends with what is associated with it alone.

    Source: https://docs.aws.amazon.com/ses/latest/dg/tenants.html
    """
    arns = [_arn(scope, "identity", identity), _arn(scope, "configuration-set", configuration.configuration_set_name)]
    tenant = aws_ses.CfnTenant(
        scope,
        f"Tenant{titled(brand)}",
        tenant_name=configuration.configuration_set_name,
        resource_associations=[aws_ses.CfnTenant.ResourceAssociationProperty(resource_arn=arn) for arn in arns],
    )
    tenant.node.add_dependency(configuration)


def _identity(scope: Construct, verified: str) -> Mapping[str, str]:
    """Have SES verify a domain or an address; the DNS records of a domain, each as a line of a zone file.

    A creation that is rolled back takes the identity with it, so that the next one can make it; nothing else does.
    Sources: https://docs.aws.amazon.com/ses/latest/dg/mail-from.html (the records of MAIL FROM),
    https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dmarc.html
    """
    is_address = "@" in verified
    mail_from = f"bounce.{verified}"
    identity = aws_ses.EmailIdentity(
        scope,
        "Identity",
        identity=aws_ses.Identity.email(verified) if is_address else aws_ses.Identity.domain(verified),
        mail_from_domain=None if is_address else mail_from,
    )
    identity.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    if is_address:
        return {}
    return {
        **{
            f"DnsDkim{number}": Fn.join("", [record.name, ". 300 IN CNAME ", record.value, "."])
            for number, record in enumerate(identity.dkim_records, start=1)
        },
        "DnsMailFromMx": f"{mail_from}. 300 IN MX 10 feedback-smtp.{Aws.REGION}.amazonses.com.",
        "DnsMailFromSpf": f'{mail_from}. 300 IN TXT "v=spf1 include:amazonses.com ~all"',
        "DnsDmarc": f'_dmarc.{verified}. 300 IN TXT "v=DMARC1; p=none;"',
    }


def _sender(text: str) -> tuple[str, str]:
    """The From field and its address. A name beyond ASCII becomes an encoded word, as SES asks (RFC 2047)."""
    try:
        name, address = from_field(text)
    except ValueError as error:
        raise refuse("email_sender", str(error)) from None
    return (formataddr((name, address)) if name else address), address
