"""A message as one contact would get it: each channel rendered, the mail as it travels. Called by ``waypost message``."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from local.messages.chromium import LOOKS, Chromium, find_chromium
from local.messages.message_folder import PlacedMessage
from local.problems import LocalError
from waypost.authoring.authored_files import FileReader
from waypost.authoring.brands import brands_under
from waypost.authoring.coupons import coupons as read_coupons
from waypost.authoring.mailbox.checks import MailFinding, check_mail
from waypost.authoring.message_templates import NOTHING_KNOWN, SAMPLE_LINKS, UNSUBSCRIBE_URL
from waypost.authoring.products import products as read_products
from waypost.channels.email.channel import RenderedEmail
from waypost.channels.email.headers import unsubscribe_headers
from waypost.channels.email.mime import as_mime, domain_of
from waypost.channels.registry import plugin
from waypost.clock import format_instant
from waypost.contacts.channels import Channel
from waypost.contacts.profile import Contact
from waypost.contacts.zones import zone_of
from waypost.content.brands import Brand, brands_of
from waypost.content.coupons import sample_of, shown_of
from waypost.content.locale import choose_locale
from waypost.content.message import PublishedMessage
from waypost.content.products import ProductVariables, Wanted
from waypost.content.render import MessageNotRenderable
from waypost.content.templates import BRAND
from waypost.content.variables import template_variables
from waypost.coupons.pool import CouponPools
from waypost.errors import InvalidInput
from waypost.events.history import RecordedEvent
from waypost.products.catalogue import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Whom a message is shown for: the profile, and the event of which it speaks (``{}`` for none)."""

    contact: Contact
    event: Mapping[str, Any] = field(default_factory=dict)


_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

NOBODY_IN_PARTICULAR: Final = Viewer(contact=Contact("c-0", created_at=_EVER), event=NOTHING_KNOWN["event"])
"""A contact of whom nothing is known: every message must read well for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One channel of a preview: the fields of the rendered content, or why it cannot be rendered.

    ``mail`` is the raw message of a mail, ``findings`` what a mailbox provider has against it.
    """

    channel: Channel
    locale: str
    content: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""
    mail: bytes = b""
    html: str = ""
    findings: Sequence[MailFinding] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewer:
    """Renders messages as the sender does. ``sender`` is the From field of mails, ``statemachines`` where products are declared."""

    sender: str
    default_locale: str
    default_zone: ZoneInfo
    statemachines: Path
    now: datetime

    def preview(
        self, place: PlacedMessage, published: Mapping[str, Any], viewer: Viewer, locale: str = ""
    ) -> list[Shown]:
        """Each channel of the message, in the contact's language or in ``locale``."""
        message = PublishedMessage.from_dict(published)
        return [self.shown(place, message, channel, viewer, locale) for channel in message.channels]

    def shown(
        self, place: PlacedMessage, message: PublishedMessage, channel: Channel, viewer: Viewer, locale: str
    ) -> Shown:
        """One channel of it."""
        kept = viewer.contact.attributes.get("locale")
        wanted = locale or (kept if isinstance(kept, str) else None)
        chosen = choose_locale(wanted, message.variants[channel], self.default_locale)
        brand = brands_of(brands_under(self.statemachines)).get(message.brand)
        variables = template_variables(
            viewer.contact,
            event=viewer.event,
            journey=place.journey,
            message=message.name,
            channel=channel,
            links=SAMPLE_LINKS,
        )
        try:
            content = plugin(channel).render(
                message,
                locale=chosen,
                default_locale=self.default_locale,
                zone=zone_of(viewer.contact, self.default_zone),
                variables=variables
                | self._products(message, viewer, chosen)
                | self._coupon(message, chosen)
                | ({BRAND: brand.shown(chosen, self.default_locale)} if brand else {}),
            )
        except MessageNotRenderable as refused:
            return Shown(channel=channel, locale=chosen, refused=str(refused))
        if not isinstance(content, RenderedEmail):
            return Shown(
                channel=channel,
                locale=chosen,
                content={name: part for name, part in asdict(content).items() if part is not None},
            )
        raw = self._raw(content, message, viewer, brand)
        return Shown(
            channel=channel,
            locale=chosen,
            content={
                **({"from": brand.sender} if brand else {}),
                "subject": content.subject,
                "text": content.text,
            },
            mail=raw,
            html=content.html,
            findings=check_mail(raw, is_marketing=message.kind == "marketing", unsubscribe_url=UNSUBSCRIBE_URL),
        )

    def _raw(self, content: RenderedEmail, message: PublishedMessage, viewer: Viewer, brand: Brand | None) -> bytes:
        sender = brand.sender if brand else self.sender
        address = viewer.contact.attributes.get("email")
        return as_mime(
            content,
            sender=sender,
            recipient=address if isinstance(address, str) else "reader@example.com",
            message_id=f"<preview-{message.name}@{domain_of(sender)}>",
            at=self.now,
            headers={
                **({"Reply-To": ", ".join(brand.reply_to)} if brand and brand.reply_to else {}),
                **(unsubscribe_headers(UNSUBSCRIBE_URL) if message.kind == "marketing" else {}),
            },
        )

    def _coupon(self, message: PublishedMessage, locale: str) -> dict[str, Any]:
        """A sample of the pool that the message speaks of."""
        if not message.coupon:
            return {}
        pools = CouponPools.from_dict(read_coupons(FileReader(self.statemachines)))
        sample = sample_of(pools, message.coupon, self.now)
        try:
            return {"coupon": shown_of(pools, sample, locale=locale, default_locale=self.default_locale)}
        except InvalidInput as error:
            raise MessageNotRenderable(f"{message.name}: {error}") from None

    def _products(self, message: PublishedMessage, viewer: Viewer, locale: str) -> dict[str, Any]:
        if message.products is None:
            return {}
        catalogue = Catalogue.from_dict(read_products(FileReader(self.statemachines)))
        variables = ProductVariables(catalogue=catalogue, purchases=_NothingBought())
        event = viewer.event.get("properties") or {}
        try:
            return {
                "products": variables.of(
                    Wanted(**message.products),
                    event=event,
                    partitions=viewer.contact.partitions,
                    now=self.now,
                    locale=locale,
                    default_locale=self.default_locale,
                )
            }
        except InvalidInput as error:
            raise MessageNotRenderable(f"{message.name}: {error}") from None


