"""Reads which notices members of staff got about the contact of a scenario. Used by rehearsals."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from local.cloud.local_cloud import LocalCloud
from local.rehearsal.scenario_file import Scenario
from waypost.reports.timeline import ContactItems, MessageDecision, decisions_in
from waypost.sending.occasion import StaffNotice, load_occasion
from waypost.staff.directory import is_staff, ledger_id, member_named
from waypost.staff.human_task import HumanTask

Notices = Mapping[str, list[MessageDecision]]
"""Member → the decisions on their notices, oldest first."""


class StaffNotices:
    """Reads notices from the ledger of ``cloud``."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    def about(
        self, scenario: Scenario, rows: Iterable[Mapping[str, Any]], enrolments: Collection[str], items: ContactItems
    ) -> Notices:
        """The notices that these passages of the contact gave to staff; ``rows`` are what is kept of the contact.

        A message is called by its name alone. Looked for among the members whom a mail reached, who have a task about the contact
        or whom the scenario expects to hear.
        """
        members = {name for call in self._cloud.providers.accepted if is_staff(name := call.tags.get("contact_id", ""))}
        for row in rows:
            if str(row["sk"]).startswith("task#"):
                members |= {ledger_id(each) for each in HumanTask.from_dict(row).members}
        members |= {ledger_id(each.to) for each in scenario.expect.notices or ()}
        found = {member_named(each): self._to(each, enrolments, items) for each in sorted(members)}
        return {member: notices for member, notices in found.items() if notices}

    def _to(self, member: str, enrolments: Collection[str], items: ContactItems) -> list[MessageDecision]:
        own = [row for row in items.everything(member) if _is_about(row, enrolments)]
        return [replace(each, message=each.message.rpartition("/")[2]) for each in decisions_in(member, own)]


def _is_about(row: Mapping[str, Any], enrolments: Collection[str]) -> bool:
    """Whether the row is the message of a notice that one of these passages gave."""
    if not str(row["sk"]).startswith("message#"):
        return False
    occasion = load_occasion(row["occasion"])
    return isinstance(occasion, StaffNotice) and occasion.enrolment_id in enrolments
