"""Keep, review, bring back or retire a version of a message. Called by the operation publish-message."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.approvals.publish_message import PublishMessage
from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.deployed_sender import sender_of_notices
from waypost.aws.deployed_staff import deployed_staff
from waypost.aws.function_log import function_log
from waypost.aws.policy_report import policy_report
from waypost.content.catalogue import PublishedCatalogue
from waypost.content.forbidden_words import load_forbidden_words
from waypost.defaults import load_defaults

logger = function_log("publish_message")


@cache
def publish_message() -> PublishMessage:
    """Wire PublishMessage to the library, the staff and the sender of notices; once per process."""
    return assemble.publish_message(
        wiring,
        messages=PublishedCatalogue(),
        sender=sender_of_notices(report=policy_report(logger)),
        staff=deployed_staff,
        words=load_forbidden_words,
        defaults=load_defaults(),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what is asked for; the answer says what is known of the message's versions."""
    return publish_message().act(event)
