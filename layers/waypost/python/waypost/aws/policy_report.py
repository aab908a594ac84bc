"""What a function does when a change of the sending policy cannot be applied. Used by the functions that judge by the policy."""

from collections.abc import Callable

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit


def policy_report(logger: Logger, metrics: Metrics | None = None) -> Callable[[str], None]:
    """Report that the last good policy stays in force: in the log with the reason and, where the function counts, in ``PolicyNotApplied``."""

    def report(problem: str) -> None:
        if metrics is not None:
            metrics.add_metric(name="PolicyNotApplied", unit=MetricUnit.Count, value=1)
        logger.error("policy not applied", extra={"problem": problem})

    return report
