"""Whether a contact is in a segment, right now. Called by evaluate_segment from a journey's branch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from waypost.clock import Clock
from waypost.contacts.ports import ContactStore
from waypost.errors import ContactNotFound, EnrolmentNotFound
from waypost.journeys.ports import EnrolmentStore
from waypost.journeys.superseding import refuse_superseded
from waypost.segments.history_lookup import HistoryLookup
from waypost.segments.inlining import inline
from waypost.segments.membership_query import membership_query_of
from waypost.segments.saved_segments import SavedSegment, saved_segment
from waypost.segments.subject import subject_of
from waypost.sending.occasion import JourneyStep


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateSegment:
    """Evaluates a rule or a saved segment for the contact of a journey."""

    contacts: ContactStore
    enrolments: EnrolmentStore
    history_lookup: HistoryLookup
    segments: Mapping[str, SavedSegment]
    default_zone: ZoneInfo
    clock: Clock

    def evaluate(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{member: bool}`` for the payload's ``rule`` or for the saved ``segment`` it names; evaluated now, not looked up.

        ``property`` in a rule reads the event that started the journey. With ``explain: true`` the answer has an
        ``explanation`` too: each condition, whether it holds, and the values that decided. Raises ContactNotFound,
        EnrolmentNotFound, HopSuperseded, and InvalidInput for an unknown segment or what is no rule.
        """
        step = JourneyStep.from_payload(payload)
        query = membership_query_of(self._rule(payload))
        contact = self.contacts.load(step.contact_id)
        if contact is None:
            raise ContactNotFound(f"contact {step.contact_id} does not exist")
        enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
        if enrolment is None:
            raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
        refuse_superseded(enrolment, payload)
        subject = subject_of(
            contact,
            now=self.clock(),
            default_zone=self.default_zone,
            properties=enrolment.trigger.properties,
            trigger=enrolment.trigger.properties,
        )
        if not payload.get("explain"):
            return {"member": query.ask(subject, contact.partitions, self.history_lookup)}
        from waypost.segments.explain import explain  # noqa: PLC0415 - a branch asks for it only while debugging

        explanation = explain(query.rule, self.history_lookup.added(subject, contact.partitions, query.reads))
        return {"member": explanation.holds, "explanation": explanation.to_dict()}

    def _rule(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The rule that is asked about, with the segments written out that an expression put into it."""
        name = payload.get("segment")
        if name is not None:
            return saved_segment(str(name), self.segments).rule
        return inline(payload["rule"], {name: segment.rule for name, segment in self.segments.items()}) or {}
