"""What a journey may say, and a marketer would not want: rules, each with its reason. Called by ``waypost journey check``.

A journey that means it declares so in its manifest, with a reason: ``exceptions: {long_wait: the guarantee lasts a year}``.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from waypost.authoring.discovery import JourneyFolder
from waypost.authoring.graph import Scope, State, called_function, scopes, targets
from waypost.authoring.manifest import LintRule
from waypost.authoring.problems import Problem, is_expression
from waypost.authoring.texts import texts_in
from waypost.authoring.yaml_lines import line_of
from waypost.durations import parse_duration

LONGEST_WAIT: Final = timedelta(days=30)
PURCHASE: Final = "order_placed"
_OPT_OUT: Final = "unsubscribed"
_MANIFEST: Final = "journey.yaml"
_DEFINITION: Final = "definition.asl.yaml"

Findings = Iterator[tuple[str, str, str]]
"""File in the journey's folder, field, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What rules look at beside the journey: today, and the events that mean a purchase."""

    now: datetime
    purchases: frozenset[str]


@dataclass(frozen=True, slots=True)
class MarketingRule:
    """A rule: what it looks for, why, and how it is mended. ``check`` gets the journey and what is known beside it."""

    name: LintRule
    finds: str
    reason: str
    mend: str
    check: Callable[[JourneyFolder, Beside], Findings]


def lint_journey(journey: JourneyFolder, now: datetime, purchases: Collection[str] = ()) -> Iterator[Problem]:
    """Each finding with file and line, but those that the manifest excepts; also an exception for which there is nothing."""
    excepted, beside = journey.manifest.exceptions, Beside(now, frozenset({PURCHASE, *purchases}))
    for rule in RULES:
        found = list(rule.check(journey, beside))
        if rule.name in excepted:
            found = [] if found else [(_MANIFEST, f"exceptions.{rule.name}", "there is nothing to except; take it out")]
        for file, field, what in found:
            path = journey.path / file
            yield Problem(str(path), field, f"{what} ({rule.name})", line=line_of(path, field) if path.is_file() else 0)


def _states(journey: JourneyFolder, function: str) -> Iterator[tuple[str, State, Mapping[str, Any]]]:
    for scope in scopes(journey.definition):
        for name, state in scope.states.items():
            if called_function(state) == function:
                yield name, state, state["Arguments"].get("Payload") or {}


def _markets(journey: JourneyFolder) -> bool:
    return any(message["kind"] == "marketing" for message in journey.messages.values())


def _no_goal(journey: JourneyFolder, __: Beside) -> Findings:
    if _markets(journey) and journey.manifest.goal is None:
        yield (
            _MANIFEST,
            "goal",
            "is missing: the journey goes on after it has worked, and nothing says how often it does",
        )


def _no_target(journey: JourneyFolder, __: Beside) -> Findings:
    if _markets(journey) and journey.manifest.target is None:
        yield _MANIFEST, "target", "is missing: no number says whether the journey is worth its messages"


def _no_opt_out(journey: JourneyFolder, __: Beside) -> Findings:
    if _markets(journey) and all(match.event != _OPT_OUT for match in journey.manifest.exit_on):
        yield _MANIFEST, "exit_on", f"has no {_OPT_OUT}: who opts out goes on to coupons, tasks and waits"


def _no_exit_on_purchase(journey: JourneyFolder, beside: Beside) -> Findings:
    sells = any(message.get("sells") or message.get("coupon") for message in journey.messages.values())
    if not (sells or any(_states(journey, "IssueCoupon"))):
        return
    manifest = journey.manifest
    noticed = {match.event for match in (*manifest.exit_on, *([manifest.goal] if manifest.goal else []))}
    noticed |= {
        str(payload["or"].get("event"))
        for _, _, payload in _states(journey, "PauseJourney")
        if isinstance(payload.get("or"), Mapping)
    }
    if not noticed & beside.purchases:
        yield (
            _MANIFEST,
            "exit_on",
            f"sells, and neither goal, exit_on nor a Pause notices {' or '.join(sorted(beside.purchases))}: a buyer is asked to buy",
        )


def _long_wait(journey: JourneyFolder, __: Beside) -> Findings:
    days = sorted(
        {1} | {day for _, _, payload in _states(journey, "PauseJourney") if (day := _journey_day(payload)) is not None}
    )
    for name, _, payload in _states(journey, "PauseJourney"):
        place = f"{name}.Arguments.Payload"
        until = payload.get("until")
        if isinstance(payload.get("for"), str) and not is_expression(payload["for"]):
            if parse_duration(payload["for"]) > LONGEST_WAIT:
                yield _DEFINITION, f"{place}.for", f"waits {payload['for']}, longer than {LONGEST_WAIT.days} days"
        elif isinstance(until, Mapping) and isinstance(later := until.get("days_later"), int):
            if later > LONGEST_WAIT.days:
                yield _DEFINITION, f"{place}.until", f"waits {later} days, longer than {LONGEST_WAIT.days}"
        elif (day := _journey_day(payload)) is not None:
            waited = day - max((each for each in days if each < day), default=1)
            if waited > LONGEST_WAIT.days:
                yield _DEFINITION, f"{place}.until", f"waits {waited} days, longer than {LONGEST_WAIT.days}"


def _journey_day(payload: Mapping[str, Any]) -> int | None:
    until = payload.get("until")
    day = until.get("day") if isinstance(until, Mapping) else None
    return day if isinstance(day, int) else None


