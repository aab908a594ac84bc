"""EventBridge's schedules and scheduled rules: who fires them. Applied by ``install``."""

from ministack.services import eventbridge, scheduler

from local.cloud.ministack_corrections.replacing import Function, replace


def correct() -> None:
    """Apply the corrections of this service."""
    _leave_schedules_to_the_harness()


def _leave_schedules_to_the_harness() -> None:
    """Schedules are due by the virtual clock, so MiniStack's own tickers, which read the real one, stay off."""

    def never(_: Function) -> Function:
        return lambda: None

    replace(scheduler, "start_scheduler", never)
    replace(eventbridge, "start_scheduler", never)
