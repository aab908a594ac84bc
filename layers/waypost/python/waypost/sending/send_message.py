"""Guard, render, claim, send, settle: one message to one contact. Called by send_message."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal, assert_never

from waypost import ids
from waypost.channels.answers import (
    Accepted,
    AddressGone,
    Answer,
    RefusedForNow,
    RefusedMessage,
    RefusedUs,
    Unclear,
)
from waypost.channels.contract import Outgoing, Provider
from waypost.channels.registry import plugin
from waypost.clock import Clock, format_instant
from waypost.contacts.address_record import AddressRecord, AddressRecords, address_in_use
from waypost.contacts.channels import Address, Channel, channel_named, declared_channels
from waypost.contacts.fitting import knows_all_types
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.contacts.zones import zone_of
from waypost.content.catalogue import MessageCatalogue
from waypost.content.coupons import CouponVariables
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.link_rewriting import LinkMaker, LinkRewriter, TrackedMessage
from waypost.content.locale import choose_locale
from waypost.content.mark_of_tests import mark_of_tests
from waypost.content.message import MOST_SOLD, OF_EVENT, PublishedMessage
from waypost.content.products import ProductVariables, Wanted
from waypost.content.render import MessageNotRenderable
from waypost.content.variables import template_variables
from waypost.coupons.coupon import Coupon
from waypost.defaults import Defaults
from waypost.errors import ConcurrentUpdate, ContactNotFound, EnrolmentNotFound, HopSuperseded, InvalidInput
from waypost.events.envelope import Event
from waypost.products.purchases import BOUGHT_WITH, Purchases, bought_since, products_in
from waypost.sending.budget import Budget
from waypost.sending.channel_order import channel_order
from waypost.sending.deferral import Deferrals
from waypost.sending.guard import Allow, Case, Defer, Rendered, Skip
from waypost.sending.guards.already_bought import ALREADY_BOUGHT_DAYS
from waypost.sending.guards.quiet_hours import first_moment
from waypost.sending.judge import LONGEST_SEEN, VARIANT, Judgement, judge
from waypost.sending.ledger import Decision, Ledger, LedgerRow, Snapshot, Touch, Touches
from waypost.sending.occasion import BroadcastSlot, JourneyStep, Occasion, Reply, StaffNotice, journey_of, step_place
from waypost.sending.pace import Pace
from waypost.sending.policy import SendingPolicy
from waypost.sending.ports import EnrolmentView
from waypost.sending.receivers import RECEIVERS, rate_at
from waypost.sending.request import ACCOUNT_REFUSED, SendOutcome, SendRequest, SendResult
from waypost.sending.shortened_time import judge_as_lived, lived_now
from waypost.sending.streams import TAG as STREAM_TAG
from waypost.sending.streams import stream_of
from waypost.staff.directory import StaffDirectory, is_staff
from waypost.staff.human_task import HumanTask, TaskStanding, in_language

CLAIM_ATTEMPTS: Final = 5
PROVIDER_ATTEMPTS: Final = 3
THROTTLE_WINDOWS: Final = (timedelta(minutes=5), timedelta(minutes=20), timedelta(hours=1))
"""Within how long a message comes back that the provider refuses for now; the last one repeats until its send-by time."""

ACCOUNT_PAUSE: Final = timedelta(hours=1)
"""How long a message waits when the provider refuses the account: an operator has to act, and none does within minutes."""
ACCOUNT_ASKED_AFTER: Final = timedelta(minutes=1)
"""How long a process asks a provider no more that refused the account."""

SHORTEST_PAUSE: Final = timedelta(seconds=5)
LAST_ATTEMPT: Final = timedelta(minutes=2)
"""How long before its send-by time a message is tried for the last time: a schedule may fire a minute late."""

SCHEDULED_WITHIN: Final = timedelta(minutes=1)
"""How late a schedule may fire: what must go out sooner than that is not deferred."""

UnsubscribeUrl = Callable[[SendRequest, Address], str]
Tracking = Callable[[TrackedMessage], LinkMaker]
PageUrls = Callable[[SendRequest, Address, PublishedMessage, Mapping[str, Any], datetime], Mapping[str, str]]
"""The links to pages by their name under ``links``, from the event that is spoken of and the time of sending."""

STAFF: Final = "owner"
"""The attribute with the id of the member of staff who looks after a contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """Sends a message at most once.

    A channel whose provider refused the account is stopped in this process for a minute: its messages wait without a call.
    ``sleep`` waits between two calls to a provider that refused the first one definitely; it takes seconds.
    ``unsubscribe_url`` makes the link that stands in marketing mail. ``products`` is asked only for a message that shows
    products, so that no other pays for the catalogue, ``purchases`` only for one that sells a product to who has bought something,
    ``coupons`` only for one that speaks of a coupon. ``policy`` gives the one in force. ``provider`` is the one that a channel's messages go to, ``pace`` says
    when: what it takes is taken before the claim. ``staff``, ``profiles`` and ``passages`` are asked only for notices to staff: who gets
    them, whose values they show, and what started the journey that sends them (by contact and enrolment). ``words`` are the phrases that no message may have. ``staff_links`` makes the link on
    which a member of staff decides or answers, by its name; ``tasks`` is asked only for notices about a task, by contact and id. ``tracking`` makes the links that record who follows them; None leaves all links alone.
    ``page_urls`` makes the links to the pages on which contacts say what they want.
    """

    messages: MessageCatalogue
    policy: Callable[[], SendingPolicy]
    defaults: Defaults
    ledger: Ledger
    deferrals: Deferrals
    addresses: AddressRecords
    provider: Callable[[Channel], Provider[Any]]
    pace: Pace
    budget: Budget
    unsubscribe_url: UnsubscribeUrl
    clock: Clock
    sleep: Callable[[float], None]
    products: Callable[[], ProductVariables] | None = None
    purchases: Callable[[], Purchases] | None = None
    coupons: Callable[[], CouponVariables] | None = None
    tracking: Tracking | None = None
    page_urls: PageUrls | None = None
    staff: Callable[[], StaffDirectory] = StaffDirectory
    profiles: Callable[[], ContactStore] | None = None
    passages: Callable[[str, str], EnrolmentView | None] | None = None
    words: Callable[[], ForbiddenWords] = ForbiddenWords
    staff_links: Callable[[StaffNotice], Mapping[str, str]] | None = None
    tasks: Callable[[str, str], HumanTask | None] | None = None
    _stopped: dict[Channel, tuple[datetime, str]] = field(default_factory=dict, init=False)

    def send(self, request: SendRequest, *, answered: Event | None = None) -> SendResult:
        """What became of the message. The same request again gives the same answer and calls no provider.

        ``answered`` is the event that it replies to, for a caller who is faster than the history in which it will be.
        """
        for _ in range(CLAIM_ATTEMPTS):
            reached = self.claim(request, answered=answered)
            if isinstance(reached, SendResult):
                return reached
            [answer] = self.call([reached])
            if result := self.settle(reached, answer):
                return result
        raise _decided_elsewhere(request)

    def claim(self, request: SendRequest, *, answered: Event | None = None) -> "SendResult | ClaimedMessage":
        """What became of the message, or the message whose key was claimed: its provider must be called, and what it answers settled.

        A first request has no row yet, so that none is read: whatever is decided is written on the condition that there is none.
        """
        message = self.messages.message(request.message)
        notice = request.occasion if isinstance(request.occasion, StaffNotice) else None
        if notice and not notice.is_test and message.kind != "transactional":
            raise InvalidInput("message", f"{request.message} is {message.kind}; a notice to staff is transactional")
        with_row = request.attempt > 0
        for _ in range(CLAIM_ATTEMPTS):
            snapshot = self.ledger.snapshot(request, with_row=with_row)
            if not with_row and snapshot.touches.count(request.message_key):  # it was decided on before
                with_row = True
                continue
            with_row = True
            if answered is not None:
                snapshot = replace(snapshot, event=answered)
            _refuse_superseded(request, snapshot)
            if snapshot.enrolment is not None:
                message = self.messages.message(request.message, snapshot.enrolment.enrolled_at)
            if (row := snapshot.row) is not None and self._may_be_repeated(row, message):
                reached = self._repeat(request, message, snapshot, row)
            else:
                reached = self._recorded(request, snapshot) or self._decide(request, message, snapshot)
            if reached is not None:
                return reached
        raise _decided_elsewhere(request)

    def _recorded(self, request: SendRequest, snapshot: Snapshot) -> SendResult | None:
        """The result that the ledger has already, or None when this request is the one to decide.

        A claim found here belongs to a call that crashed or is still running: whether the provider was reached cannot be
        known, so it becomes ``unknown`` and is not sent.
        """
        row = snapshot.row
        if row is None or (row.state == "deferred" and row.attempt <= request.attempt):
            return None
        if row.state == "claimed":
            self.ledger.give_up_claim(row, at=self.clock())
        return row.result()

    def _may_be_repeated(self, row: LedgerRow, message: PublishedMessage) -> bool:
        """Whether it is not known what the provider answered, and it declares a window in which it sends once.

        The window begins with the first call.
        """
        if not row.is_unsettled or row.channel is None or row.claimed_at is None:
            return False
        window = plugin(channel_named(row.channel)).repeatable_for(message)
        return window is not None and self.clock() - row.claimed_at < window

    def _repeat(
        self, request: SendRequest, message: PublishedMessage, snapshot: Snapshot, row: LedgerRow
    ) -> "SendResult | ClaimedMessage | None":
        """Call again with the same key, if the guards still allow it; None when another call changed the ground in between."""
        now = self.clock()
        judged = self._judge(request, message, snapshot, self.policy(), now)
        if isinstance(judged.judgement.verdict, Allow) and judged.case.channel == row.channel:
            return self._claim(request, judged, snapshot, request.send_by or now)
        return self._recorded(request, snapshot)

    def _decide(
        self, request: SendRequest, message: PublishedMessage, snapshot: Snapshot
    ) -> "SendResult | ClaimedMessage | None":
        """Judge, then skip, defer or claim; None when another call changed the ground in between."""
        now = self.clock()
        policy = self.policy()
        send_by = request.send_by or now + timedelta(hours=policy.send_within_hours)
        judged = self._judge(request, message, snapshot, policy, now)
        verdict = judged.judgement.verdict
        match verdict:
            case Allow() if now > send_by:
                return self._skip(request, judged, "too_late")
            case Allow():
                return self._in_turn(request, judged, snapshot, send_by)
            case Skip(reason=reason, curable_until=datetime() as until) if until <= send_by:
                return self._defer(request, judged, reason=reason, until=until, send_by=send_by)
            case Skip(reason=reason):
                return self._skip(request, judged, reason)
            case Defer(until=until) if until > send_by:
                return self._skip(request, judged, "too_late")
            case Defer(reason=reason, until=until, lived_until=lived_until):
                later = replace(request, lived_at=lived_until)
                return self._defer(later, judged, reason=reason, until=until, send_by=send_by)
            case _:
                assert_never(verdict)

    def _judge(
        self,
        request: SendRequest,
        message: PublishedMessage,
        snapshot: Snapshot,
        policy: SendingPolicy,
        now: datetime,
    ) -> "_Judged":
        """The verdict on the first channel that is not closed to this contact, else on the first channel."""
        contact = self.staff().recipient(request.contact_id) if is_staff(request.contact_id) else snapshot.contact
        if contact is None:
            raise ContactNotFound(f"contact {request.contact_id} does not exist")
        if isinstance(request.occasion, JourneyStep) and snapshot.enrolment is None:
            raise EnrolmentNotFound(f"enrolment {request.occasion.enrolment_id} does not exist")
        message, variant_for = self._variant(request, message, contact, snapshot)
        touches = replace(snapshot.touches, recent=snapshot.touches.others(request.message_key))
        channels = _channels(request, message, contact, touches, policy)
        if is_staff(request.contact_id):
            channels = self.staff().in_order_of(request.contact_id, channels)
        refused: dict[str, str] = dict.fromkeys(request.refused, "provider")
        addresses = {channel: plugin(channel).addresses_for(message, contact) for channel in channels}
        records = self.addresses.of([address for each in addresses.values() for address in each])

        def closed(address: Address) -> str:
            return records[address.digest].closed if address.digest in records else ""

        targets = {channel: used for channel, each in addresses.items() if (used := address_in_use(each, closed))}
        coupon, task = self._coupon(request, message, contact, now), self._task_standing(request.occasion, now)
        decisions = snapshot.row.decisions if snapshot.row else ()
        lived_at = lived_now(snapshot.enrolment, request.lived_at, now)
        sells = _sold(request, message, snapshot)
        bought = self._bought(sells, contact, policy, now)
        closed_ones: list[_Judged] = []
        for channel in channels:
            case = Case(
                occasion=request.occasion,
                message=message,
                channel=channel,
                contact=contact,
                address=targets.get(channel),
                record=records.get(targets[channel].digest, AddressRecord()) if channel in targets else AddressRecord(),
                enrolment=snapshot.enrolment,
                touches=touches,
                policy=policy,
                zone=zone_of(contact, self.defaults.time_zone),
                now=now,
                coupon=coupon,
                task=task,
                sells=sells,
                bought=bought,
                variant_for=variant_for,
                first_asked_at=_first_asked(decisions, lived=lived_at is not None),
                send_by=request.send_by or now + timedelta(hours=policy.send_within_hours),
                lived_at=lived_at,
            )
            judgement = judge_as_lived(case)
            passed: dict[str, str] = {each.case.channel: each.reason for each in closed_ones}
            judged = _Judged(case, judgement, {**refused, **passed})
            if not (isinstance(judgement.verdict, Skip) and judgement.verdict.other_channel):
                return judged
            closed_ones.append(judged)
        first, *others = closed_ones
        return replace(first, elsewhere={**refused, **{each.case.channel: each.reason for each in others}})

    def _in_turn(
        self, request: SendRequest, judged: "_Judged", snapshot: Snapshot, send_by: datetime
    ) -> "SendResult | ClaimedMessage | None":
        """Claim if the provider may be called now, else defer to when it may; skip what would be stale by then."""
        waiting = self._not_now(request, judged.case, send_by)
        if waiting is None:
            return self._claim(request, judged, snapshot, send_by)
        reason, until = waiting
        if until is None:
            return self._skip(request, judged, "too_late")
        return self._defer(request, judged, reason=reason, until=until, send_by=send_by)

    def _claim(
        self, request: SendRequest, judged: "_Judged", snapshot: Snapshot, send_by: datetime
    ) -> "SendResult | ClaimedMessage | None":
        """Render and claim; None when the claim showed that the ground had changed."""
        case = judged.case
        links = self._links(request, case)
        try:
            outgoing = self._compose(request, case, snapshot, links)
        except MessageNotRenderable as error:
            return self._skip(request, judged, f"not_renderable: {error}")
        judged = self._judge_content(judged, outgoing)
        if isinstance(judged.judgement.verdict, Skip):
            return self._skip(request, judged, judged.judgement.verdict.reason)
        claim_id, repeats = uuid.uuid4().hex, snapshot.unsettled_claim
        if not self._claimed(request, case, snapshot, claim_id, links):
            return None
        return ClaimedMessage(
            request=request,
            judged=judged,
            outgoing=outgoing,
            claim_id=claim_id,
            send_by=send_by,
            repeated=repeats is not None,
        )

    def settle(self, claimed: "ClaimedMessage", answer: Answer) -> SendResult | None:
        """Write what the provider answered; None when the row had moved on meanwhile.

        A definite refusal has the message tried on its other channels, or ends it.
        """
        request, judged, claim_id, send_by = claimed.request, claimed.judged, claimed.claim_id, claimed.send_by
        case = judged.case
        falls_back = not claimed.repeated and _others(request, case)
        match answer:
            case Accepted(provider_message_id=provider_message_id, asked_after=asked_after, in_answer=in_answer):
                decision = self._decision(request, judged, "sent", "every_guard_allowed")
                self.ledger.settle(
                    request,
                    claim_id=claim_id,
                    state="accepted",
                    decision=decision,
                    provider_message_id=provider_message_id,
                    asked_at=case.now + asked_after if asked_after else None,
                    in_answer=in_answer,
                )
                return replace(_result(request, decision), in_answer=in_answer)
            case RefusedForNow(reason=reason, pause=asked):
                pause = asked or throttled_pause(request.message_key, request.attempt)
                return self._wait(request, judged, claim_id, reason=f"provider: {reason}", pause=pause, send_by=send_by)
            case RefusedUs(reason=reason, for_everyone=for_everyone):
                why = f"{ACCOUNT_REFUSED}{reason}"
                if for_everyone:
                    self._stopped[case.channel] = (case.now + ACCOUNT_ASKED_AFTER, why)
                return self._wait(request, judged, claim_id, reason=why, pause=ACCOUNT_PAUSE, send_by=send_by)
            case RefusedMessage(reason=reason) | AddressGone(reason=reason) if falls_back:
                return self._fall_back(request, judged, claim_id, reason=f"provider: {reason}", send_by=send_by)
            case RefusedMessage(reason=reason) | AddressGone(reason=reason):
                self._return_right(case, answer)
                decision = self._decision(request, judged, "rejected", f"provider: {reason}")
                self.ledger.settle(request, claim_id=claim_id, state="rejected", decision=decision)
            case Unclear(reason=reason):
                decision = self._decision(request, judged, "unknown", f"provider: {reason}")
                self.ledger.settle(request, claim_id=claim_id, state="unknown", decision=decision)
            case _:
                assert_never(answer)
        return _result(request, decision)

    def _fall_back(
        self, request: SendRequest, judged: "_Judged", claim_id: str, *, reason: str, send_by: datetime
    ) -> SendResult | None:
        """Give the claim back, because nothing was sent, and have the message tried on its other channels at once."""
        later = replace(request, refused=(*request.refused, judged.case.channel))
        until = judged.case.now + SHORTEST_PAUSE
        return self._defer(later, judged, reason=reason, until=until, send_by=send_by, claim_id=claim_id)

    def _judge_content(self, judged: "_Judged", outgoing: Outgoing[Any]) -> "_Judged":
        """The case with what the guards say that read the content: a name or a product may bring what no author wrote."""
        case, words = judged.case, self.words()
        channel = plugin(case.channel)
        parts = channel.parts(outgoing.content)
        if not words.lists and parts is None:
            return judged
        shown = self._shown_for(case)
        locale = choose_locale(
            _locale(_reader(case, shown).contact), case.message.variants[case.channel], self.defaults.locale
        )
        rendered = replace(case, words=words, rendered=Rendered(channel.words(outgoing.content), locale, parts))
        judgement = judge(rendered)
        return replace(judged, judgement=replace(judgement, saw={**judged.judgement.saw, **judgement.saw}))

    def _claimed(
        self, request: SendRequest, case: Case, snapshot: Snapshot, claim_id: str, links: LinkRewriter | None
    ) -> bool:
        """Count the message against the person's right and take its key; False when the ground had changed."""
        if not self._take_right(case):
            return False
        touch = Touch.of(request, case.message, at=case.now, channel=case.channel, lived_at=case.lived_at)
        claim = self.ledger.claim(
            request,
            channel=case.channel,
            claim_id=claim_id,
            at=case.now,
            local_time=case.local_time,
            touches=None if case.transactional else snapshot.touches.plus(touch),
            links=links.kept if links else (),
            repeats=snapshot.unsettled_claim,
        )
        return claim == "claimed"

    def _take_right(self, case: Case) -> bool:
        """Count the message before it is claimed, where the person gave a right for so many; False when another took the last.

        A crash in between leaves it counted under its key: a repeated request finds it, and no other message gets it.
        """
        if case.right_used is None or case.address is None:
            return True
        key = case.occasion.message_key
        return self.addresses.take_right(case.address.digest, case.right_used, key, now=case.now)

    def _return_right(self, case: Case, answer: RefusedMessage | AddressGone) -> None:
        """What was definitely not sent is not counted, unless the provider says that there was no right."""
        if case.right_used is None or case.address is None:
            return
        if isinstance(answer, RefusedMessage) and answer.ends_right:
            self.addresses.end_right(case.address.digest, case.right_used)
        else:
            self.addresses.give_back_right(case.address.digest, case.right_used, case.occasion.message_key)

    def _not_now(self, request: SendRequest, case: Case, send_by: datetime) -> tuple[str, datetime | None] | None:
        """Why no provider is called now, and when one may be: None for an instant past the message's life. None if one may."""
        stopped_until, why = self._stopped.get(case.channel, (case.now, ""))
        waits_until = _later(case.now, ACCOUNT_PAUSE, send_by)
        if stopped_until > case.now and waits_until:
            return why, waits_until
        if (slot := self._turn(request, case)) is None:
            return self._over_budget(case, send_by)
        return "paced", slot if slot <= send_by else None

    def _turn(self, request: SendRequest, case: Case) -> datetime | None:
        """When the message may be tried by the rates of its address, of its mailbox provider and of the account; None when it goes now."""
        key, urgent, waited = request.message_key, case.transactional, request.attempt > 0
        receiver = rate_at(case.address, case.policy.of(RECEIVERS)) if case.address else None
        if receiver is not None:
            name, rate = receiver
            slot = self.pace.turn(name, rate, message_key=key, now=case.now, urgent=urgent, waited=waited)
            if slot is not None:
                return slot
        each = declared_channels()[case.channel].per_second_each
        if each is not None and case.address is not None:
            name = f"{case.channel}/{case.address.digest}"
            slot = self.pace.turn(name, each, message_key=key, now=case.now, urgent=urgent, waited=waited)
            if slot is not None:
                return slot
        return self.pace.waits_until(case.channel, message_key=key, now=case.now, urgent=urgent, waited=waited)

    def _over_budget(self, case: Case, send_by: datetime) -> tuple[str, datetime | None] | None:
        """Asked last of what may hold a message back, because it takes one of the channel's day."""
        over = self.budget.over(case.channel, policy=case.policy, now=case.now, transactional=case.transactional)
        if over is None:
            return None
        until = over.until if case.transactional else first_moment(case, over.until)
        return over.reason, until if until <= send_by else None

    def _wait(
        self,
        request: SendRequest,
        judged: "_Judged",
        claim_id: str,
        *,
        reason: str,
        pause: timedelta,
        send_by: datetime,
    ) -> SendResult | None:
        """Defer what the provider definitely did not take, or reject it when no attempt is left before its send-by time."""
        if until := _later(judged.case.now, pause, send_by):
            return self._defer(request, judged, reason=reason, until=until, send_by=send_by, claim_id=claim_id)
        decision = self._decision(request, judged, "rejected", reason)
        self.ledger.settle(request, claim_id=claim_id, state="rejected", decision=decision)
        return _result(request, decision)

    def call(self, claimed: Sequence["ClaimedMessage"]) -> Sequence[Answer]:
        """What the provider of one channel says of each of these messages, after one call for all of them where it takes several.

        It is asked again only for what it definitely refused and may take soon (design rule 13), or where it sends once.
        """
        provider = self.provider(claimed[0].channel)
        answers = list(provider.send_all([each.outgoing for each in claimed]))
        for attempt in range(1, PROVIDER_ATTEMPTS):
            again = [place for place, answer in enumerate(answers) if _may_take_it_soon(answer)]
            if not again:
                break
            self.sleep(0.2 * 2**attempt)
            found = provider.send_all([claimed[place].outgoing for place in again])
            for place, answer in zip(again, found, strict=True):
                answers[place] = answer
        return [self._understood(provider, *each) for each in zip(claimed, answers, strict=True)]

    def _understood(self, provider: Provider[Any], claimed: "ClaimedMessage", answer: Answer) -> Answer:
        """What an answer means for its message. An address that is gone is closed before the message is settled, so that a
        crash in between leaves it closed."""
        case, outgoing = claimed.judged.case, claimed.outgoing
        if isinstance(answer, Unclear) and plugin(case.channel).repeatable_for(case.message) is not None:
            again = provider.send(outgoing)  # the provider sends one of the two
            answer = again if isinstance(again, Accepted) else answer
        if isinstance(answer, AddressGone):
            self.addresses.suppress(outgoing.to.digest, channel=case.channel, reason=answer.suppression, at=case.now)
        if claimed.repeated and not isinstance(answer, Accepted):  # the call before this one may have sent it
            return Unclear(f"repeated: {answer.reason}")
        return answer

    def _links(self, request: SendRequest, case: Case) -> LinkRewriter | None:
        """What replaces the links of this message; None where they stay as they are."""
        refused = case.contact.attributes.get("tracking") is False
        if self.tracking is None or not case.message.tracked or refused or case.address is None:
            return None
        if isinstance(request.occasion, StaffNotice):  # a colleague who looks at a test is no contact who reads
            return None
        if not plugin(case.channel).tracks(case.address):
            return None
        staff = case.contact.attributes.get(STAFF)
        return LinkRewriter(
            maker=self.tracking(
                TrackedMessage(
                    contact_id=request.contact_id,
                    message_key=request.message_key,
                    channel=case.channel,
                    journey=journey_of(request.occasion),
                    message=case.message.name,
                    sent_at=case.now,
                    staff=staff if isinstance(staff, str) else "",
                )
            )
        )

    def _compose(
        self, request: SendRequest, case: Case, snapshot: Snapshot, links: LinkRewriter | None
    ) -> Outgoing[Any]:
        """The message as the provider gets it. Raises MessageNotRenderable."""
        if case.address is None:
            raise MessageNotRenderable(f"there is no address on {case.channel}")
        event, unsubscribe = self._event(case, snapshot), self.unsubscribe_url(request, case.address)
        channel, shown = plugin(case.channel), self._shown_for(case)
        tags = {
            "message_key": request.message_key,
            "contact_id": request.contact_id,
            "address": case.address.digest,
        }
        if journey := journey_of(request.occasion):
            tags["journey"] = journey
        if not isinstance(request.occasion, StaffNotice):
            tags[STREAM_TAG] = stream_of(case.channel, case.message)
        urls = {"unsubscribe": unsubscribe}
        if self.page_urls is not None:
            urls |= self.page_urls(request, case.address, case.message, event, case.now)
        content = channel.render(
            case.message,
            locale=_locale(_reader(case, shown).contact),
            default_locale=self.defaults.locale,
            zone=_reader(case, shown).zone,
            variables=_variables(shown, event, self._links_to_pages(case, urls), request.message)
            | self._products(shown, event)
            | self._shown_coupon(shown),
            links=links,
        )
        if case.lived_at is not None:
            content = channel.marked(content, mark_of_tests(_locale(case.contact) or self.defaults.locale))
        return Outgoing(
            to=case.address,
            content=content,
            message_key=request.message_key,
            transactional=case.transactional,
            unsubscribe_url=unsubscribe,
            tags=tags,
        )

    def _event(self, case: Case, snapshot: Snapshot) -> dict[str, Any]:
        """The event a template may speak of. Raises MessageNotRenderable when a notice speaks of a journey that is gone."""
        occasion = case.occasion
        if isinstance(occasion, StaffNotice) and occasion.is_about_task:
            return self._task_as_event(occasion, case)
        if not isinstance(occasion, StaffNotice) or not occasion.enrolment_id or self.passages is None:
            return _event(case, snapshot)
        enrolment = self.passages(occasion.shown_for, occasion.enrolment_id)
        if enrolment is None:
            raise MessageNotRenderable("the journey whose event it was to show is gone")
        return _started_by(enrolment)

    def _task(self, notice: StaffNotice) -> HumanTask | None:
        return self.tasks(notice.shown_for, notice.about) if self.tasks is not None else None

    def _task_standing(self, occasion: Occasion, now: datetime) -> TaskStanding | Literal["left"] | None:
        """How the task stands that a notice is about."""
        if not isinstance(occasion, StaffNotice) or not occasion.is_about_task:
            return None
        task = self._task(occasion)
        standing = task.standing(now) if task else None
        if standing != "open" or self.passages is None:
            return standing
        enrolment = self.passages(occasion.shown_for, occasion.enrolment_id)
        left = enrolment is not None and enrolment.outcome in {"goal", "exited", "stopped"}
        return "left" if left else standing

    def _task_as_event(self, notice: StaffNotice, case: Case) -> dict[str, Any]:
        """What a notice about a task shows: its words in the language of the member, its deadline on the member's clock."""
        task = self._task(notice)
        if task is None:
            raise MessageNotRenderable("the task that it was about is gone")
        locale = _locale(case.contact) or self.defaults.locale
        shown = {
            "task": task.name,
            "title": in_language(task.title, locale),
            "text": in_language(task.text, locale),
            "due": task.due_at.astimezone(case.zone).strftime("%Y-%m-%d %H:%M"),
            "member": case.contact.attributes.get("first_name"),
            "assigned_to": list(task.assigned_to),
        }
        happened = {"id": task.id, "type": notice.notice, "occurred_at": format_instant(task.assigned_at)}
        return {**happened, "properties": {name: value for name, value in shown.items() if value}}

    def _links_to_pages(self, case: Case, urls: Mapping[str, str]) -> Mapping[str, str]:
        """The links of a message, and for a member of staff the one on which they decide or answer."""
        if self.staff_links is None or not isinstance(case.occasion, StaffNotice):
            return urls
        return {**urls, **self.staff_links(case.occasion)}

    def _shown_for(self, case: Case) -> Case:
        """The case with the contact whose values the message shows: another than who gets it in a test alone."""
        occasion = case.occasion
        if not isinstance(occasion, StaffNotice) or not occasion.shown_for or self.profiles is None:
            return case
        contact = self.profiles().load(occasion.shown_for)
        if contact is None or contact.erased:
            raise MessageNotRenderable("the contact whose values it was to show is gone")
        return replace(case, contact=contact, zone=zone_of(contact, self.defaults.time_zone))

    def _coupon(
        self, request: SendRequest, message: PublishedMessage, contact: Contact, now: datetime
    ) -> Coupon | None:
        """The coupon that the message speaks of, if the contact has a valid one; of a test a sample."""
        if not message.coupon or self.coupons is None:
            return None
        if isinstance(request.occasion, StaffNotice):
            return self.coupons().sample(message.coupon, now)
        return self.coupons().of(message.coupon, contact.partitions, now)

    def _bought(
        self, sells: Sequence[str], contact: Contact, policy: SendingPolicy, now: datetime
    ) -> dict[str, datetime]:
        """What the contact bought lately and when, for a message that sells something; its profile says who bought nothing."""
        days = policy.of(ALREADY_BOUGHT_DAYS)
        if not sells or days is None or self.purchases is None:
            return {}
        since = now - timedelta(days=days)
        last = [contact.seen[kind][1] for kind in BOUGHT_WITH if kind in contact.seen]
        if knows_all_types(contact.seen) and max(last, default=date.min) < since.astimezone(UTC).date():
            return {}
        return bought_since(since, self.purchases(), contact.partitions)

    def _variant(
        self, request: SendRequest, message: PublishedMessage, contact: Contact, snapshot: Snapshot
    ) -> tuple[PublishedMessage, str]:
        """The message for the first of its segments that the contact is in, and that segment; else the message and ""."""
        for segment, name in message.for_segments:
            if segment in contact.segments:
                other = f"{request.message.rpartition('/')[0]}/{name}"
                began_at = snapshot.enrolment.enrolled_at if snapshot.enrolment else None
                return self.messages.message(other, began_at), segment
        return message, ""

    def _shown_coupon(self, case: Case) -> dict[str, Any]:
        """The variable ``coupon``, for a message that speaks of one."""
        if case.coupon is None or self.coupons is None:
            return {}
        locale, default = _locale(case.contact), self.defaults.locale
        return {"coupon": self.coupons().shown(case.coupon, locale=locale, default_locale=default)}

    def _products(self, case: Case, event: Mapping[str, Any]) -> dict[str, Any]:
        """The variable ``products``, for a message that asks for it. Raises MessageNotRenderable."""
        wanted = case.message.products
        if wanted is None:
            return {}
        if self.products is None:
            raise MessageNotRenderable(f"{case.message.name} shows products, and there is no catalogue")
        try:
            return {
                "products": self.products().of(
                    Wanted(**wanted),
                    event=event.get("properties", {}),
                    partitions=case.contact.partitions,
                    now=case.now,
                    locale=_locale(case.contact),
                    default_locale=self.defaults.locale,
                )
            }
        except InvalidInput as error:
            raise MessageNotRenderable(f"{case.message.name}: {error}") from None

    def _skip(self, request: SendRequest, judged: "_Judged", reason: str) -> SendResult | None:
        decision = self._decision(request, judged, "skipped", reason)
        return _result(request, decision) if self.ledger.skip(request, decision=decision) else None

    def _defer(
        self,
        request: SendRequest,
        judged: "_Judged",
        *,
        reason: str,
        until: datetime,
        send_by: datetime,
        claim_id: str | None = None,
    ) -> SendResult | None:
        if claim_id is None and send_by - judged.case.now < SCHEDULED_WITHIN:
            return self._skip(request, judged, reason)
        decision = self._decision(request, judged, "deferred", reason)
        request = request if request.lived_at else replace(request, lived_at=judged.case.lived_at)
        booked = self.deferrals.book(request, until=until, send_by=send_by, decision=decision, claim_id=claim_id)
        return _result(request, decision, at=until) if booked else None

    def _decision(self, request: SendRequest, judged: "_Judged", outcome: SendOutcome, reason: str) -> Decision:
        case = judged.case
        return Decision(
            at=case.now,
            local_time=case.local_time,
            outcome=outcome,
            reason=reason,
            channel=case.channel,
            place=step_place(case.enrolment.pauses_passed, request.visit) if case.enrolment else "",
            saw={**_variant_seen(case), **judged.judgement.saw},
            elsewhere=judged.elsewhere,
            policy=case.policy.version,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedMessage:
    """A message as its provider gets it, whose key is claimed by ``claim_id``.

    ``repeated``: it is not known what the provider answered to an earlier call under this key.
    """

    request: SendRequest
    judged: "_Judged"
    outgoing: Outgoing[Any]
    claim_id: str
    send_by: datetime
    repeated: bool

    @property
    def channel(self) -> Channel:
        """The channel that it goes out on."""
        return self.judged.case.channel


@dataclass(frozen=True, slots=True)
class _Judged:
    """A case with the judgement on it, and why the channels before it were passed over."""

    case: Case
    judgement: Judgement
    elsewhere: Mapping[str, str]

    @property
    def reason(self) -> str:
        """Why the message does not go out on this channel now; "" when it may."""
        match self.judgement.verdict:
            case Allow():
                return ""
            case Skip(reason=reason) | Defer(reason=reason):
                return reason
            case _:
                assert_never(self.judgement.verdict)


def _decided_elsewhere(request: SendRequest) -> ConcurrentUpdate:
    return ConcurrentUpdate(f"message {request.message_key} was decided on elsewhere {CLAIM_ATTEMPTS} times")


def _may_take_it_soon(answer: Answer) -> bool:
    return isinstance(answer, RefusedForNow) and answer.pause is None


def _channels(
    request: SendRequest, message: PublishedMessage, contact: Contact, touches: Touches, policy: SendingPolicy
) -> tuple[Channel, ...]:
    """The channels to try, in their order: the one that was asked for, or those that have not refused the message."""
    if request.channel:
        return (request.channel,)
    left = [each for each in message.channels if each not in request.refused]
    return channel_order(left, contact, touches.recent, policy)


def _sold(request: SendRequest, message: PublishedMessage, snapshot: Snapshot) -> tuple[str, ...]:
    """The ids of the products that the message is to sell: as its step says, or else the message."""
    sells = request.sells or message.sells
    if sells != (OF_EVENT,):
        return sells
    enrolment = snapshot.enrolment
    return tuple(products_in(enrolment.trigger.properties))[:MOST_SOLD] if enrolment else ()


def _variant_seen(case: Case) -> dict[str, str]:
    """What a decision says of the message that stood in for the one that was asked for."""
    return {VARIANT: f"{case.message.name}: {case.variant_for}"[:LONGEST_SEEN]} if case.variant_for else {}


def _first_asked(decisions: Sequence[Decision], *, lived: bool) -> datetime | None:
    """When the message was first decided on; ``lived``: in the time of its journey, which a decision shows."""
    if not decisions:
        return None
    return datetime.fromisoformat(decisions[0].local_time) if lived else decisions[0].at


def _others(request: SendRequest, case: Case) -> bool:
    """Whether the message has another channel than this one and those that refused it."""
    return request.channel is None and bool({*case.message.channels} - {*request.refused, case.channel})


def _reader(case: Case, shown: Case) -> Case:
    """The case with the language and the zone of who reads: a member of staff, unless they look at what the contact would get."""
    reads_own = isinstance(case.occasion, StaffNotice) and not case.occasion.is_test
    return case if reads_own else shown


def _locale(contact: Contact) -> str | None:
    locale = contact.attributes.get("locale")
    return locale if isinstance(locale, str) else None


def _started_by(enrolment: EnrolmentView) -> dict[str, Any]:
    return {**enrolment.trigger.to_dict(), "left_on": enrolment.left_on and enrolment.left_on.to_dict()}


def _event(case: Case, snapshot: Snapshot) -> dict[str, Any]:
    """The event a template may speak of: what started the journey, or what is answered; empty for the others."""
    match case.occasion:
        case JourneyStep():
            enrolment = case.enrolment
            if enrolment is None:
                return {}
            return _started_by(enrolment)
        case Reply(event_id=event_id, event_type=event_type, occurred_at=occurred_at):
            properties = snapshot.event.properties if snapshot.event else {}
            when = format_instant(occurred_at)
            return {"id": event_id, "type": event_type, "occurred_at": when, "properties": properties}
        case StaffNotice(notice=notice, about=about, details=details):
            return {"id": about, "type": notice, "occurred_at": format_instant(case.now), "properties": details}
        case BroadcastSlot():
            return {}
        case _:
            assert_never(case.occasion)


def _variables(case: Case, event: Mapping[str, Any], urls: Mapping[str, str], message_id: str) -> dict[str, Any]:
    return template_variables(
        case.contact,
        event=event,
        journey=journey_of(case.occasion) or message_id.rpartition("/")[0],
        message=case.message.name,
        channel=case.channel,
        links=urls,
    )


def _result(request: SendRequest, decision: Decision, *, at: datetime | None = None) -> SendResult:
    return SendResult(
        outcome=decision.outcome,
        reason=decision.reason,
        channel=decision.channel,
        message_key=request.message_key,
        at=at or decision.at,
    )


def throttled_pause(message_key: str, attempt: int) -> timedelta:
    """How long a message waits that its provider throttled at this attempt (0: the first).

    Anywhere in the attempt's window, by the message: what was due at one instant comes back at the pace at which it fits.
    """
    window = THROTTLE_WINDOWS[min(attempt, len(THROTTLE_WINDOWS) - 1)]
    return max(window * ids.share("throttled", message_key, str(attempt)), SHORTEST_PAUSE)


def _later(now: datetime, pause: timedelta, send_by: datetime) -> datetime | None:
    """When to try again: after ``pause``, but once more before ``send_by``; None when that was the last time."""
    last = send_by - LAST_ATTEMPT
    if now + pause <= last:
        return now + pause
    return last if last - now >= LAST_ATTEMPT else None


def _refuse_superseded(request: SendRequest, snapshot: Snapshot) -> None:
    """A hop that no longer holds its enrolment learns nothing and sends nothing."""
    if request.visit is not None and snapshot.enrolment is not None and not snapshot.enrolment.held_by(request.visit):
        raise HopSuperseded(f"hop {request.visit.hop_id} is not the one that walks")
