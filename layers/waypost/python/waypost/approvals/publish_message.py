"""Change a message without a deployment: keep a version, have it approved, go back, retire. Called by the operation publish-message."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost.approvals.approval import Subject
from waypost.approvals.edited_texts import TextChanges
from waypost.approvals.request_approval import RequestApproval
from waypost.channels.registry import plugin
from waypost.clock import Clock, format_instant
from waypost.contacts.channels import Channel
from waypost.content.catalogue import MessageCatalogue
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.message import PublishedMessage
from waypost.content.message_library import (
    LibraryEntry,
    LibraryStore,
    MessageVersion,
    UnderWay,
    summary,
    texts_digest,
    version_key,
)
from waypost.content.render import MessageNotRenderable
from waypost.content.templates import BrokenTemplateError, check_syntax
from waypost.defaults import Defaults
from waypost.errors import ConcurrentUpdate, InvalidInput, UnknownMessage
from waypost.files.folders import LIBRARY
from waypost.files.ports import Files

ACTIONS: Final = ("publish", "review", "rollback", "retire", "show")
LARGEST: Final = 2_000_000
"""Bytes of a version's texts: a row of languages of a mail near the limit of its provider."""
LONGEST_NOTE: Final = 500
ATTEMPTS: Final = 4
UNSUBSCRIBE: Final = "https://unsubscribe.example.com/u/abc"
POSTAL_ADDRESS: Final = "1 Sample Street"
STRANGER: Final[Mapping[str, Any]] = {
    "contact": {"id": "c-0"},
    "event": {"id": "e-0", "type": "event_happened", "occurred_at": "2027-03-01T02:00:00.000Z", "properties": {}},
    "journey": {"name": "journey"},
    "message": {"name": "message", "channel": "email"},
    "links": {"unsubscribe": UNSUBSCRIBE},
    "products": {"currency": "CNY", "related": [], "cart": []},
    "brand": {"name": "Brand", "postal_address": POSTAL_ADDRESS},
    "coupon": {
        "code": "SAMPLE-2345",
        "pool": "pool",
        "label": "Coupon",
        "benefit": {"kind": "amount"},
        "issued_at": "2027-03-01T02:00:00.000Z",
        "expires_at": "2027-03-08T02:00:00.000Z",
    },
}
"""What every template may count on: a version must read well for a contact of whom nothing is known."""

