"""Compare the rows of an import that are about the same persons. Called by the operation import-contacts."""

import time
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.queue import SqsEventQueue
from waypost.clock import clock
from waypost.contacts.identity_rules import load_identity_rules
from waypost.importing.reconciling import ImportReconciler

logger = Logger(service="reconcile_import")


@cache
def reconciler() -> ImportReconciler:
    """The reconciler, wired."""
    return ImportReconciler(
        files=wiring.files(),
        contacts=wiring.contacts(),
        history=wiring.history(),
        clock=clock(),
        queue=SqsEventQueue(client("sqs"), wiring.settings().events_queue_url),
        identity_rules=load_identity_rules(),
        wait=time.sleep,
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compare the rows of one bucket of persons; a bucket that is done is not done again."""
    answer = reconciler().reconcile(event)
    logger.info("rows compared", extra={"run": event["run"], "bucket": event["bucket"], **answer})
    return answer
