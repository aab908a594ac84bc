"""The log of a function: one line of JSON a record, without what is the same on every line. Used by every handler."""

import json
import os
from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

CONSTANT: Final = frozenset({"service", "location", "function_name", "function_memory_size", "function_arn"})
"""The log group names the function, its version of the code says the rest."""


def lean_line(record: Mapping[str, Any]) -> str:
    """A line of a log that is billed by the byte.

    ``cold_start`` stands only in the first invocation of a process, ``xray_trace_id`` only where the trace is recorded.
    ``function_request_id`` stays: it finds the lines of the platform about the same invocation.
    """
    left_out = set(CONSTANT)
    if not record.get("cold_start"):
        left_out.add("cold_start")
    if "Sampled=1" not in os.environ.get("_X_AMZN_TRACE_ID", ""):
        left_out.add("xray_trace_id")
    kept = {name: value for name, value in record.items() if name not in left_out}
    return json.dumps(kept, default=str, separators=(",", ":"), ensure_ascii=False)


def function_log(function: str) -> Logger:
    """The log of the function of this folder."""
    formatter = LambdaPowertoolsFormatter(
        json_serializer=lean_line,
        log_record_order=["level", "message", "timestamp"],
        use_rfc3339=True,
        utc=True,
    )
    return Logger(service=function, logger_formatter=formatter)