_KEPT: Final = (("link", "links.unsubscribe", UNSUBSCRIBE), ("address", "brand.postal_address", POSTAL_ADDRESS))
"""What a version shows where the deployed message does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishMessage:
    """Acts on the versions of a message; ``deployed`` are the messages of the deployment, ``library`` gives those that go out now."""

    deployed: MessageCatalogue
    library: Callable[[], MessageCatalogue]
    store: LibraryStore
    files: Files
    approvals: RequestApproval
    words: Callable[[], ForbiddenWords]
    defaults: Defaults
    clock: Clock

    def act(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute ``{action, message, by, …}``; raises InvalidInput naming the field.

        ``publish`` takes ``file`` (a key under library/inbox/, as ``waypost message publish`` writes it), or ``locale`` with
        ``fields`` and ``replace`` (``edited_texts``: what goes out now, with these words changed), ``approver`` (without one the version stays a draft), ``under_way`` (newest | begun) and ``note``; ``review`` a ``version`` and
        an ``approver``; ``rollback`` a ``version`` that was approved, 0 for the deployment's; ``retire`` nothing.
        """
        message = self._message(request)
        match request.get("action"):
            case "publish":
                return self._publish(message, request)
            case "review":
                return self._review(message, _number(request, "version"), request)
            case "rollback":
                return self._rollback(message, _number(request, "version"), request)
            case "retire":
                by = self.approvals.staff().member(request.get("by"), "by")
                now = self.clock()
                return summary(
                    self._change(message, lambda entry: replace(entry, retired_at=entry.retired_at or now))
                ) | {"by": by.id}
            case "show":
                return summary(self.store.load(message) or LibraryEntry(message))
            case unknown:
                raise InvalidInput("action", f"should be one of {', '.join(ACTIONS)}, not {unknown!r}")

    def _publish(self, message: str, request: Mapping[str, Any]) -> dict[str, Any]:
        people = None
        if request.get("approver") is not None:
            people = self.approvals.people(request.get("by"), request.get("approver"))
        by = people[0] if people else self.approvals.staff().member(request.get("by"), "by")
        under_way, note = _under_way(request), _note(request)
        changes = TextChanges.read(request)
        content = self._content(message, request.get("file")) if changes is None else self._edited(message, changes)
        digest = texts_digest(content)

        def added(entry: LibraryEntry) -> LibraryEntry:
            if any(each.digest == digest for each in entry.versions):
                return replace(entry, under_way=under_way)
            number = max((each.version for each in entry.versions), default=0) + 1
            version = MessageVersion(number, digest, by.id, self.clock(), "draft", note)
            return replace(entry.with_version(version), under_way=under_way)

        entry = self._change(message, added)
        version = next(each for each in entry.versions if each.digest == digest)
        self.files.write_once(version_key(message, version.version), content)
        if people is None:
            return summary(entry) | {"version": version.version}
        return self._review(message, version.version, request)

    def _review(self, message: str, number: int, request: Mapping[str, Any]) -> dict[str, Any]:
        asking, deciding = self.approvals.people(request.get("by"), request.get("approver"))
        entry = self.store.load(message)
        version = entry.known(number) if entry else None
        if version is None:
            raise InvalidInput("version", f"{message} has no version {number}")
        if version.state not in {"draft", "in_review"}:
            raise InvalidInput("version", f"version {number} of {message} is {version.state} already")
        if deciding.id == version.by:
            raise InvalidInput(
                "approver", f"{version.by} wrote version {number}; another member of staff has to approve"
            )
        subject = Subject("message_version", message, number, version.digest)
        approval, notice = self.approvals.ask(subject, asking=asking, deciding=deciding, note=_note(request))
        reviewed = replace(version, state="in_review", approval_id=approval.id)
        entry = self._change(message, lambda entry: _in_review(entry, reviewed))
        return summary(entry) | {
            "version": number,
            "approval": approval.id,
            "approver": deciding.id,
            "expires_at": format_instant(approval.expires_at),
            "notice": notice,
        }

    def _rollback(self, message: str, number: int, request: Mapping[str, Any]) -> dict[str, Any]:
        by, now = self.approvals.staff().member(request.get("by"), "by"), self.clock()

        def back(entry: LibraryEntry) -> LibraryEntry:
            version = entry.known(number)
            if number != 0 and (version is None or version.state != "approved"):
                raise InvalidInput(
                    "version", f"version {number} of {message} was never approved; choose 0 or one that was"
                )
            return entry.going_live(number, at=now, by=by.id)

        return summary(self._change(message, back))

    def _content(self, message: str, file: Any) -> bytes:
        """The texts as they are kept, checked. Raises InvalidInput."""
        if not isinstance(file, str) or not file.startswith(f"{LIBRARY}inbox/"):
            raise InvalidInput("file", f"should be a file under {LIBRARY}inbox/, as waypost message publish writes it")
        found = self.files.find(file)
        raw = self.files.read(file) if found and found.size <= LARGEST else None
        if raw is None:
            raise InvalidInput("file", f"there is no {file}, or it has more than {LARGEST:,} bytes")
        try:
            given = json.loads(raw)
            version = PublishedMessage.from_dict(given)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise InvalidInput("file", f"holds no message: {type(error).__name__}") from None
        self._check(self.deployed.message(message), version)
        return json.dumps(given, ensure_ascii=False, sort_keys=True).encode()

    def _edited(self, message: str, changes: TextChanges) -> bytes:
        """The texts that go out now, with some of them changed, checked. Raises InvalidInput."""
        deployed = self.deployed.message(message)
        going_out = self.library().message(message)
        if not going_out.approved:
            raise InvalidInput("message", f"no version of {message} goes out now; hand in a file")
        given = changes.made_in(going_out.to_dict())
        self._check(deployed, PublishedMessage.from_dict(given))
        return json.dumps(given, ensure_ascii=False, sort_keys=True).encode()

    def _check(self, deployed: PublishedMessage, version: PublishedMessage) -> None:
        """Raise InvalidInput unless the version is the same message with other words."""
        for field in (
            "kind",
            "topic",
            "priority",
            "channels",
            "products",
            "sells",
            "best_hour",
            "for_segments",
            "coupon",
            "brand",
            "backups",
        ):
            if getattr(deployed, field) != getattr(version, field):
                raise InvalidInput("file", f"changes {field}; that takes a deployment, a version changes texts alone")
        for channel in version.channels:
            variants = version.variants.get(channel, {})
            if self.defaults.locale not in variants:
                raise InvalidInput("file", f"{channel}: {self.defaults.locale} is missing")
            for locale in variants:
                self._check_variant(deployed, version, channel, locale)

    def _check_variant(
        self, deployed: PublishedMessage, version: PublishedMessage, channel: Channel, locale: str
    ) -> None:
        place = f"{channel}.{locale}"
        try:
            for template in version.variants[channel][locale].values():
                check_syntax(template)
            content = plugin(channel).render(
                version, locale=locale, default_locale=self.defaults.locale, zone=ZoneInfo("UTC"), variables=STRANGER
            )
        except BrokenTemplateError as error:
            raise InvalidInput("file", f"{place}: {error.reason}") from None
        except MessageNotRenderable as error:
            raise InvalidInput("file", f"{place}: {error}") from None
        for kind, variable, shown in _KEPT:
            if _shows(deployed, channel, variable) and shown not in repr(content):
                raise InvalidInput(
                    "file", f"{place}: must show the {kind} {{{{ {variable} }}}}, as the deployed one does"
                )
        found = self.words().find(plugin(channel).words(content), channel=channel, locale=locale, kind=version.kind)
        if found is not None:
            raise InvalidInput("file", f"{place}: has the forbidden phrase {found.phrase!r} of {found.words.name}")

    def _message(self, request: Mapping[str, Any]) -> str:
        message = str(request.get("message"))
        try:
            self.deployed.message(message)
        except UnknownMessage:
            raise InvalidInput("message", f"there is no message {message!r}; give <journey>/<message>") from None
        return message

    def _change(self, message: str, change: Callable[[LibraryEntry], LibraryEntry]) -> LibraryEntry:
        return changed(self.store, message, change)


