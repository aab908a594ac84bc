"""The sender with what the stage publishes and sets. Used by the functions that send."""

from collections.abc import Callable, Mapping
from time import monotonic

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.deployed_staff import deployed_staff
from waypost.aws.links import unsubscribe_urls
from waypost.contacts.channels import rates_of
from waypost.content.catalogue import MessageCatalogue, PublishedCatalogue
from waypost.content.coupons import CouponVariables
from waypost.content.forbidden_words import load_forbidden_words
from waypost.content.products import ProductVariables
from waypost.defaults import load_defaults
from waypost.products.purchases import Purchases
from waypost.sending.occasion import StaffNotice
from waypost.sending.policy import load_sending_policy
from waypost.sending.send_message import PageUrls, SendMessage, Tracking


def sender_to_contacts(*, report: Callable[[str], None]) -> SendMessage:
    """The sender of messages to contacts, with all that these may show; ``report`` as for ``deployed_sender``."""
    from waypost.aws.links import page_urls, staff_links, tracked_links  # noqa: PLC0415 - only messages to contacts need them
    from waypost.aws.message_variables import coupons, products  # noqa: PLC0415

    settings = wiring.settings()
    return deployed_sender(
        report=report,
        products=products,
        purchases=wiring.history,
        coupons=coupons,
        tracking=tracked_links(settings),
        page_urls=page_urls(settings),
        staff_links=staff_links(settings),
    )


def sender_of_notices(*, report: Callable[[str], None]) -> SendMessage:
    """The sender of notices in the words of the deployment, with the links that they lead to; ``report`` as for ``deployed_sender``."""
    from waypost.aws.links import staff_links  # noqa: PLC0415 - only notices need them

    return deployed_sender(report=report, messages=PublishedCatalogue(), staff_links=staff_links(wiring.settings()))


def deployed_sender(
    *,
    report: Callable[[str], None],
    messages: MessageCatalogue | None = None,
    products: Callable[[], ProductVariables] | None = None,
    purchases: Callable[[], Purchases] | None = None,
    coupons: Callable[[], CouponVariables] | None = None,
    tracking: Tracking | None = None,
    page_urls: PageUrls | None = None,
    staff_links: Callable[[StaffNotice], Mapping[str, str]] | None = None,
) -> SendMessage:
    """The sender; ``messages`` is the message library unless given, ``report`` gets why a change of the policy could not be applied."""
    settings = wiring.settings()
    return assemble.send_message(
        wiring,
        messages=messages or assemble.message_catalogue(wiring, deployed=PublishedCatalogue(), age=monotonic),
        policy=load_sending_policy(),
        defaults=load_defaults(),
        unsubscribe_url=unsubscribe_urls(settings),
        rates=rates_of(settings.rates),
        report=report,
        products=products,
        purchases=purchases,
        coupons=coupons,
        tracking=tracking,
        page_urls=page_urls,
        staff=deployed_staff,
        words=load_forbidden_words,
        staff_links=staff_links,
    )
