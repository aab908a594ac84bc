"""Say what a deployment would do with the contacts that are in its journeys, before it is done. Called by ``waypost journey plan``."""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from waypost.codec import JsonForm
from waypost.journeys.changes.change import ANY_STATE, WALKING, Act, Change, change_id
from waypost.journeys.changes.everybody import everybody
from waypost.journeys.changes.flow import Flow, PauseState
from waypost.journeys.changes.ports import ChangedEnrolments, ChangeStore, DeployedMachines
from waypost.journeys.draws import Shares

Waiting = Mapping[tuple[str, str, str], int]
"""Journey, version and Pause → how many contacts wait there."""


@dataclass(frozen=True, slots=True)
class WantedJourney:
    """A journey as its folder has it. ``policies`` and ``splits`` are the published forms of ``change`` and ``splits`` in its journey.yaml."""

    name: str
    version: str
    flow: Flow
    messages: frozenset[str]
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    splits: Mapping[str, Shares] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedState(JsonForm):
    """What happens to the contacts that wait at one Pause of a version; ``act`` is ``refused`` for a ``problem``."""

    state: str
    waiting: int
    act: str
    to: str = ""
    reason: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PlannedVersion(JsonForm):
    """A version that contacts stand in; ``walking`` of them are between two Pauses now."""

    version: str
    walking: int
    states: tuple[PlannedState, ...]


