"""Change the sending policy of a stage without a deployment. Called by change_policy, which an operator starts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from waypost.clock import Clock, format_instant
from waypost.contacts.identity.named_contact import read_text
from waypost.errors import ConcurrentUpdate, InvalidInput
from waypost.policies.policy_form import SECTIONS, as_written, published, read_changes
from waypost.sending.held_journeys import HOLDS, HoldState, JourneyHold
from waypost.sending.policy import SendingPolicy
from waypost.sending.policy_change import LOOKED_AFTER, PolicyChange, PolicyStore
from waypost.sending.policy_in_force import usable
from waypost.sending.streams import STREAMS, StreamState

ACTIONS: Final = ("show", "preview", "apply", "reset", "resume_stream")
MOST_LISTED: Final = 20
_STATES: Final = frozenset({STREAMS.name, HOLDS.name})
"""Sections that say what is stopped, not how messages go out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePolicy:
    """Shows the policy in force, previews a change, makes it, or goes back to what was deployed."""

    deployed: SendingPolicy
    store: PolicyStore
    clock: Clock

    def act(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute ``{action: show | preview | apply | reset | resume_stream, policy, sections, stream, by, reason}``.

        ``policy`` has the sections to change, each as a whole and as ``sending.yaml`` writes it; ``sections`` names those to
        take from the deployed file again, ``stream`` the one to resume. Raises InvalidInput naming the field, and ConcurrentUpdate when another was faster.
        """
        newest = self.store.newest(1)
        before = newest[0] if newest else None
        match request.get("action"):
            case "show":
                return self._shown(before)
            case "preview":
                return self._difference(before, self._changed(before, request))
            case "apply":
                return self._apply(before, self._changed(before, request), request)
            case "reset":
                return self._apply(before, self._reset(before, request), request)
            case "resume_stream":
                return self._apply(before, self._resumed(before, request), request)
            case unknown:
                raise InvalidInput("action", f"should be one of {', '.join(ACTIONS)}, not {unknown!r}")

    def pause_stream(self, stream: str, *, epoch: int, by: str, why: str) -> bool:
        """Stop a stream; False when it is stopped already, or was resumed since ``epoch``. Raises ConcurrentUpdate."""
        newest = self.store.newest(1)
        before = newest[0] if newest else None
        streams = self._in_force(before).of(STREAMS)
        state = streams.get(stream, StreamState(paused=False))
        if state.paused or state.epoch != epoch:
            return False
        stopped = replace(state, paused=True, since=format_instant(self.clock()), why=why)
        changes = _with_streams(before, {**streams, stream: stopped})
        self._apply(before, changes, {"by": by, "reason": f"{stream}: {why}"})
        return True

    def held(self, journey: str) -> JourneyHold | None:
        """See JourneyHolds."""
        newest = self.store.newest(1)
        return self._in_force(newest[0] if newest else None).of(HOLDS).get(journey)

    def hold_journey(self, journey: str, state: HoldState, *, by: str, why: str) -> JourneyHold:
        """See JourneyHolds."""
        newest = self.store.newest(1)
        before = newest[0] if newest else None
        holds = self._in_force(before).of(HOLDS)
        known = holds.get(journey)
        if known is not None and known.state == state:
            return known
        hold = JourneyHold(state, since=format_instant(self.clock()), why=why)
        changes = {**(before.changes if before else {}), HOLDS.name: published({**holds, journey: hold})}
        self._apply(before, changes, {"by": by, "reason": f"{journey} {state}: {why}"})
        return hold

    def _resumed(self, before: PolicyChange | None, request: Mapping[str, Any]) -> dict[str, Any]:
        """The stream goes on, and is judged by what it sends from now on."""
        streams, stream = self._in_force(before).of(STREAMS), _needed(request, "stream")
        stopped = sorted(name for name, state in streams.items() if state.paused)
        if stream not in stopped:
            known = f"stopped are {', '.join(stopped)}" if stopped else "none is stopped"
            raise InvalidInput("stream", f"{stream!r} is not stopped; {known}")
        resumed = StreamState(paused=False, epoch=streams[stream].epoch + 1, since=format_instant(self.clock()))
        return _with_streams(before, {**streams, stream: resumed})

    def _in_force(self, change: PolicyChange | None) -> SendingPolicy:
        return self.deployed if change is None else self.deployed.with_changes(change.changes)

    def _changed(self, before: PolicyChange | None, request: Mapping[str, Any]) -> dict[str, Any]:
        return {**(before.changes if before else {}), **read_changes(request.get("policy"), "policy")}

    def _reset(self, before: PolicyChange | None, request: Mapping[str, Any]) -> dict[str, Any]:
        changes, named = before.changes if before else {}, request.get("sections") or []
        if not isinstance(named, list) or not set(map(str, named)) <= set(SECTIONS):
            raise InvalidInput("sections", f"should be a list of {', '.join(SECTIONS)}; without it all are reset")
        kept = (name for name in changes if (name not in named if named else name in _STATES))
        return {name: changes[name] for name in kept}  # a reset of everything resumes no stream and no journey

    def _apply(
        self, before: PolicyChange | None, changes: Mapping[str, Any], request: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Make the change, unless it changes nothing: then the answer says so."""
        by, reason = _needed(request, "by"), _needed(request, "reason")
        difference = self._difference(before, changes)
        if before is not None and dict(before.changes) == dict(changes):
            return difference
        policy, now = usable(self.deployed.with_changes(changes)), self.clock()
        change = PolicyChange(
            revision=(before.revision if before else 0) + 1,
            changes=changes,
            at=now,
            by=by,
            reason=reason,
            version=policy.version,
            policy=as_written(policy),
        )
        if not self.store.put(change):
            raise ConcurrentUpdate("the policy was changed by another in between; look at it and start again")
        return {**difference, "in_force_from": format_instant(now + LOOKED_AFTER)}

    def _difference(self, before: PolicyChange | None, changes: Mapping[str, Any]) -> dict[str, Any]:
        """What would be different: each section as it is and as it would be."""
        now, then = self._in_force(before), usable(self.deployed.with_changes(changes))
        written_now, written_then = as_written(now), as_written(then)
        return {
            "version": now.version,
            "version_then": then.version,
            "sections": [
                {"section": name, "now": written_now[name], "then": written_then[name]}
                for name in SECTIONS
                if written_now[name] != written_then[name]
            ],
        }

    def _shown(self, before: PolicyChange | None) -> dict[str, Any]:
        policy = self._in_force(before)
        return {
            "version": policy.version,
            "policy": as_written(policy),
            "deployed": {"version": self.deployed.version, "policy": as_written(self.deployed)},
            "changed": sorted(before.changes) if before else [],
            "history": [
                {
                    "version": change.version,
                    "at": format_instant(change.at),
                    "by": change.by,
                    "reason": change.reason,
                    "changed": sorted(change.changes),
                    "policy": change.policy,
                }
                for change in self.store.newest(MOST_LISTED)
            ],
        }


def _with_streams(before: PolicyChange | None, streams: Mapping[str, StreamState]) -> dict[str, Any]:
    return {**(before.changes if before else {}), STREAMS.name: published(streams)}


def _needed(request: Mapping[str, Any], name: str) -> str:
    text = read_text(request, name)
    if not text:
        raise InvalidInput(name, "is missing" if name == "stream" else "is missing: it stays with the change")
    return text
