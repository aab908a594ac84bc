"""The go/no-go list of a journey: what must be right before it meets real people. Called by ``waypost journey ready``.

Every point says what was found and, where it is not a plain go, the way out. What cannot be known from here is a point to look
at, and never a go.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from local.forecast.journey_forecast import ENTRANTS
from local.journeys.stage import Stage
from local.launch.message_links import find_links
from local.messages.lint import lint_message
from local.messages.message_folder import message_called
from local.messages.preview import Previewer, sender_of
from local.project.current_project import current_project
from local.project.journey_check import check_journeys
from local.project.journey_files import read_with_sections
from local.project.journey_forecasts import forecast_of
from waypost.authoring.discovery import JourneyFolder
from waypost.authoring.manifest import MembershipTrigger, ScheduleTrigger
from waypost.aws.contacts import DynamoContactItems
from waypost.aws.coupons import DynamoCoupons
from waypost.aws.tried_journeys import tried_versions
from waypost.content.coupons import ANY_POOL
from waypost.coupons.issuing import remaining
from waypost.coupons.pool import CouponPools
from waypost.sending.occasion import StaffNotice, load_occasion
from waypost.staff.directory import StaffDirectory

FEWEST_SCENARIOS: Final = 4
"""One for the usual way, an exit, a branch and an edge."""
PLACEHOLDERS: Final = (".example", ".test", ".invalid", ".localhost", "example.com", "example.org", "example.net")
"""Domains that no mail leaves from. Source: RFC 2606."""
NEW_LINE: Final = "\n"
NAMED: Final = 5
"""Examples that a point names; the others are counted."""

Verdict = Literal["go", "look", "no-go"]
Rehearsed = Callable[[str], Sequence[str]]
"""Rehearses the journey of this name; the scenarios that did not happen as expected."""
CountSegment = Callable[[str], int]
BrokenLinks = Callable[[Iterable[str]], Mapping[str, str]]
"""Tries links; those that do not open, with the reason."""


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the list; ``way_out`` is empty for a go."""

    name: str
    verdict: Verdict
    finding: str
    way_out: str = ""


