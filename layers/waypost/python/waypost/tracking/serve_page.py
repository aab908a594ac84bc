"""The pages on which people say what they want: confirm consent, preferences, a survey. Called by the serve_page function.

Looking at a page changes nothing: mail scanners follow every link. What is posted becomes events, each with the evidence of what the
page said: the event's row is that evidence, written once and kept as long as the class of ``consent_*`` says.
"""

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeVar
from urllib.parse import parse_qs

from waypost import ids
from waypost.clock import Clock
from waypost.contacts.address_record import AddressRecords, address_in_use
from waypost.contacts.channels import CHANNELS, Channel
from waypost.contacts.consent import ALL_TOPICS
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.ports import EventQueue, SecretStore
from waypost.tracking.declared_pages import TITLE_SHOWN, DeclaredPages, Survey
from waypost.tracking.page_links import (
    ConsentRequest,
    PageKind,
    PageLink,
    is_over,
    read_confirm,
    read_short,
)
from waypost.tracking.tokens import link_keys
from waypost.tracking.verdict import judge
from waypost.tracking.visit import Visit

SOURCE: Final = f"{OWN_SOURCE}.pages"
FREQUENCY: Final = "frequency"
"""The attribute with how often the contact wants marketing; the guard ``fatigue`` reads it."""

SURVEY_OPENED: Final = "survey_opened"
"""The event of a reader who opened a survey whose titles are compared."""

AS_IT_COMES: Final = "any"
"""The choice of none."""

TRAP: Final = "website"
"""A field that no reader sees; only programs fill it in."""

_LARGEST_FORM: Final = 20_000
_MOST_FIELDS: Final = 100
_PROOF: Final = frozenset({"honeypot", "prefetch", "no_user_agent", "program"})
"""Reasons of a verdict that prove a program; a reader may be in haste, and behind any network."""

