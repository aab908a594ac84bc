"""Tell a parked journey how its pause ended. Used by whatever ends a pause, so that a crash in between can be made good."""

from waypost import ids
from waypost.clock import format_instant
from waypost.journeys.pause import Pause
from waypost.journeys.ports import PauseStore, Resumptions, TaskTokens


def schedule_name(pause: Pause) -> str:
    """The name of the schedule that ends a pause at its due time.

    A postponed pause gets a schedule of another name: the one that has just fired is about to delete itself.
    """
    return f"resume-{ids.digest(pause.pause_id, format_instant(pause.due_at), length=32)}"


def signal(pause: Pause, *, tokens: TaskTokens, pauses: PauseStore) -> None:
    """Pass the stored outcome of an ended pause to its task, then note that nothing is owed any more.

    In this order: a crash in between signals twice, which the token ignores, instead of never.
    """
    outcome = pause.outcome or {}
    if pause.status == "left":
        tokens.fail(pause.token, error=outcome["error"], cause=outcome["cause"])
    else:
        tokens.succeed(pause.token, outcome)
    pauses.mark_signalled(pause)


def cancel_schedule(pause: Pause, *, schedules: Resumptions) -> None:
    """Drop the schedule of a pause that ended early."""
    schedules.cancel(schedule_name(pause))
