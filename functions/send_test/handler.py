"""Send a message to a member of staff as a contact would get it. Called by the operation send-test."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.deployed_sender import deployed_sender
from waypost.aws.deployed_staff import deployed_staff
from waypost.aws.function_log import function_log
from waypost.aws.message_variables import coupons, products
from waypost.aws.policy_report import policy_report
from waypost.sending.send_message import SendMessage
from waypost.sending.send_test import SendTest

logger = function_log("send_test")


@cache
def send_test() -> SendTest:
    """Wire SendTest to the sender, the contacts and the staff; once per process."""
    return assemble.send_test(
        wiring,
        sender=sender(),
        staff=deployed_staff,
    )


@cache
def sender() -> SendMessage:
    """The sender that contacts are served by."""
    return deployed_sender(report=policy_report(logger), products=products, coupons=coupons)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send the test; the answer is the outcome and its reason."""
    return send_test().send(event)