def _unused_message(journey: JourneyFolder, __: Beside) -> Findings:
    texts = [text for _, text in texts_in("", journey.definition)]
    sent = [str(payload.get("message")) for _, _, payload in _states(journey, "SendMessage")]
    used = {name for name in journey.messages if any(_names(name, text) for text in texts)}
    if any(is_expression(text) and not any(_names(name, text) for name in journey.messages) for text in sent):
        return  # a name that is put together at run time
    used |= {
        instead
        for name in used & set(journey.messages)
        for _, instead in journey.messages[name].get("for_segments", ())
    }
    for name in sorted(set(journey.messages) - used):
        yield f"messages/{name}/message.yaml", "", "no step sends it: take it out, or send it"


def _names(name: str, text: str) -> bool:
    """Whether a text of the definition is the name of the message, or an expression that has it in quotes."""
    return text == name or (is_expression(text) and (f"'{name}'" in text or f'"{name}"' in text))


def _dead_end(journey: JourneyFolder, __: Beside) -> Findings:
    manifest = journey.manifest

    def waits_for_nothing(scope: Scope, state: State) -> bool:
        is_last = not _does_anything(scope.states, scope.reachable(*targets(state)))
        return called_function(state) == "PauseJourney" and is_last and not manifest.endings and not scope.inside

    for scope in scopes(journey.definition):
        for name, state in scope.states.items():
            if state["Type"] == "Choice" and len(set(targets(state))) == 1:
                yield _DEFINITION, name, f"decides nothing: every way leads to {targets(state)[0]!r}"
            if waits_for_nothing(scope, state):
                yield _DEFINITION, name, "is a dead end: nothing follows the wait, and nothing can end it"


def _does_anything(states: Mapping[str, State], names: Collection[str]) -> bool:
    return any(states[name]["Type"] not in {"Succeed", "Pass", "Choice"} for name in names)


def _stale(journey: JourneyFolder, beside: Beside) -> Findings:
    manifest = journey.manifest
    if manifest.reviewed is None or manifest.closed:
        return
    due = datetime.combine(date.fromisoformat(manifest.reviewed), time(), UTC) + parse_duration(manifest.review_every)
    if beside.now >= due:
        yield (
            _MANIFEST,
            "reviewed",
            f"was reviewed on {manifest.reviewed}, and is to be every {manifest.review_every}: ask {manifest.owner}",
        )


RULES: Final[tuple[MarketingRule, ...]] = (
    MarketingRule(
        "dead_end",
        "a Choice whose ways all lead to one state; a wait behind which nothing comes, in a journey that nothing ends. "
        "(A state that nothing leads to, and one from which no end can be reached, are refused at once.)",
        "A way that leads nowhere was meant to lead somewhere: contacts wait on it for nothing.",
        "lead each way to the step it was meant for, or take the step out",
        _dead_end,
    ),
    MarketingRule(
        "no_goal",
        "a journey with marketing and without a `goal`",
        "Who has done what the journey is for is asked for it again, and no report says how many did.",
        "name the event the journey works for",
        _no_goal,
    ),
    MarketingRule(
        "no_target",
        "a journey with marketing and without a `target`",
        "Without a number that counts as success a journey is neither improved nor ended.",
        "say what it is measured by: `target: {metric: orders, at_least: 0.1}`",
        _no_target,
    ),
    MarketingRule(
        "no_opt_out",
        "a journey with marketing whose `exit_on` has no `unsubscribed`",
        "Guards hold its messages back from who opts out, but coupons, tasks for staff and waits go on, and the contact counts as being in the journey.",
        "add `unsubscribed`, with a condition where other channels stay open",
        _no_opt_out,
    ),
    MarketingRule(
        "no_exit_on_purchase",
        "a journey that issues a coupon, or whose messages sell or speak of a coupon, and that notices no purchase: neither as goal nor in `exit_on` nor in a Pause",
        "Nothing costs trust like being asked to buy what was bought an hour ago.",
        "make `order_placed` (or the event that `metrics.yaml` counts as a purchase) the goal or an exit",
        _no_exit_on_purchase,
    ),
    MarketingRule(
        "long_wait",
        "a Pause of more than 30 days; one until a date is not counted",
        "After a month the contact has forgotten why it hears from you, and the journey it stands in was changed twice.",
        "let a segment or a date start a second journey, or say why the wait is needed",
        _long_wait,
    ),
    MarketingRule(
        "unused_message",
        "a folder in `messages/` that no step sends, and that stands in for none",
        "It is reviewed, translated and kept up for nothing, or a step was lost.",
        "send it, or take the folder out",
        _unused_message,
    ),
    MarketingRule(
        "stale",
        "a journey whose `reviewed` is longer ago than `review_every` (180d if left out); one that is `closed`, or does not say, is not counted",
        "Prices, laws and seasons change, and the journey goes on saying what was right then.",
        "go through its messages and figures with its owner, then write the day into `reviewed`",
        _stale,
    ),
)
"""Every rule; the names are those that a manifest may except."""


def rules_page() -> str:
    """The reference, in Markdown."""
    lines = [
        "# Marketing lint",
        "",
        "Made from the rules themselves; `python -m waypost.authoring.rule_reference` writes it again.",
        "",
        "`waypost journey check` names what works and a marketer would not want, with file and line; `--strict` fails for it. What cannot work is refused by every check and is not listed here.",
        "A journey that means it says so in `journey.yaml`, with the reason; an exception for which there is nothing is named too:",
        "",
        "```yaml",
        "exceptions:",
        "  long_wait: the guarantee lasts a year, and its end is what the journey is about",
        "```",
        "",
        "| rule | finds | why | what to do |",
        "| --- | --- | --- | --- |",
        *(f"| `{each.name}` | {each.finds} | {each.reason} | {each.mend} |" for each in RULES),
        "",
    ]
    return "\n".join(lines)
