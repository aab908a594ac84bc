"""Send a message to a member of staff as a contact would get it. Called by the operation send-test."""

from functools import cache
from time import monotonic
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.aws.links import unsubscribe_urls
from waypost.contacts.channels import rates_of
from waypost.content.catalogue import PublishedCatalogue
from waypost.content.coupons import CouponVariables
from waypost.content.forbidden_words import load_forbidden_words
from waypost.content.products import ProductVariables, load_catalogue
from waypost.coupons.pool import load_pools
from waypost.defaults import load_defaults
from waypost.sending.policy import load_sending_policy
from waypost.sending.send_message import SendMessage
from waypost.sending.send_test import SendTest
from waypost.staff.directory import load_directory

logger = function_log("send_test")


@cache
def send_test() -> SendTest:
    """Wire SendTest to the sender, the contacts and the staff; once per process."""
    return assemble.send_test(wiring, sender=sender(), staff=load_directory())


@cache
def sender() -> SendMessage:
    """The sender that contacts are served by."""
    return assemble.send_message(
        wiring,
        messages=assemble.message_catalogue(wiring, deployed=PublishedCatalogue(), age=monotonic),
        policy=load_sending_policy(),
        defaults=load_defaults(),
        unsubscribe_url=unsubscribe_urls(wiring.settings()),
        rates=rates_of(wiring.settings().rates),
        report=report_policy,
        products=products,
        coupons=coupons,
        staff=load_directory,
        words=load_forbidden_words,
    )


def report_policy(problem: str) -> None:
    """Say that a change of the policy could not be applied: the last good one stays in force."""
    logger.error("policy not applied", extra={"problem": problem})


@cache
def products() -> ProductVariables:
    """The catalogue and what was bought before, for messages that ask for products."""
    return ProductVariables(catalogue=load_catalogue(), purchases=wiring.history())


@cache
def coupons() -> CouponVariables:
    """The contacts' coupons and their pools, for messages that speak of one."""
    return CouponVariables(store=wiring.coupons(), pools=load_pools())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send the test; the answer is the outcome and its reason."""
    return send_test().send(event)
