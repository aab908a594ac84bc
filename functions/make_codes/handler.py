"""Make QR codes. Called by the operation make-codes, again until all are made."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.tracking.make_codes import MakeCodes
from waypost.tracking.scenes import load_scenes

logger = function_log("make_codes")


@cache
def make_codes() -> MakeCodes:
    """Wire MakeCodes to the bucket and the channels; once per process."""
    return assemble.make_codes(wiring, scenes=load_scenes, makers=wiring.code_maker)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make the next codes; the answer says whether all are made."""
    return make_codes().make(event, remaining=context.get_remaining_time_in_millis)
