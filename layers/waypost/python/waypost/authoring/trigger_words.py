"""What starts and ends a journey, in the words of its reader. Used by the planning tables and the gallery."""

from collections.abc import Iterator, Mapping
from typing import Final, assert_never

from waypost.authoring.manifest import (
    DateTrigger,
    EventMatch,
    EventTrigger,
    JourneyManifest,
    ManualTrigger,
    MembershipTrigger,
    Rhythm,
    ScheduleTrigger,
)
from waypost.authoring.operations import Weekday
from waypost.authoring.rules import dump_rule
from waypost.pages.texts import Texts, gettext_noop
from waypost.reports.step_words import event_in_words, rule_in_words, span_in_words, wait_in_words

_WEEKDAYS: Final[Mapping[Weekday, str]] = {
    "monday": gettext_noop("Monday"),
    "tuesday": gettext_noop("Tuesday"),
    "wednesday": gettext_noop("Wednesday"),
    "thursday": gettext_noop("Thursday"),
    "friday": gettext_noop("Friday"),
    "saturday": gettext_noop("Saturday"),
    "sunday": gettext_noop("Sunday"),
}


def trigger_in_words(manifest: JourneyManifest, words: Texts) -> str:
    """What starts the journey."""
    match manifest.trigger:
        case EventTrigger() as trigger:
            starting = (trigger, *trigger.also)
            events = [event_in_words(each.event, dump_rule(each.where), words) for each in starting]
            return f" {words.gettext('or')} ".join(events)
        case MembershipTrigger(kind="tag", name=name):
            return words.gettext("is given the tag {name}", name=name)
        case MembershipTrigger(name=name):
            return words.gettext("enters the segment {name}", name=name)
        case ScheduleTrigger() as trigger:
            return f"{_rhythm(trigger.schedule, words)}: {rule_in_words(trigger.selects, words)}"
        case DateTrigger() as trigger:
            kind = "anniversary" if trigger.kind == "anniversary" else "date"
            return wait_in_words({"until": {kind: trigger.attribute, "days": trigger.days}}, words)
        case ManualTrigger():
            return words.gettext("is started by hand")
        case _:
            assert_never(manifest.trigger)


def entry_in_words(manifest: JourneyManifest, words: Texts) -> str:
    """Whom the journey takes; "" for everybody."""
    return rule_in_words(dump_rule(manifest.entry), words) if manifest.entry is not None else ""


def re_entry_in_words(manifest: JourneyManifest, words: Texts) -> str:
    """When a contact may come again."""
    again = manifest.re_entry
    parts = [words.gettext("once for each {name}", name=again.per)] if again.per else []
    if again.after:
        parts.append(words.gettext("again after {span}", span=span_in_words(again.after, words)))
    if again.always:
        parts.append(words.gettext("any number of times"))
    if again.side_by_side:
        parts.append(words.gettext("any number of times, side by side"))
    return ", ".join(parts) or words.gettext("once")


def goal_in_words(manifest: JourneyManifest, words: Texts) -> str:
    """What the journey works for; "" for a journey without a goal."""
    if manifest.goal is None:
        return ""
    event = _match(manifest.goal, words)
    if not manifest.goal.within:
        return event
    return words.gettext("{event} within {span}", event=event, span=span_in_words(manifest.goal.within, words))


def exits_in_words(manifest: JourneyManifest, words: Texts) -> Iterator[str]:
    """What else ends the journey early."""
    return (_match(each, words) for each in manifest.exit_on)


def target_in_words(manifest: JourneyManifest) -> str:
    """The metric and the least that is success: ``orders ≥ 0.1``."""
    return f"{manifest.target.metric} ≥ {manifest.target.at_least:g}" if manifest.target else ""


def _match(match: EventMatch, words: Texts) -> str:
    return event_in_words(match.event, dump_rule(match.where), words)


def _rhythm(rhythm: Rhythm, words: Texts) -> str:
    if rhythm.on is None:
        return words.gettext("every day at {time}", time=rhythm.at)
    return words.gettext("every {day} at {time}", day=words.gettext(_WEEKDAYS[rhythm.on]), time=rhythm.at)
