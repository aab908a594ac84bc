"""The log of a function: one line of JSON a record, without what is the same on every line. Used by every handler."""

import os
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

CONSTANT: Final = ("service", "location", "function_name", "function_memory_size", "function_arn")
"""The log group names the function, its version of the code says the rest."""


class LeanFormatter(LambdaPowertoolsFormatter):
    """Powertools' formatter for log lines that are billed by the byte.

    ``cold_start`` stands only in the first invocation of a process, ``xray_trace_id`` only where the trace is recorded.
    """

    def __init__(self) -> None:
        super().__init__(log_record_order=["level", "message", "timestamp"], use_rfc3339=True, utc=True)

    def serialize(self, log: Any) -> str:
        """The line. ``function_request_id`` stays: it finds the lines of the platform about the same invocation."""
        left_out = {*CONSTANT, *(() if log.get("cold_start") else ("cold_start",))}
        if "Sampled=1" not in os.environ.get("_X_AMZN_TRACE_ID", ""):
            left_out.add("xray_trace_id")
        return str(super().serialize({name: value for name, value in log.items() if name not in left_out}))


def function_log(function: str) -> Logger:
    """The log of the function of this folder."""
    return Logger(service=function, logger_formatter=LeanFormatter())
