"""Send one message to one contact. Called by Send tasks and by deferred schedules."""

from functools import cache
from time import monotonic
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.aws.links import approval_urls, page_urls, tracked_links, unsubscribe_urls
from waypost.contacts.channels import rates_of
from waypost.content.catalogue import PublishedCatalogue
from waypost.content.coupons import CouponVariables
from waypost.content.forbidden_words import load_forbidden_words
from waypost.content.products import ProductVariables, load_catalogue
from waypost.coupons.pool import load_pools
from waypost.defaults import load_defaults
from waypost.sending.policy import load_sending_policy
from waypost.sending.request import SendRequest
from waypost.sending.send_message import SendMessage
from waypost.staff.directory import load_directory

logger = function_log("send_message")
metrics = Metrics(service="send_message")


@cache
def send_message() -> SendMessage:
    """Wire SendMessage to its stores and settings; once per process."""
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
        tracking=tracked_links(wiring.settings()),
        page_urls=page_urls(wiring.settings()),
        staff=load_directory,
        words=load_forbidden_words,
        approval_url=approval_urls(wiring.settings()),
    )


def report_policy(problem: str) -> None:
    """Say that a change of the policy could not be applied: the last good one stays in force."""
    metrics.add_metric(name="PolicyNotApplied", unit=MetricUnit.Count, value=1)
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
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send the message; the answer is the outcome and its reason."""
    result = send_message().send(SendRequest.from_payload(event))
    metrics.add_metric(name=f"Messages{result.outcome.title()}", unit=MetricUnit.Count, value=1)
    if result.account_refused:
        metrics.add_metric(name="AccountRefusals", unit=MetricUnit.Count, value=1)
    if result.outcome != "sent":  # the ledger says so
        logger.info("message decided", extra=result.to_dict())
    return result.to_dict()