T = TypeVar("T")
Form = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a page is not shown, and nothing is changed: a link that is not ours, one that is over, a program, a form that is not whole."""

    reason: Literal["not_ours", "expired", "program", "incomplete"]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a contact can choose and has chosen: ``wants`` says by channel and topic; channels without an address are left out."""

    topics: tuple[str, ...]
    wants: Mapping[tuple[Channel, str], bool]
    frequency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServePage:
    """Reads links of pages and takes in what is posted there. ``real_clock`` says which links are over."""

    secret: SecretStore
    queue: EventQueue
    contacts: ContactStore
    addresses: AddressRecords
    pages: DeclaredPages
    clock: Clock
    real_clock: Clock

    # Confirmed consent

    def consent_request(self, token: str) -> ConsentRequest | Refused:
        """What the link asks to confirm. Raises TemporarilyUnavailable."""
        asked = self._either(lambda keys: read_confirm(token, keys))
        return self._in_time("confirm", asked, asked.link if asked else None)

    def confirm_consent(self, token: str, request: Mapping[str, Any], *, language: str) -> ConsentRequest | Refused:
        """Queue ``consent_confirmed``; the same link again is the same event, so that it undoes no later withdrawal."""
        asked = self.consent_request(token)
        if isinstance(asked, Refused):
            return asked
        if refused := _by_program(request):
            return refused
        self._queue(
            asked.link,
            "consent_confirmed",
            {
                "channel": asked.channel,
                "topic": asked.topic or None,
                "address": asked.address,
                "requested_by": asked.requested_by,
                "text_version": asked.text_version,
            },
            once=token.partition(".")[0],
            page="confirm",
            language=language,
            request=request,
        )
        return asked

    # Preferences

    def choices(self, token: str) -> Choices | Refused:
        """What the link's contact can choose."""
        found = self._contact("preferences", token)
        return found if isinstance(found, Refused) else self._choices(found[1])

    def choose(self, token: str, request: Mapping[str, Any], *, language: str) -> Choices | Refused:
        """Queue what the form changes: consent by channel and topic, and how often. Withdrawals hold at the address at once."""
        found = self._contact("preferences", token)
        if isinstance(found, Refused):
            return found
        if refused := _by_program(request):
            return refused
        link, contact = found
        known, form, now = self._choices(contact), form_of(request), self.clock()
        stops = "everything" in form.get("stop", ())
        wanted = {key: not stops and f"{key[0]}/{key[1]}" in form.get("want", ()) for key in known.wants}
        once = f"{token}/{now:%Y-%m-%dT%H:%M}"
        changes: list[tuple[str, Channel, str | None]]
        if stops:
            changes = [("unsubscribed", channel, None) for channel in dict.fromkeys(channel for channel, _ in wanted)]
        else:
            changes = [
                ("consent_granted" if wants else "consent_withdrawn", *key)
                for key, wants in wanted.items()
                if wants != known.wants[key]
            ]
        for type_, channel, topic in changes:
            if type_ != "consent_granted":
                self._withdraw(contact, channel, topic or ALL_TOPICS, now)
            self._queue(
                link,
                type_,
                {"channel": channel, "topic": topic, "text_version": self.pages.version},
                once=f"{once}/{channel}/{topic}",
                page="preferences",
                language=language,
                request=request,
            )
        frequency = _frequency(form, self.pages.frequency, known.frequency)
        if frequency != known.frequency:
            self._queue(
                link,
                "preferences_changed",
                {FREQUENCY: frequency},
                once=f"{once}/{frequency}",
                page="preferences",
                language=language,
                request=request,
                profile={FREQUENCY: frequency},
            )
        return Choices(known.topics, wanted, frequency)

    def _choices(self, contact: Contact) -> Choices:
        topics = tuple(self.pages.topics) or (ALL_TOPICS,)
        channels = [channel for channel in CHANNELS if contact.addresses(channel)]
        wants = {
            (channel, topic): contact.consent(channel, topic) == "granted" for channel in channels for topic in topics
        }
        frequency = contact.attributes.get(FREQUENCY)
        return Choices(topics, wants, frequency if isinstance(frequency, str) else None)

    def _withdraw(self, contact: Contact, channel: Channel, topic: str, at: datetime) -> None:
        used = address_in_use(contact.addresses(channel), lambda _address: "")
        if used is not None:
            self.addresses.withdraw(used.digest, channel=channel, topic=topic, at=at)

    # A survey

    def survey(self, token: str, name: str) -> Survey | Refused:
        """The survey behind the link, with the title that its contact sees."""
        link = self._link("survey", token)
        if isinstance(link, Refused):
            return link
        found = self.pages.surveys.get(name)
        return found.shown_to(link.contact_id) if found else Refused("not_ours")

    def open_survey(self, token: str, name: str, request: Mapping[str, Any], *, language: str) -> Survey | Refused:
        """The survey behind the link; where its titles are compared, ``survey_opened`` once for a link that a reader opens.

        Nothing of who has refused to be tracked.
        """
        survey, link = self.survey(token, name), self._link("survey", token)
        if isinstance(survey, Refused) or isinstance(link, Refused) or not survey.title_shown:
            return survey
        read = (
            request["requestContext"]["http"]["method"] == "GET"
            and judge(Visit.of("clicked", request, seconds=3600)).by_reader
        )
        if read and self._may_be_tracked(link):
            self._queue(
                link,
                SURVEY_OPENED,
                {"survey": name, TITLE_SHOWN: survey.title_shown},
                once=f"{token}/{name}",
                page="survey",
                language=language,
                request=request,
            )
        return survey

    def _may_be_tracked(self, link: PageLink) -> bool:
        contact = self.contacts.load(link.contact_id)
        return contact is not None and not contact.erased and contact.attributes.get("tracking") is not False

    def answer(self, token: str, name: str, request: Mapping[str, Any], *, language: str) -> Survey | Refused:
        """Queue the answers, once for a link: the first ones count."""
        survey, link = self.survey(token, name), self._link("survey", token)
        if isinstance(survey, Refused):
            return survey
        if isinstance(link, Refused):
            return link
        if refused := _by_program(request):
            return refused
        form = form_of(request)
        chosen = [
            (question, option)
            for question in survey.questions
            for option in question.options
            if form.get(question.name, ("",))[0] == option.value
        ]
        if len(chosen) < len(survey.questions):
            return Refused("incomplete")
        profile: dict[str, Any] = {each.attribute: option.value for each, option in chosen if each.attribute}
        if groups := [option.group for _, option in chosen if option.group]:
            profile["groups"] = groups
        self._queue(
            link,
            survey.event,
            {
                "survey": name,
                **({TITLE_SHOWN: survey.title_shown} if survey.title_shown else {}),
                **{question.name: option.value for question, option in chosen},
            },
            once=f"{token}/{name}",
            page="survey",
            language=language,
            request=request,
            profile=profile,
        )
        return survey

    # What they share

    def _contact(self, kind: Literal["preferences", "survey"], token: str) -> tuple[PageLink, Contact] | Refused:
        link = self._link(kind, token)
        if isinstance(link, Refused):
            return link
        contact = self.contacts.load(link.contact_id)
        return Refused("expired") if contact is None or contact.erased else (link, contact)

    def _link(self, kind: Literal["preferences", "survey"], token: str) -> PageLink | Refused:
        link = self._either(lambda keys: read_short(kind, token, keys))
        return self._in_time(kind, link, link)

    def _in_time(self, kind: PageKind, found: T | None, link: PageLink | None) -> T | Refused:
        if found is None or link is None:
            return Refused("not_ours")
        return Refused("expired") if is_over(kind, link, now=self.real_clock()) else found

    def _either(self, read: Any) -> Any:
        """What the token says under the keys that are known, or under newer ones."""
        return read(link_keys(self.secret.read())) or read(link_keys(self.secret.read_again()))

    def _queue(
        self,
        link: PageLink,
        type_: str,
        properties: Mapping[str, Any],
        *,
        once: str,
        page: str,
        language: str,
        request: Mapping[str, Any],
        profile: Mapping[str, Any] | None = None,
    ) -> None:
        """Queue an event whose properties say on which page, in which language and version it was given."""
        now = self.clock()
        shown = {"page": page, "language": language, "version": self.pages.version, "message_key": link.message_key}
        self.queue.send(
            [
                Event(
                    id=ids.event_id(SOURCE, [type_, once]),
                    type=type_,
                    contact={"contact_id": link.contact_id},
                    occurred_at=now,
                    received_at=now,
                    source=SOURCE,
                    properties={**properties, "message_key": link.message_key, "evidence": shown},
                    profile=dict(profile or {}),
                    correlation_id=request["requestContext"].get("requestId", ""),
                )
            ]
        )


def form_of(request: Mapping[str, Any]) -> Form:
    """The fields of a posted form; those of one that is too large or no form are none."""
    body = request.get("body") or ""
    if request.get("isBase64Encoded"):
        body = _text_of(body)
    if len(body) > _LARGEST_FORM:
        return {}
    try:
        return parse_qs(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}


def _text_of(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode(errors="replace")
    except (ValueError, binascii.Error):
        return ""


def _by_program(request: Mapping[str, Any]) -> Refused | None:
    """The refusal of what was proven not to be posted by a reader."""
    verdict = judge(Visit.of("clicked", request, seconds=3600))
    trapped = any(value.strip() for value in form_of(request).get(TRAP, ()))
    return Refused("program") if trapped or (not verdict.by_reader and verdict.reason in _PROOF) else None


def _frequency(form: Form, offered: Collection[str], known: str | None) -> str | None:
    """How often, as the form says it; what is not on offer changes nothing."""
    chosen = form.get(FREQUENCY, ("",))[0]
    if chosen in offered:
        return chosen
    return None if chosen == AS_IT_COMES else known
