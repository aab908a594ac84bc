"""Preview a segment: a small base at once, a large one in slices. Called by the operation preview-segment."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.audiences.preview_segment import PreviewSegment
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.defaults import load_defaults
from waypost.events.listening import load_listening
from waypost.segments.saved_segments import load_saved_segments

logger = function_log("preview_segment")


@cache
def preview_segment() -> PreviewSegment:
    """Wire PreviewSegment to its stores and settings; once per process."""
    return assemble.preview_segment(
        wiring,
        segments=load_saved_segments(),
        default_zone=load_defaults().time_zone,
        listening=load_listening(),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count, or say which slices to count."""
    return preview_segment().preview(event, remaining=context.get_remaining_time_in_millis)
