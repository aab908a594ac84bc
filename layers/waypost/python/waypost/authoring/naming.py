"""Every tag, stage, segment, metric and date that a journey names must be declared. Called by discovery, when all is read."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from waypost.authoring.attributes import PLACE as ATTRIBUTES
from waypost.authoring.authored_files import FileReader
from waypost.authoring.coupons import FOLDER as COUPONS
from waypost.authoring.graph import called_function, scopes
from waypost.authoring.journeys_named import naming_findings
from waypost.authoring.manifest import starting
from waypost.authoring.problems import is_expression, unknown
from waypost.authoring.segments import Names
from waypost.contacts.tag_system import TagSystem
from waypost.content.coupons import ANY_POOL
from waypost.content.message import OF_EVENT
from waypost.errors import InvalidInput
from waypost.segments.lifecycle import Lifecycle
from waypost.segments.vocabulary import expand_where

Findings = Iterator[tuple[str, str]]


class ReadJourney(Protocol):
    """A journey folder that passed every check of its own."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def path(self) -> Path:
        """The folder."""
        ...

    @property
    def messages(self) -> Mapping[str, Mapping[str, Any]]:
        """The published form of its messages, by name."""
        ...

    @property
    def definition(self) -> dict[str, Any]:
        """Its state machine."""
        ...

    @property
    def selects(self) -> Mapping[str, Any] | None:
        """The rule by which time chooses whom it starts the journey for."""
        ...

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        ...


def check_names(reader: FileReader, journeys: Iterable[ReadJourney], sections: Mapping[str, Any]) -> None:
    """Add a problem for each name that nothing declares, with the nearest that is; nothing declared, nothing refused."""
    tags = TagSystem.from_dict(sections.get("tags", {}))
    stages = (sections.get("metrics") or {}).get("lifecycle")
    lifecycle = Lifecycle.from_dict(stages) if stages else None
    attributes = sections.get("attributes", {}).get("attributes", {})
    pools = sections.get("coupons", {}).get("pools", {})
    names = Names.of(sections, pool_files=pools)
    dates = {name for name, each in attributes.items() if each["type"] in {"date", "datetime"}}
    for name, pool in pools.items():
        attribute = pool["valid"].get("month_of")
        if attribute is not None and attributes and (reason := _no_date(attribute, dates, attributes)):
            reader.add(reader.root / COUPONS / f"{name}.yaml", "valid.month_of", reason)
    products = sections.get("products", {}).get("products", {})
    read = {journey.name: journey for journey in journeys}
    folders = {path.name for path in reader.folders(reader.root / "journeys")}
    for journey in read.values():
        reader.extend(journey.path / "journey.yaml", _in_manifest(journey.published(), names))
        reader.extend(journey.path / "journey.yaml", names.problems(journey.selects, "trigger"))
        reader.extend(journey.path / "definition.asl.yaml", _in_definition(journey.definition, names, tags, lifecycle))
        reader.extend(journey.path / "definition.asl.yaml", _staff(journey, sections.get("staff") or {}))
        reader.extend(journey.path / "definition.asl.yaml", _dates(journey.definition, attributes))
        reader.extend(journey.path / "definition.asl.yaml", naming_findings(journey, read, folders))
        reader.extend(journey.path / "definition.asl.yaml", _pools(journey.definition, pools))
        reader.extend(journey.path / "definition.asl.yaml", _sold(journey.definition, products))
        reader.extend(
            journey.path / "definition.asl.yaml", _called(journey.definition, sections.get("destinations", {}))
        )
        for name, message in journey.messages.items():
            path = journey.path / "messages" / name / "message.yaml"
            if (pool := message.get("coupon")) is not None and pool not in {*pools, ANY_POOL}:
                reader.add(path, "coupon", unknown(pool, pools, "unknown pool"))
            reader.extend(path, _products(message.get("sells"), "sells", products))
            reader.extend(path, _variants(name, message, journey.messages, names))
            reader.extend(path, _backups(name, message, journey.messages))
            if message.get("best_hour") and not (sections.get("metrics") or {}).get("best_hour"):
                reader.add(
                    path, "best_hour", "is never learnt: contacts/metrics.yaml needs best_hour: { half_life: 30d }"
                )


