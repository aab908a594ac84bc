"""Preview a segment: a small base at once, a large one in slices. Called by the operation preview-segment."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import audiences
from waypost.segments.previewing import SegmentPreviewer

logger = Logger(service="preview_segment")


@cache
def previewer() -> SegmentPreviewer:
    """The previewer, wired."""
    return SegmentPreviewer(planner=audiences.planner(), reader=audiences.reader(), gatherer=audiences.gatherer())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count, or say which slices to count."""
    return previewer().preview(event, remaining=context.get_remaining_time_in_millis)
