"""Import the rows of one part of a file. Called by the operation import-contacts, for many parts at once."""

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
from waypost.importing.part import PartImporter

logger = Logger(service="import_part")


@cache
def importer() -> PartImporter:
    """The importer of parts, wired."""
    return PartImporter(
        files=wiring.files(),
        contacts=wiring.bulk_contacts(),
        history=wiring.history(),
        clock=clock(),
        queue=SqsEventQueue(client("sqs"), wiring.settings().events_queue_url),
        identity_rules=load_identity_rules(),
        wait=time.sleep,
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Import the part; one that is done is not done again."""
    answer = importer().import_part(event)
    logger.info("part imported", extra={"run": event["run"], "part": event["part"], **answer})
    return answer