def _in_manifest(published: Mapping[str, Any], names: Names) -> Findings:
    yield from names.problems(published.get("entry"), "entry")
    matches = [*(starting(published) if "trigger" in published else []), ("goal", published.get("goal") or {})]
    matches += [(f"exit_on[{index}]", ending) for index, ending in enumerate(published.get("exit_on", ()))]
    for field, match in matches:
        yield from names.problems(match.get("where"), f"{field}.where")
        yield from names.event_problems(match.get("event", ""), match.get("where"), f"{field}.where")


def _in_definition(definition: dict[str, Any], names: Names, tags: TagSystem, lifecycle: Lifecycle | None) -> Findings:
    for scope in scopes(definition):
        for name, state in scope.states.items():
            payload = (state.get("Arguments") or {}).get("Payload")
            where = f"{name}.Arguments.Payload"
            match called_function(state), payload:
                case "EvaluateSegment", {"rule": dict(rule)}:
                    yield from names.problems(rule, f"{where}.rule")
                case "EvaluateSegment", {"segment": str(segment)}:
                    yield from names.problems({"segment": segment}, where)
                case "PauseJourney", {"or": {"event": str(event), "where": dict(rule)}}:
                    yield from names.event_problems(event, expand_where(rule), f"{where}.or.where")
                case "UpdateContact", dict():
                    yield from _in_update(payload, where, tags, lifecycle)
                case _:
                    pass


def _pools(definition: dict[str, Any], declared: Mapping[str, Any]) -> Findings:
    for name, state in (each for scope in scopes(definition) for each in scope.states.items()):
        match called_function(state), (state.get("Arguments") or {}).get("Payload"):
            case "IssueCoupon", {"pool": str(pool)} if not is_expression(pool) and pool not in declared:
                reason = unknown(pool, declared, "unknown pool")
                yield f"{name}.Arguments.Payload.pool", f"{reason}; pools are declared in statemachines/coupons/"
            case _:
                pass


def _called(definition: dict[str, Any], declared: Mapping[str, Any]) -> Findings:
    """The systems that its Call steps name."""
    may_be = {name for name, each in declared.items() if each["called"]}
    for name, state in (each for scope in scopes(definition) for each in scope.states.items()):
        if called_function(state) == "CallWebhook":
            given = state["Arguments"]["Payload"].get("destination")
            if given not in may_be:
                way_out = "contacts/destinations/ declares it, enabled and with called: true"
                yield (
                    f"{name}.Arguments.Payload.destination",
                    f"{unknown(str(given), may_be, 'no system to call has the name')}; {way_out}",
                )


def _variants(name: str, message: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]], names: Names) -> Findings:
    """What its members of segments get instead: other messages of the journey that may take its place."""
    for index, (segment, other) in enumerate(message.get("for_segments", ())):
        where = f"for_segments[{index}]"
        yield from names.problems({"segment": segment}, where)
        if other == name or other not in others:
            known = {each for each in others if each != name}
            yield f"{where}.message", unknown(other, known, "no other folder in messages/ is called")
            continue
        for field in ("kind", "topic", "channels"):
            if others[other][field] != message[field]:
                yield f"{where}.message", f"{other!r} has another {field}; what goes out instead has the same"
        if others[other].get("for_segments"):
            yield f"{where}.message", f"{other!r} has for_segments of its own; name its messages here"


