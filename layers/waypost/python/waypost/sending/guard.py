"""What a guard is: it judges one message to one contact at the moment of sending, fails closed and gives its reason.

Each guard is a module of ``sending/guards``, found by ``sending.judge``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Literal, assert_never
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.channels.registry import plugin
from waypost.contacts.address_record import AddressRecord
from waypost.contacts.channels import Address, Channel
from waypost.contacts.consent import Answer, deciding_consent, joined_consents
from waypost.contacts.profile import Contact
from waypost.content.forbidden_words import NOTHING_FORBIDDEN, ForbiddenWords
from waypost.content.message import PublishedMessage
from waypost.coupons.coupon import Coupon
from waypost.sending.ledger import Touches
from waypost.sending.occasion import BroadcastSlot, JourneyStep, Occasion, Reply, StaffNotice
from waypost.sending.policy import SendingPolicy, Setting
from waypost.sending.ports import EnrolmentView
from waypost.staff.human_task import TaskStanding


@dataclass(frozen=True, slots=True)
class Allow:
    """The guard has nothing against the message. ``saw`` is the value it looked at, as a short text, here and in the others."""

    saw: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Skip:
    """The message must not be sent. ``other_channel`` says that another channel may do.

    Until ``curable_until`` the next event may still cure it: where no channel is open the message waits until then.
    """

    reason: str
    other_channel: bool = False
    curable_until: datetime | None = None
    saw: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Defer:
    """The message must wait; ``lived_until`` is until when in the time of a journey that a test contact lives faster."""

    reason: str
    until: datetime
    lived_until: datetime | None = None
    saw: str = field(default="", compare=False)


Verdict = Allow | Skip | Defer

FIRST_EVENTS: Final = timedelta(minutes=1)
"""How long after an enrolment events may still arrive that were sent with its trigger; a schedule fires by the minute."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the reader will see: the words of the message, in the language of ``locale``.

    ``parts`` is how many parts it is billed as and in which encoding, on a channel that bills parts.
    """

    text: str
    locale: str
    parts: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a guard decides on: this message, to this contact, on this channel, now.

    ``address`` is the one the message would go to and ``record`` what is known of it. ``enrolment``: of a journey step.
    ``coupon`` is the one that the message speaks of, ``task`` how the task stands that a notice to staff is about; None for one that is
    gone, and for all other messages. ``sells`` are the ids of the products that it is to sell, and ``bought`` those of
    them that the contact bought, and when last. ``variant_for`` is the segment for which the message stands in
    for the one that was asked for. ``first_asked_at`` is when the message was first decided on, if it waited since, and
    ``send_by`` when it is stale; of a test ``lived_at`` is what time it is in the journey, and ``first_asked_at`` is in its time too. ``rendered`` is there for the guards that read the content, and ``words`` forbids phrases in it.
    """

    occasion: Occasion
    message: PublishedMessage
    channel: Channel
    contact: Contact
    address: Address | None
    record: AddressRecord
    enrolment: EnrolmentView | None
    touches: Touches
    policy: SendingPolicy
    zone: ZoneInfo
    now: datetime
    words: ForbiddenWords = NOTHING_FORBIDDEN
    coupon: Coupon | None = None
    task: TaskStanding | Literal["left"] | None = None
    sells: Sequence[str] = ()
    bought: Mapping[str, datetime] = field(default_factory=dict)
    variant_for: str = ""
    first_asked_at: datetime | None = None
    send_by: datetime | None = None
    lived_at: datetime | None = None
    rendered: Rendered | None = None

    @property
    def local_time(self) -> str:
        """What the clock shows where the contact lives, with its offset (ISO 8601); of a test, in the journey's time."""
        return (self.lived_at or self.now).astimezone(self.zone).isoformat(timespec="seconds")

    @property
    def looked_again_at(self) -> datetime:
        """When a message that an operator holds back is looked at again: in one to two hours, so that what is released goes out over an hour."""
        return self.now + timedelta(hours=1) * (1 + ids.share("held", self.occasion.message_key, self.now.isoformat()))

    @property
    def asked_at(self) -> datetime:
        """When the message was asked for: when it was first decided on, which is now unless it has waited."""
        return self.first_asked_at or self.now

    @property
    def right_used(self) -> str | None:
        """The right by which the message would go out: the first one that is open; None where it needs none or has none."""
        names = plugin(self.channel).rights_for(self.message)
        return next(
            (each for each in names if each in self.record.rights and self.record.rights[each].is_open(self.now)), None
        )

    @property
    def settled_at(self) -> datetime | None:
        """When the contact's first events have all arrived, if that is still to come.

        Of requests that a visitor's device sends side by side, the one that enrols may be routed before the one with the
        address and the consent.
        """
        if self.enrolment is None:
            return None
        settled_at = self.enrolment.enrolled_at + FIRST_EVENTS
        return settled_at if self.now < settled_at else None

    @property
    def consent(self) -> Answer | None:
        """The answer that counts for marketing about the message's topic there: the contact's, or of who else reads there."""
        answers = joined_consents(self.contact.consents, self.record.withdrawals(self.channel))
        return deciding_consent(answers, self.channel, self.message.topic)

    @property
    def transactional(self) -> bool:
        """A message the contact asked for by its own act (an order confirmation): exempt from marketing's limits."""
        return self.message.kind == "transactional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """Which occasions a guard judges. No default: a guard says so of every kind, or it cannot be imported."""

    journey_step: bool
    broadcast_slot: bool
    staff_notice: bool
    reply: bool

    def __contains__(self, occasion: Occasion) -> bool:
        match occasion:
            case JourneyStep():
                return self.journey_step
            case BroadcastSlot():
                return self.broadcast_slot
            case StaffNotice():
                return self.staff_notice
            case Reply():
                return self.reply
            case _:
                assert_never(occasion)


EVERY_OCCASION: Final = Judges(journey_step=True, broadcast_slot=True, staff_notice=True, reply=True)


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of a guard, and what would help against it: a text of the pages."""

    name: str
    what_would_help: str


class Guard(ABC):
    """Decides whether a message may go out now; asked only on the occasions it judges.

    The guard with the lowest ``weight`` is asked first: permanent reasons before temporary ones. ``code`` is two letters that
    stand for it in stored decisions and never change, ``title`` what a page calls it. ``reasons`` are all that it gives.
    ``settings`` are the sections of ``statemachines/sending.yaml`` that belong to it. One that ``reads_content`` is asked when the
    message is rendered, after all others.
    """

    weight: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    reasons: ClassVar[tuple[Reason, ...]]
    judges: ClassVar[Judges]
    settings: ClassVar[tuple[Setting[Any], ...]] = ()
    reads_content: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        missing = [name for name in ("weight", "code", "title", "reasons", "judges") if name not in vars(cls)]
        if missing:
            raise TypeError(f"guard {cls.__name__} declares no {' and no '.join(missing)}")

    def concerns(self, case: Case) -> bool:
        """Whether the message has what the guard judges; where it has not, the decision says nothing of the guard."""
        del case
        return True

    @abstractmethod
    def check(self, case: Case) -> Verdict:
        """The verdict, with its reason."""
