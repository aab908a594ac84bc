"""Change the sending policy of a stage without a deployment. Called by change_policy, which an operator starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.clock import Clock, format_instant
from waypost.contacts.identity.named_contact import read_text
from waypost.errors import ConcurrentUpdate, InvalidInput
from waypost.policies.policy_form import SECTIONS, as_written, read_changes
from waypost.sending.policy import SendingPolicy
from waypost.sending.policy_in_force import LOOKED_AFTER, PolicyChange, PolicyStore, usable

ACTIONS: Final = ("show", "preview", "apply", "reset")
MOST_LISTED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePolicy:
    """Shows the policy in force, previews a change, makes it, or goes back to what was deployed."""

    deployed: SendingPolicy
    store: PolicyStore
    clock: Clock

    def act(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute ``{action: show | preview | apply | reset, policy, sections, by, reason}``.

        ``policy`` has the sections to change, each as a whole and as ``sending.yaml`` writes it; ``sections`` names those to
        take from the deployed file again. Raises InvalidInput naming the field, and ConcurrentUpdate when another was faster.
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
            case unknown:
                raise InvalidInput("action", f"should be one of {', '.join(ACTIONS)}, not {unknown!r}")

    def _in_force(self, change: PolicyChange | None) -> SendingPolicy:
        return self.deployed if change is None else self.deployed.with_changes(change.changes)

    def _changed(self, before: PolicyChange | None, request: Mapping[str, Any]) -> dict[str, Any]:
        return {**(before.changes if before else {}), **read_changes(request.get("policy"), "policy")}

    def _reset(self, before: PolicyChange | None, request: Mapping[str, Any]) -> dict[str, Any]:
        changes, named = before.changes if before else {}, request.get("sections") or []
        if not isinstance(named, list) or not set(map(str, named)) <= set(SECTIONS):
            raise InvalidInput("sections", f"should be a list of {', '.join(SECTIONS)}; without it all are reset")
        return {name: each for name, each in changes.items() if named and name not in named}

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


def _needed(request: Mapping[str, Any], name: str) -> str:
    text = read_text(request, name)
    if not text:
        raise InvalidInput(name, "is missing: it stays with the change")
    return text
