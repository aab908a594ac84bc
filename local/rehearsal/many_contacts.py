"""Makes a crowd out of the scenarios of a file. Used by ``waypost rehearse --contacts``."""

import re
from itertools import cycle, islice
from typing import Final

from local.problems import LocalError
from local.rehearsal.scenario_draws import Draws
from local.rehearsal.scenario_file import Scenario, ScenarioContact, ScenarioFile

MOST: Final = 100_000
FEWEST_DIGITS: Final = 4
_NUMBER: Final = re.compile(r" \(\d+\)$")


def crowd(file: ScenarioFile, number: int, draws: Draws) -> ScenarioFile:
    """The file with ``number`` contacts, who play its scenarios in turn; what is expected of a scenario holds for each.

    Each has a user id, addresses and ids in WeChat and WeCom of its own, and draws what the contact of the scenario draws. Raises LocalError for a number out of bounds.
    """
    if not 1 <= number <= MOST:
        raise LocalError(f"--contacts {number} is not between 1 and {MOST:,}", "for example --contacts 5000")
    digits = max(FEWEST_DIGITS, len(str(number)))
    played = islice(cycle(file.scenarios), number)
    return file.model_copy(
        update={"scenarios": [played_by_another(each, index, draws, digits) for index, each in enumerate(played)]}
    )


def story_of(scenario: Scenario) -> str:
    """The name of the scenario that a contact of a crowd plays."""
    return _NUMBER.sub("", scenario.name)


def played_by_another(scenario: Scenario, index: int, draws: Draws, digits: int = FEWEST_DIGITS) -> Scenario:
    """The scenario of another contact, who has ``index`` in its user id, address and phone number and draws what the scenario's draws."""
    contact = scenario.contact.model_dump()
    wanted, own = draws.for_user(contact["user_id"]), f"{contact['user_id']}-{index}"
    contact["user_id"] = own if draws.for_user(own) == wanted else draws.user_drawing(wanted, own) or own
    if email := contact.get("email"):
        name, _, domain = email.rpartition("@")
        contact["email"] = f"{name}.{index}@{domain}"
    if phone := contact.get("phone"):
        contact["phone"] = f"{phone[:-digits]}{index:0{digits}}"
    for identity in ("openid", "external_userid"):
        if value := contact.get(identity):
            contact[identity] = f"{value[:-digits]}{index:0{digits}}"
    return scenario.model_copy(
        update={"name": f"{scenario.name} ({index})", "contact": ScenarioContact.model_validate(contact)}
    )
