"""Drops a text that takes more SMS parts, and so costs more, than the stage allows. Its policy: ``sms_parts``."""

from typing import Annotated, Final

from waypost.pages.texts import gettext_noop
from waypost.sending.guard import Allow, Case, Guard, Judges, Reason, Skip, Verdict
from waypost.sending.policy import Between, Setting

SMS_PARTS: Final[Setting[int | None]] = Setting(
    "sms_parts", form=Annotated[int, Between(1, 10)] | None, default=None, load=lambda value: value
)


class SmsParts(Guard):
    """Counts what was really rendered: a long name, or one letter beyond GSM-7, makes two parts of one."""

    weight = 120
    code = "pa"
    title = gettext_noop("Parts of an SMS")
    reasons = (
        Reason(
            "sms_parts",
            gettext_noop(
                "A shorter text, or one without letters beyond GSM-7; sms_parts in the sending policy allows more."
            ),
        ),
    )
    judges = Judges(journey_step=True, broadcast_slot=True, staff_notice=False, reply=True)
    settings = (SMS_PARTS,)
    reads_content = True

    def check(self, case: Case) -> Verdict:
        """See Guard."""
        most = case.policy.of(SMS_PARTS)
        if most is None or case.transactional or case.rendered is None or case.rendered.parts is None:
            return Allow()
        parts, encoding = case.rendered.parts
        saw = f"{parts}/{most} {encoding}"
        return Skip("sms_parts", saw=saw) if parts > most else Allow(saw)