@dataclass(frozen=True, slots=True)
class PlannedJourney(JsonForm):
    """What a deployment does with the contacts of one journey.

    ``to_version`` is empty for a journey that is removed, ``now`` for one that is new. ``problems`` refuse the deployment.
    """

    journey: str
    now: str
    to_version: str
    versions: tuple[PlannedVersion, ...] = ()
    problems: tuple[str, ...] = ()
    change: Change | None = None

    @property
    def refusals(self) -> list[str]:
        """Why the deployment is refused, a line each."""
        return [*self.problems, *(each.problem for version in self.versions for each in version.states if each.problem)]

    @property
    def waiting(self) -> int:
        """How many contacts are in the journey on a version that is not the new one."""
        return sum(version.walking + sum(each.waiting for each in version.states) for version in self.versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """Compares journeys with the machines and the contacts of a stage. ``progress``: how many contacts were looked at.

    What an earlier deployment has decided, and has not done to its end, still holds.
    """

    enrolments: ChangedEnrolments
    changes: ChangeStore
    machines: DeployedMachines
    progress: Callable[[int], None]

    def plan(
        self, wanted: Sequence[WantedJourney], removed: Mapping[str, str], *, by: str, now: datetime
    ) -> list[PlannedJourney]:
        """What happens, by journey; those of which nothing changes and nobody stands in a former version are left out.

        ``removed`` says why journeys whose folders are gone are stopped. Reads what is noted and a row for each contact in a
        journey, and the definition of each version that somebody stands in.
        """
        deployed: dict[str, list[str]] = {}
        for each in self.machines.versions():
            deployed.setdefault(each.journey, []).append(each.version)
        waiting, begun = self.waiting(), {change.journey: change for change in self.changes.recent() if change.is_open}
        folders = {journey.name: journey for journey in wanted}
        names = sorted({*deployed, *folders, *(journey for journey, _, _ in waiting)})
        plans = []
        for name in names:
            mine = {place: count for place, count in waiting.items() if place[0] == name}
            if name in folders:
                plans.append(self._changed(folders[name], deployed.get(name, []), mine, begun.get(name), by, now))
            elif mine:
                plans.append(_removed(name, deployed.get(name, []), mine, removed.get(name), sorted(folders), by, now))
        return [plan for plan in plans if plan.now != plan.to_version or plan.versions or plan.problems]

    def waiting(self) -> Waiting:
        """How many contacts wait where, and how many walk."""
        found, seen = Counter[tuple[str, str, str]](), 0
        for rows in everybody(self.enrolments):
            for row in rows:
                parked = row.position == "parked" and row.pause is not None
                found[row.journey, row.machine_version, row.pause.state if parked and row.pause else WALKING] += 1
            seen += len(rows)
            self.progress(seen)
        return found

    def _changed(
        self,
        wanted: WantedJourney,
        deployed: Sequence[str],
        waiting: Waiting,
        begun: Change | None,
        by: str,
        now: datetime,
    ) -> PlannedJourney:
        newest = deployed[-1] if deployed else ""
        problems = []
        if wanted.version in deployed[:-1]:
            problems.append(
                f"{_folder(wanted.name)}/journey.yaml: version: this flow was deployed before, and its machine is still there; "
                "raise the number, so that it is another version"
            )
        versions, acts = list[PlannedVersion](), dict[str, dict[str, Act]]()
        for version in sorted({version for _, version, _ in waiting} | {newest} - {""}):
            if version == wanted.version:
                continue
            counts = {state: count for (_, of, state), count in waiting.items() if of == version}
            former = Flow.of(self.machines.definition(wanted.name, version)) if version in deployed else Flow({})
            decided = begun.acts.get(version, {}) if begun and begun.to_version == wanted.version else {}
            replaced = version == newest or (begun is not None and version in begun.acts)
            judged = [
                _known(state, counts.get(state, 0), decided[state])
                if state in decided
                else _judged(state, counts.get(state, 0), former, wanted, replaced=replaced)
                for state in sorted({*former.pauses, *counts} - {WALKING})
            ]
            acts[version] = {each.state: act for each, act in judged if act is not None}
            shown = tuple(each for each, _ in judged if each.waiting)
            if shown or counts:
                versions.append(PlannedVersion(version, counts.get(WALKING, 0), shown))
        if begun is not None and begun.to_version == wanted.version:
            change = replace(begun, acts={**begun.acts, **acts})
        else:
            change = Change(
                change_id(wanted.name, wanted.version, now),
                wanted.name,
                wanted.version,
                acts,
                by,
                now,
                splits=wanted.splits,
            )
        return PlannedJourney(
            wanted.name, newest, wanted.version, tuple(versions), tuple(problems), change if versions else None
        )


def _judged(
    state: str, waiting: int, former: Flow, wanted: WantedJourney, *, replaced: bool
) -> tuple[PlannedState, Act | None]:
    """What happens to the contacts at a Pause; None, and a problem if there are any, when no policy is declared."""
    policy = wanted.policies.get(state)
    if policy is None:
        policy = wanted.policies.get(ANY_STATE) if replaced else {"act": "stay"}
    if policy is None and state not in wanted.flow.pauses:
        return _refused(state, waiting, _unsaid(state, waiting, wanted)), None
    act, problem = _act(state, former, wanted, policy or {"act": "follow"}, waiting)
    if problem or act is None:
        return _refused(state, waiting, problem), None
    return _known(state, waiting, act)


def _known(state: str, waiting: int, act: Act) -> tuple[PlannedState, Act]:
    return PlannedState(state, waiting, act.kind, act.to if act.kind == "move" else "", act.reason), act


def _refused(state: str, waiting: int, problem: str) -> PlannedState:
    return PlannedState(state, waiting, "refused", problem=problem if waiting else "")


def _act(
    state: str, former: Flow, wanted: WantedJourney, policy: Mapping[str, Any], waiting: int
) -> tuple[Act | None, str]:
    """The act of a policy, or why it cannot be done."""
    place = f"{_folder(wanted.name)}/journey.yaml: change.states.{state}"
    before = former.pauses.get(state, PauseState())
    match policy["act"]:
        case "stop":
            return Act("stop", reason=policy["reason"]), ""
        case "stay":
            missing = sorted(before.messages - wanted.messages)
            return (None, _unsent(wanted.name, missing, state, waiting)) if missing else (Act("stay"), "")
        case "follow":
            return _going(Act("follow", to=state), before, wanted, place, waiting)
        case "move":
            act = Act("move", to=policy["to"], variables=dict(policy["variables"]))
            return _going(act, before, wanted, place, waiting)
        case _:
            raise ValueError(f"no policy is called {policy['act']!r}")


def _going(act: Act, before: PauseState, wanted: WantedJourney, place: str, waiting: int) -> tuple[Act | None, str]:
    """The act with what the rows need at its Pause, or why contacts cannot go on there."""
    target = wanted.flow.pauses.get(act.to)
    if target is None:
        return None, f"{place}: no Pause of the new version is called {act.to!r}{_nearest(act.to, wanted.flow.pauses)}"
    carried = before.variables | set(act.variables)
    if missing := sorted(target.variables - carried):
        given = ", ".join(f"{name}: …" for name in missing)
        return None, (
            f"{place}: the new version reads ${', $'.join(missing)} behind {act.to!r}, which the rows of {_contacts(waiting)} do "
            f"not have; name {{move: {act.to}, variables: {{{given}}}}}, stay, or {{stop: <reason>}}"
        )
    visit = target.counted_from(before)
    if visit is None:
        return None, (
            f"{place}: {act.to!r} counts its visits by {target.occurrence}, which the rows of {_contacts(waiting)} cannot say; "
            "count by a variable, name stay, or {stop: <reason>}"
        )
    return Act(act.kind, act.to, tuple(sorted(target.variables)), act.variables, visit, act.reason), ""


def _removed(
    name: str,
    deployed: Sequence[str],
    waiting: Waiting,
    reason: str | None,
    folders: Sequence[str],
    by: str,
    now: datetime,
) -> PlannedJourney:
    """A journey without a folder: its contacts are stopped, where removed.yaml declares so."""
    newest, count = deployed[-1] if deployed else "", sum(waiting.values())
    act = None if reason is None else Act("stop", reason=reason)
    versions = [
        PlannedVersion(
            version,
            waiting.get((name, version, WALKING), 0),
            tuple(
                PlannedState(state, number, "stop" if act else "refused", reason=reason or "")
                for (_, of, state), number in sorted(waiting.items())
                if of == version and state != WALKING
            ),
        )
        for version in sorted({version for _, version, _ in waiting})
    ]
    problem = (
        f"{_folder(name)}: the folder is gone or renamed, and {_contacts(count)} {'is' if count == 1 else 'are'} in the "
        f"journey{_nearest(name, folders)}; put it back with `closed: true` in its journey.yaml until nobody is left, or give "
        f"the reason to stop them in statemachines/journeys/removed.yaml: removed: {{{name}: <reason>}}"
    )
    acts = {version.version: {ANY_STATE: act} for version in versions} if act else {}
    change = Change(change_id(name, "", now), name, "", acts, by, now) if acts else None
    return PlannedJourney(name, newest, "", tuple(versions), (problem,) if count and act is None else (), change)


def _unsaid(state: str, waiting: int, wanted: WantedJourney) -> str:
    return (
        f"{_folder(wanted.name)}/definition.asl.yaml: {state}: was removed or renamed, and {_contacts(waiting)} "
        f"{'waits' if waiting == 1 else 'wait'} there{_nearest(state, wanted.flow.pauses)}; say in journey.yaml what happens to "
        f"them: change: {{states: {{{state!r}: {{move: <Pause>}}}}}}, stay, or {{stop: <reason>}}"
    )


def _unsent(journey: str, messages: Sequence[str], state: str, waiting: int) -> str:
    folders = ", ".join(f"{_folder(journey)}/messages/{name}" for name in messages)
    return (
        f"{folders}: was removed or renamed, and {_contacts(waiting)} {'stays' if waiting == 1 else 'stay'} at {state!r} of a "
        "version that sends it; keep the folder until nobody is left, or name another policy than stay in journey.yaml"
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _contacts(number: int) -> str:
    return "1 contact" if number == 1 else f"{number:,} contacts"


def _folder(journey: str) -> str:
    return f"statemachines/journeys/{journey}"
