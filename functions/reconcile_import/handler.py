"""Compare the rows of an import that are about the same persons. Called by the operation import-contacts."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.contacts.identity.rules import load_identity_rules
from waypost.importing.reconcile_import import ReconcileImport

logger = function_log("reconcile_import")


@cache
def reconcile_import() -> ReconcileImport:
    """Wire ReconcileImport to its stores and settings; once per process."""
    return assemble.reconcile_import(wiring, identity_rules=load_identity_rules())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compare the rows of one bucket of persons; a bucket that is done is not done again."""
    answer = reconcile_import().reconcile(event)
    logger.info("rows compared", extra={"run": event["run"], "bucket": event["bucket"], **answer})
    return answer