@dataclass(frozen=True, slots=True)
class GoNoGo:
    """The list. ``entrants`` is for how many the pools and the forecast are judged."""

    journey: str
    entrants: int
    points: tuple[Point, ...]

    @property
    def is_go(self) -> bool:
        """Whether nothing speaks against the launch; what is to be looked at does not hinder it."""
        return not any(each.verdict == "no-go" for each in self.points)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "journey": self.journey,
            "entrants": self.entrants,
            "go": self.is_go,
            "points": [asdict(each) for each in self.points],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchCheck:
    """Makes the list. ``stage`` is the system it is launched in; what is None cannot be asked, or shall not be tried."""

    entrants: int
    previewer: Previewer
    stage: Stage | None
    count_segment: CountSegment | None
    rehearsed: Rehearsed | None
    broken_links: BrokenLinks | None

    def of(self, journey: str) -> GoNoGo:
        """The list of a journey of the project. Raises LocalError when there is no such journey."""
        checked = check_journeys(current_project(), journey)
        points = list(_files(checked.journeys[0].problems + checked.elsewhere, checked.journeys[0].warnings))
        if not checked.is_right:
            return GoNoGo(journey, self.entrants, tuple(points))
        folder, sections = read_with_sections(journey)
        points += self._rehearsal(journey, checked.journeys[0].scenarios)
        points += self._messages(folder)
        points += self._links(folder)
        points.append(_sender(sender_of(current_project().choices)))
        points += self._pools(folder, CouponPools.from_dict(sections.get("coupons", {})))
        points += self._tests(folder, StaffDirectory.from_dict(sections.get("staff", {})))
        points.append(self._lived(folder))
        points += self._segment(folder)
        points.append(self._forecast(journey))
        return GoNoGo(journey, self.entrants, tuple(points))

    def _rehearsal(self, journey: str, scenarios: int) -> Iterator[Point]:
        verdict: Verdict = "go" if scenarios >= FEWEST_SCENARIOS else "look"
        way_out = (
            "" if verdict == "go" else f"add some: {FEWEST_SCENARIOS} take the usual way, an exit, a branch and an edge"
        )
        yield Point("scenarios", verdict, f"{scenarios}", way_out)
        if self.rehearsed is None:
            yield Point("rehearsal", "look", "was not made now", "add --rehearse, which takes half a minute")
        elif wrong := self.rehearsed(journey):
            yield Point("rehearsal", "no-go", f"not as expected: {_some(wrong)}", f"waypost rehearse {journey}")
        else:
            yield Point("rehearsal", "go", "every scenario happened as its file says")

    def _messages(self, folder: JourneyFolder) -> Iterator[Point]:
        findings = [
            (name, finding)
            for name in folder.messages
            for finding in lint_message(
                message_called(f"{folder.name}/{name}", current_project()), self.previewer
            ).findings
        ]
        wrong = {name for name, finding in findings if finding.level == "error"}
        weak = {name for name, finding in findings} - wrong
        if wrong:
            yield Point(
                "messages", "no-go", f"mailbox providers refuse {_some(wrong)}", "waypost message lint shows why"
            )
        elif weak:
            way_out = "waypost message lint shows them"
            yield Point("messages", "look", f"there are warnings about {_some(weak)}", way_out)
        else:
            yield Point("messages", "go", f"{len(folder.messages)}, nothing against them")

    def _links(self, folder: JourneyFolder) -> Iterator[Point]:
        found = find_links(folder.messages)
        if self.broken_links is None:
            yield Point("links", "look", f"{len(found.fixed)} were not tried", "leave out --no-links")
        elif broken := self.broken_links(found.fixed):
            shown = [f"{link} {why} ({', '.join(found.fixed[link])})" for link, why in broken.items()]
            yield Point(
                "links",
                "no-go",
                f"{len(broken)} of {len(found.fixed)} do not open:\n{_some(shown, between=NEW_LINE)}",
                "correct them in the files of the messages",
            )
        else:
            yield Point("links", "go", f"{len(found.fixed)} open")
        if found.filled_in:
            shown = [f"{link}… ({', '.join(names)})" for link, names in found.filled_in.items()]
            way_out = "waypost message preview --contact-file, then open them"
            yield Point(
                "links with values", "look", f"only sending fills them in:\n{_some(shown, between=NEW_LINE)}", way_out
            )

    def _pools(self, folder: JourneyFolder, pools: CouponPools) -> Iterator[Point]:
        for name in sorted(pools_of(folder)):
            if self.stage is None:
                yield _unasked(f"coupons {name}")
                continue
            now = self.stage.clock()
            store = DynamoCoupons(self.stage.clients("dynamodb"), self.stage.outputs["ContactsTableName"])
            left = [remaining(store, each, now) for each in pools.chain(name)]
            counted = sum(each or 0 for each in left)
            if None in left:
                yield Point(f"coupons {name}", "go", "no limit")
            elif counted >= self.entrants:
                yield Point(f"coupons {name}", "go", f"{counted:,} left for {self.entrants:,} entrants")
            else:
                way_out = "import codes, raise its size, or name a fallback"
                finding = f"{counted:,} left for {self.entrants:,} entrants"
                yield Point(f"coupons {name}", "no-go", finding, way_out)

    def _tests(self, folder: JourneyFolder, staff: StaffDirectory) -> Iterator[Point]:
        if not folder.messages:
            return
        if self.stage is None:
            yield _unasked("test sends")
            return
        items = DynamoContactItems(self.stage.clients("dynamodb"), self.stage.outputs["ContactsTableName"])
        rows = [row for each in staff.members.values() for row in items.everything(each.contact_id)]
        tested = set(_tested(rows, folder.name))
        if missing := sorted(folder.messages.keys() - tested):
            way_out = f"waypost message test-send {folder.name}/{missing[0]} --to …"
            yield Point("test sends", "look", f"no member of staff was sent {_some(missing)}", way_out)
        else:
            yield Point("test sends", "go", f"{len(tested)} messages were sent to members of staff")

    def _lived(self, folder: JourneyFolder) -> Point:
        """Whether a test contact has lived the journey where it is deployed, in the version of its files."""
        if self.stage is None:
            return _unasked("test contact")
        client, table_name = self.stage.clients("dynamodb"), self.stage.outputs["ContactsTableName"]
        tried = tried_versions(client, table_name, folder.name).get(folder.machine_version)
        if tried is None:
            way_out = f"deploy it, then waypost journey try {folder.name} CONTACT"
            return Point("test contact", "look", "none has lived this version", way_out)
        return Point(
            "test contact", "go", f"one has lived it until {tried.ended_at:%Y-%m-%d %H:%M} UTC ({tried.outcome})"
        )

    def _segment(self, folder: JourneyFolder) -> Iterator[Point]:
        name = started_by_segment(folder)
        if not name:
            return
        if self.count_segment is None:
            yield _unasked(f"segment {name}")
            return
        count = self.count_segment(name)
        verdict: Verdict = "go" if 0 < count <= self.entrants else "look"
        way_out = "" if verdict == "go" else f"give what you expect: --entrants {max(count, 1)}"
        yield Point(f"segment {name}", verdict, f"{count:,} contacts are in it now", way_out)

    def _forecast(self, journey: str) -> Point:
        found = forecast_of(journey, reach={}, prices={})
        share = self.entrants / ENTRANTS
        messages = sum(found.amounts.messages.values()) * share
        finding = f"{messages:,.0f} messages and ${found.bill.known * share:,.2f} for {self.entrants:,} entrants"
        if found.bill.unknown:
            finding += f", without what {', '.join(found.bill.unknown)} costs"
            return Point("forecast", "look", finding, f"waypost journey cost {journey} --price …")
        return Point("forecast", "go", finding)