def _shows(message: PublishedMessage, channel: Channel, variable: str) -> bool:
    templates = (each for variant in message.variants[channel].values() for each in variant.values())
    return any(variable in template for template in templates)


def changed(store: LibraryStore, message: str, change: Callable[[LibraryEntry], LibraryEntry]) -> LibraryEntry:
    """The entry after a change, which is made again when another write was faster. Raises ConcurrentUpdate."""
    for _ in range(ATTEMPTS):
        entry = store.load(message) or LibraryEntry(message)
        after = change(entry)
        if after == entry or store.save(after):
            return after
    raise ConcurrentUpdate(f"the versions of {message} were changed elsewhere {ATTEMPTS} times")


def _in_review(entry: LibraryEntry, reviewed: MessageVersion) -> LibraryEntry:
    known = entry.known(reviewed.version)
    return entry if known is None or known.state in {"approved", "rejected"} else entry.with_version(reviewed)


def _number(request: Mapping[str, Any], field: str) -> int:
    value = request.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidInput(field, f"should be the number of a version, not {value!r}")
    return value


def _note(request: Mapping[str, Any]) -> str:
    note = request.get("note") or ""
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise InvalidInput("note", f"should be text of at most {LONGEST_NOTE} characters")
    return note


def _under_way(request: Mapping[str, Any]) -> UnderWay:
    match request.get("under_way", "newest"):
        case "newest":
            return "newest"
        case "begun":
            return "begun"
        case other:
            raise InvalidInput("under_way", f"should be newest or begun, not {other!r}")
