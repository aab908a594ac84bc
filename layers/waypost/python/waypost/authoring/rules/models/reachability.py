"""address, suppressed, reachable: whether and why a message can go to a contact."""

from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator

from waypost.authoring.problems import Authored, is_expression, unknown
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.values import AnyChannel, Name, Names
from waypost.contacts.channels import declared_channels

_SUPPRESSION_REASONS: Final = sorted({reason for each in declared_channels().values() for reason in each.suppressions})


def _known_reasons(names: object) -> object:
    for name in names if isinstance(names, list) else [names]:
        if not is_expression(name) and name not in _SUPPRESSION_REASONS:
            raise ValueError(unknown(name, _SUPPRESSION_REASONS, "unknown reason"))
    return names


@model("suppressed")
class SuppressedRule(Authored):
    """No message may go to the contact on this channel (``any``: on at least one)."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "addresses",
            "suppressed",
            "messages on this channel are stopped, for whatever reason (`any`: on some channel)",
            "{ suppressed: sms }",
        ),
        Says(
            "addresses",
            "suppressed … reason",
            f"… for this reason: {', '.join(f'`{reason}`' for reason in _SUPPRESSION_REASONS)}",
            "{ suppressed: any, reason: invalid_number }",
        ),
    )

    suppressed: AnyChannel
    reason: Annotated[Names, AfterValidator(_known_reasons)] | None = None


@model("reachable")
class ReachableRule(Authored):
    """A marketing message could go to the contact: an address, consent, no suppression."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "addresses",
            "reachable",
            "has an address on the channel, agreed (to the topic) and is not suppressed (`any`: on some channel)",
            "{ reachable: email, topic: offers }",
            "Quiet hours and frequency caps are asked when a message is sent, not here.",
        ),
    )

    reachable: AnyChannel
    topic: Name | None = None


@model("address")
class AddressRule(Authored):
    """The contact has an address on a channel."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "addresses",
            "address",
            "has an address on this channel (`any`: on some channel)",
            "{ address: sms }",
            "By the attributes `email` and, for `sms`, `phone`.",
        ),
    )

    address: AnyChannel
