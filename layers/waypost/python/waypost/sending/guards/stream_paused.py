"""Keeps the messages of a stream that was stopped, so that its sender's name is not lost. Its policy: ``streams``, ``deliverability``."""

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Defer, Guard, Judges, Reason, Verdict
from waypost.sending.streams import DELIVERABILITY, STREAMS, stream_of


class StreamPaused(Guard):
    """A message of a stopped stream waits until the stream is resumed, or until it is stale."""

    weight = 65
    code = "st"
    title = gettext_noop("Stream stopped")
    reasons = (
        Reason(
            "stream_paused",
            gettext_noop(
                "It goes out by itself once the stream is resumed: change-policy with the action resume_stream, after the cause of the complaints or bounces is gone."
            ),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=True)
    settings = (STREAMS, DELIVERABILITY)

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        stream = stream_of(case.channel, case.message)
        state = case.policy.of(STREAMS).get(stream)
        if state is None or not state.paused:
            return Allow()
        return Defer("stream_paused", until=case.looked_again_at, saw=f"{stream} since {state.since[:10]}")
