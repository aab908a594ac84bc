"""Members of staff for tests."""

from collections.abc import Sequence
from typing import Any

from tests.fakes.published_journeys import email, journey, published
from waypost.staff.directory import StaffDirectory
from waypost.staff.outside_members import NoList, OutsideCustomer, OutsideMember


def directory(*ids: str, **fields: Any) -> StaffDirectory:
    """A directory of editors with these ids, each with a mail address of their own; ``fields`` hold for all of them."""
    return StaffDirectory.from_dict({"members": {member_id: member(member_id, **fields) for member_id in ids}})


class FakeSource:
    """A StaffSource whose ``answer`` tests set, and the customers of everybody; one member before, and nobody."""

    def __init__(self) -> None:
        self.served: Sequence[OutsideCustomer] | NoList = []
        self.answer: Sequence[OutsideMember] | NoList = [OutsideMember(userid="LinChen", name="陈琳")]

    def members(self) -> Sequence[OutsideMember] | NoList:
        """See StaffSource."""
        return self.answer

    def customers(self, userid: str) -> Sequence[OutsideCustomer] | NoList:
        """See StaffSource."""
        assert userid
        return self.served


def member(member_id: str, **fields: Any) -> dict[str, Any]:
    """A member as published."""
    email = f"{member_id}@staff.example"
    return {
        "name": member_id.replace(".", " ").title(),
        "email": email,
        "roles": ["editor"],
        "channels": {"email": email},
        **fields,
    }


def task_notices() -> dict[str, Any]:
    """The notices about tasks, by their names in the catalogue."""
    subjects = {
        "task-assigned": {
            "zh-CN": "待办：{{ event.properties.title }} {{ event.properties.due }}",
            "en": "To do: {{ event.properties.title }}",
        },
        "task-overdue": {"zh-CN": "逾期：{{ event.properties.title }}", "en": "Overdue: {{ event.properties.title }}"},
    }
    text = "{{ contact.name }} {{ event.properties.text | default('-') }} {{ event.properties.assigned_to | join(', ') }} {{ links.task }}"
    notices = {
        name: {
            **email(name, kind="transactional"),
            "variants": {
                "email": {
                    locale: {"subject": subject, "html": "<p>{{ links.task }}</p>", "text": text}
                    for locale, subject in by_locale.items()
                }
            },
        }
        for name, by_locale in subjects.items()
    }
    return dict(published(journey("notices", messages=notices)).messages)