class _NothingBought:
    """Previews leave out of the suggestions nothing that was bought before."""

    @staticmethod
    def since(contact_id: str, instant: datetime, *, types: Sequence[str] = ()) -> list[RecordedEvent]:
        del contact_id, instant, types
        return []


def viewer_in(text: str, file: str) -> Viewer:
    """The contact of a JSON file: ``{"contact": {"first_name": …}, "event": {"type": …, "properties": {…}}}``.

    What ``waypost contacts show --json`` prints does too. Raises LocalError.
    """
    form = 'expected {"contact": {"first_name": "…"}, "event": {"properties": {}}}'
    try:
        value = json.loads(text)
    except ValueError as error:
        raise LocalError(f"{file} is not JSON: {error}", form) from None
    if not isinstance(value, dict):
        raise LocalError(f"{file} holds no contact", form)
    profile = value.get("profile")
    attributes = value.get("contact") or (profile.get("attributes") if isinstance(profile, dict) else None)
    event = value.get("event") or {}
    if not isinstance(attributes, dict) or not isinstance(event, dict):
        raise LocalError(f"{file} holds no contact", form)
    contact_id = str(attributes.get("id") or (profile or {}).get("contact_id") or "c-preview")
    return Viewer(contact=Contact(contact_id, created_at=_EVER, attributes=attributes), event=_event(event))


def _event(given: Mapping[str, Any]) -> dict[str, Any]:
    return {**NOTHING_KNOWN["event"], **given}


def event_of(recorded: RecordedEvent | None) -> dict[str, Any]:
    """An event of the history as templates see it."""
    if recorded is None:
        return dict(NOTHING_KNOWN["event"])
    return {
        "id": recorded.id,
        "type": recorded.type,
        "occurred_at": format_instant(recorded.occurred_at),
        "properties": recorded.properties,
    }


def keep(shown: Iterable[Shown], folder: Path, *, pictures: bool) -> list[Path]:
    """Write the files of a preview under ``folder``: each text, the raw mail, its HTML, and pictures of it by Chromium.

    Raises LocalError when pictures are asked for and no Chromium is there; the other files are written by then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    pages: list[Path] = []
    for each in shown:
        if each.refused:
            continue
        name = f"{each.channel}.{each.locale}"
        files.append(_write(folder / f"{name}.txt", as_text(each.content).encode()))
        if each.mail:
            files.append(_write(folder / f"{name}.eml", each.mail))
            pages.append(_write(folder / f"{name}.html", each.html.encode()))
    files += pages
    if pictures and pages:
        with Chromium(find_chromium()) as browser:
            for page in pages:
                files += [_write(page.with_suffix(f".{look.name}.png"), browser.picture(page, look)) for look in LOOKS]
    return files


def as_text(content: Mapping[str, Any]) -> str:
    """The fields of a rendered content, the long one last and without its name."""
    *short, last = [(name, value) for name, value in content.items() if value not in ("", None)] or [("", "")]
    lines = [f"{name}: {_plain(value)}" for name, value in short]
    return "\n".join([*lines, *([""] if lines else []), _plain(last[1])]).strip() + "\n"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def sender_of(choices: Mapping[str, Any]) -> str:
    """The From field that the project deploys with."""
    return str(choices.get("email_sender") or "hello@waypost.example")
