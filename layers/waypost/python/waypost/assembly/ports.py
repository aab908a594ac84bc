"""What the engine is assembled on. ``waypost.aws.wiring`` has these for a function, the tests' ``World`` for a test."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from waypost.approvals.approval import ApprovalStore, WaitingRuns
from waypost.channels.contract import Provider
from waypost.channels.people_contract import SyncQueue
from waypost.clock import Clock
from waypost.contacts.address_record import AddressRecords
from waypost.contacts.channels import Channel
from waypost.contacts.ports import BulkContactStore, GlancedContactStore
from waypost.content.message_library import LibraryStore
from waypost.coupons.coupon import CouponStore
from waypost.events.history import BulkEventHistory, CorrectableHistory, EventBus
from waypost.events.ports import EventQueue
from waypost.files.ports import Files
from waypost.journeys.changes.ports import ChangedEnrolments, ChangeStore
from waypost.journeys.ports import Machines, Timers
from waypost.products.sales import SalesStore
from waypost.products.states import StateStore
from waypost.products.watching import WatchStore
from waypost.segments.history_lookup import PassageStore
from waypost.segments.ports import ProfileScan
from waypost.sending.budget import BudgetCounters
from waypost.sending.ledger import Ledger
from waypost.sending.pace import RateMarks
from waypost.sending.policy_change import PolicyStore
from waypost.sending.ports import DeferredSends, EnrolmentAnchors
from waypost.sending.streams import StreamTallies
from waypost.staff.human_task import TaskStore
from waypost.staff.live_directory import LiveStaffStore
from waypost.staff.responses import ResponseCounts
from waypost.tracking.task_figures import TaskFigures


class Enrolments(ChangedEnrolments, EnrolmentAnchors, PassageStore, Protocol):
    """The enrolments, for all who read them."""


class Schedules(Timers, DeferredSends, Protocol):
    """The one-time schedules, of timers and of deferred messages."""


class Ports(Protocol):
    """Gives each port when a service needs it, so that a function makes only what it uses."""

    def contacts(self) -> GlancedContactStore:
        """The contact store."""
        ...

    def addresses(self) -> AddressRecords:
        """The records of addresses."""
        ...

    def enrolments(self) -> Enrolments:
        """The enrolment store."""
        ...

    def history(self) -> CorrectableHistory:
        """The event history."""
        ...

    def ledger(self) -> Ledger:
        """The message ledger."""
        ...

    def rate_marks(self) -> RateMarks:
        """The marks of what a channel takes a second."""
        ...

    def budget_counters(self) -> BudgetCounters:
        """What was taken of the channels' daily budgets."""
        ...

    def task_figures(self) -> TaskFigures:
        """The counts of tasks of members of staff."""
        ...

    def stream_tallies(self) -> StreamTallies:
        """The counts of the streams."""
        ...

    def policies(self) -> PolicyStore:
        """The changes of the sending policy."""
        ...

    def coupons(self) -> CouponStore:
        """Coupons and codes."""
        ...

    def product_sales(self) -> SalesStore:
        """What is bought with what, and what sells best."""
        ...

    def product_states(self) -> StateStore:
        """What the shop reported of products."""
        ...

    def watches(self) -> WatchStore:
        """Who watches which product."""
        ...

    def sync_queue(self) -> SyncQueue:
        """The queue of people about whom providers are asked."""
        ...

    def schedules(self) -> Schedules:
        """The one-time schedules."""
        ...

    def machines(self) -> Machines:
        """The journeys' machines."""
        ...

    def library(self) -> LibraryStore:
        """The versions of messages."""
        ...

    def approvals(self) -> ApprovalStore:
        """The requests for approval."""
        ...

    def waiting_runs(self) -> WaitingRuns:
        """The runs of operations that wait for a decision."""
        ...

    def journey_changes(self) -> ChangeStore:
        """The records of changes of journeys."""
        ...

    def tasks(self) -> TaskStore:
        """The tasks of members of staff."""
        ...

    def responses(self) -> ResponseCounts:
        """How fast members of staff answer."""
        ...

    def live_staff(self) -> LiveStaffStore:
        """The members of staff who came in without a deployment."""
        ...

    def queue(self) -> EventQueue:
        """The events queue."""
        ...

    def bus(self) -> EventBus:
        """The bus for other systems."""
        ...

    def provider(self, channel: Channel) -> Provider[Any]:
        """The provider of a channel."""
        ...

    def files(self, *, reads: tuple[str, ...] = (), writes: tuple[str, ...] = ()) -> Files:
        """The bucket of files, only these folders of it (``waypost.files.folders``)."""
        ...

    def profile_scan(self) -> ProfileScan:
        """All profiles, for bulk runs."""
        ...

    def bulk_contacts(self) -> BulkContactStore:
        """The contact store, for many contacts at a time."""
        ...

    def bulk_history(self) -> BulkEventHistory:
        """The event history, over the client of bulk runs."""
        ...

    def bulk_enrolments(self) -> PassageStore:
        """The enrolment store, over the client of bulk runs."""
        ...

    def read_units(self) -> float:
        """The read units that the client of bulk runs has used in this process."""
        ...

    def clock(self) -> Clock:
        """The clock."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        ...

    def side_by_side(self) -> Callable[..., Iterable[Any]]:
        """A ``map`` for many contacts at a time."""
        ...