def _backups(name: str, message: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> Findings:
    """What goes out when it fails: other messages of the journey, of its kind and about its topic, on any channel."""
    given = (message.get("backups") or {}).get("messages", ())
    for index, other in enumerate(given):
        where = f"backups.messages[{index}]"
        if other == name or other not in others:
            yield (
                where,
                unknown(other, {each for each in others if each != name}, "no other folder in messages/ is called"),
            )
        elif any(others[other][field] != message[field] for field in ("kind", "topic")):
            yield where, f"{other!r} is of another kind or topic; a backup is of the same"
        elif others[other].get("backups"):
            yield where, f"{other!r} has backups of its own; name all of them here, in their order"
        elif other in given[:index]:
            yield where, "is named twice"


def _sold(definition: dict[str, Any], declared: Mapping[str, Any]) -> Findings:
    """The products that its Send steps name."""
    for name, state in (each for scope in scopes(definition) for each in scope.states.items()):
        if called_function(state) == "SendMessage":
            sells = state["Arguments"]["Payload"].get("sells")
            yield from _products(sells, f"{name}.Arguments.Payload.sells", declared)


def _products(sells: Any, where: str, declared: Mapping[str, Any]) -> Findings:
    for each in sells if isinstance(sells, list) else [sells]:
        if declared and isinstance(each, str) and not is_expression(each) and each not in {OF_EVENT, *declared}:
            yield where, f"{unknown(each, declared, 'unknown product')}; products.yaml declares them"


_NAMED_AS: Final = {"otherwise": "queue"}
"""What a field names whose name does not say it."""


def _staff(journey: ReadJourney, staff: Mapping[str, Any]) -> Findings:
    """Whom its notices to staff name, and that what they send is no marketing."""
    members = staff.get("members", {})
    departments = {each["department"]: "" for each in members.values() if each.get("department")}
    queues = staff.get("queues", {})
    declared = {"member": members, "department": departments, "queue": queues, "otherwise": queues}
    for name, state in (each for scope in scopes(journey.definition) for each in scope.states.items()):
        if called_function(state) not in {"NotifyStaff", "AssignTask"}:
            continue
        payload, where = state["Arguments"]["Payload"], f"{name}.Arguments.Payload"
        named = [(where, payload), (f"{where}.escalate", payload.get("escalate") or {})]
        for place, each in named:
            for field, known in () if staff.get("imported") else declared.items():
                given = each.get(field)
                if isinstance(given, str) and not is_expression(given) and given not in known:
                    yield (
                        f"{place}.{field}",
                        f"{unknown(given, known, f'unknown {_NAMED_AS.get(field, field)}')}; staff/members.yaml declares them",
                    )
        message = journey.messages.get(payload.get("message", ""))
        if message is not None and message["kind"] != "transactional":
            yield f"{where}.message", f"{payload['message']!r} is {message['kind']}; a notice to staff is transactional"


def _dates(definition: dict[str, Any], declared: Mapping[str, Any]) -> Findings:
    """The attributes that Pauses count from: declared dates, where anything is declared."""
    dates = {name for name, each in declared.items() if each["type"] in {"date", "datetime"}}
    for name, state in (each for scope in scopes(definition) for each in scope.states.items() if declared):
        match called_function(state), (state.get("Arguments") or {}).get("Payload"):
            case "PauseJourney", {"until": {"date": str(attribute)}}:
                form = "date"
            case "PauseJourney", {"until": {"anniversary": str(attribute)}}:
                form = "anniversary"
            case _:
                continue
        if reason := _no_date(attribute, dates, declared):
            yield f"{name}.Arguments.Payload.until.{form}", reason


def _no_date(attribute: str, dates: Collection[str], declared: Mapping[str, Any]) -> str:
    """Why nothing can be counted from the attribute, or nothing."""
    if attribute in dates:
        return ""
    if attribute in declared:
        return f"{attribute!r} is declared as {declared[attribute]['type']}; expected a date or a datetime"
    return f"{unknown(attribute, dates, 'unknown date')}; attributes are declared in {ATTRIBUTES}"


def _in_update(payload: Mapping[str, Any], where: str, tags: TagSystem, lifecycle: Lifecycle | None) -> Findings:
    for field in ("add_tags", "remove_tags"):
        given = payload.get(field)
        for index, name in enumerate(given if isinstance(given, list) else ()):
            if not is_expression(name) and (reason := tags.objection(name)):
                yield f"{where}.{field}[{index}]", reason
    stage = payload.get("lifecycle")
    if isinstance(stage, str) and not is_expression(stage):
        try:
            (lifecycle or Lifecycle(())).check_given(stage, current="")
        except InvalidInput as error:
            yield f"{where}.lifecycle", error.reason