def pools_of(folder: JourneyFolder) -> set[str]:
    """The pools that the journey issues from and its messages show."""
    issued = {
        str(step.payload["pool"])
        for step in folder.graph.steps
        if step.about == "IssueCoupon" and "pool" in step.payload
    }
    shown = {message["coupon"] for message in folder.messages.values() if message.get("coupon")}
    return (issued | shown) - {ANY_POOL}


def started_by_segment(folder: JourneyFolder) -> str:
    """The saved segment whose members the journey starts for; "" when something else starts it."""
    trigger = folder.manifest.trigger
    if isinstance(trigger, MembershipTrigger):
        return trigger.name if trigger.kind == "segment" else ""
    return (trigger.segment or "") if isinstance(trigger, ScheduleTrigger) else ""


def _files(problems: Sequence[str], warnings: Sequence[str]) -> Iterator[Point]:
    if problems:
        yield Point("files", "no-go", _some(problems), "waypost journey check shows all of it")
    elif warnings:
        yield Point(
            "files", "look", f"this may not be meant: {_some(warnings)}", "waypost journey check shows all of it"
        )
    else:
        yield Point("files", "go", "nothing is wrong")


def _sender(sender: str) -> Point:
    domain = sender.rpartition("@")[2].strip("> ").lower()
    if domain.endswith(PLACEHOLDERS):
        way_out = "set email_sender in cdk.json to an address of a domain that you verified"
        return Point("sender", "no-go", f"{sender} is a placeholder", way_out)
    return Point("sender", "go", f"{sender}; its domain signs, so that DKIM and From agree")


def _tested(rows: Sequence[Mapping[str, Any]], journey: str) -> Iterator[str]:
    """The messages of the journey that members of staff were sent as a test."""
    for row in rows:
        if not str(row["sk"]).startswith("message#") or row.get("state") not in {"sent", "delivered"}:
            continue
        occasion = load_occasion(row["occasion"])
        of, _, name = str(row["message"]).partition("/")
        if isinstance(occasion, StaffNotice) and occasion.is_test and of == journey:
            yield name


def _unasked(name: str) -> Point:
    return Point(name, "look", "no running system was asked", "waypost up, or --stage for one on AWS")


def _some(found: "Sequence[str] | set[str]", *, between: str = ", ") -> str:
    shown = sorted(found) if isinstance(found, set) else list(found)
    others = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
    return between.join(shown[:NAMED]) + others
