"""Compare the rows of an import that are about the same persons. Called by the operation import-contacts."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.importing.reconciling import ImportReconciler

logger = Logger(service="reconcile_import")


@cache
def reconciler() -> ImportReconciler:
    """The reconciler, wired."""
    return ImportReconciler(files=wiring.files(), importer=wiring.importer())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compare the rows of one bucket of persons; a bucket that is done is not done again."""
    answer = reconciler().reconcile(event)
    logger.info("rows compared", extra={"run": event["run"], "bucket": event["bucket"], **answer})
    return answer
