"""What a channel is: the one class a channel folder implements, and what passes between it, its providers and the sender.

A channel is a folder of this package with

- ``channel.json``: where its address is kept, what its providers report, its names (read by ``waypost.contacts.channels``)
- ``channel.py``: ``CHANNEL``, a ChannelPlugin: limits and rendering
- ``provider_<name>.py``: ``connect(settings, ports)``, which returns a Provider
- ``notices.py``: ``SOURCES``, which maps each source of notices to a NoticeReader; where a provider publishes to a topic of ours,
  ``TOPICS``, which maps a field that only its messages have to a TopicReader
- ``authored.py`` (files that authors write, and their checks), ``fake.py`` (the providers' HTTP answers), ``infra.py`` (what
  it needs in the account) and ``samples/``, which are not shipped to Lambda.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Protocol, TypeVar

from waypost.channels.answers import Answer
from waypost.channels.calls import AwsService
from waypost.clock import Clock
from waypost.contacts.channels import Address, Channel
from waypost.contacts.profile import Contact
from waypost.content.link_rewriting import LinkRewriter
from waypost.content.locale import choose_locale
from waypost.content.message import PublishedMessage
from waypost.content.render import Filler, MessageNotRenderable
from waypost.content.templates import prepared
from waypost.content.visible_text import texts_in, visible
from waypost.content.wording import Reader
from waypost.events.envelope import Event
from waypost.events.message_events import MessageEvent
from waypost.events.ports import SecretStore

if TYPE_CHECKING:
    from waypost.channels.callback_contract import CallbackNotice
    from waypost.channels.inbox.box import InboxWriter
    from waypost.http.ports import Caller
    from waypost.tencent.access_tokens import TokenStore

Content = TypeVar("Content")

_TOKEN: Final = re.compile(r"(?<=/[a-z]/)[\w-]{20,}(?:\.[\w-]+)?", re.ASCII)
"""The token in a link of ours: letters by chance, among which any word may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing(Generic[Content]):
    """One message to one address.

    ``tags`` travel with it and come back in the provider's notices; among them are ``message_key`` and ``contact_id``.
    ``unsubscribe_url`` is where a recipient of marketing ends it with one click.
    """

    to: Address
    content: Content
    message_key: str
    transactional: bool
    unsubscribe_url: str
    tags: Mapping[str, str]


class Provider(ABC, Generic[Content]):
    """Hands messages of one channel to one provider."""

    @abstractmethod
    def send(self, outgoing: Outgoing[Content]) -> Answer:
        """Call the provider once. Never raises for what the provider or the network does."""

    def send_all(self, outgoing: Sequence[Outgoing[Content]]) -> Sequence[Answer]:
        """Hand over several messages, each once, and answer for each in their order; a call each where a call takes one."""
        return [self.send(each) for each in outgoing]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPorts:
    """What a provider may use.

    ``aws`` gives the AWS service of a name such as ``sesv2``, ``secret`` the secret of an id. ``poster`` makes what calls the
    outside world, ``tokens`` what keeps the access tokens of all processes, ``inbox`` what keeps messages for a site to show,
    at another address than the table's own where one is given.
    """

    aws: Callable[[str], AwsService]
    secret: Callable[[str], SecretStore]
    poster: "Callable[[], Caller]"
    clock: Clock
    tokens: "Callable[[], TokenStore]"
    inbox: "Callable[[str], InboxWriter]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What one notice says of one message.

    ``provider_word`` is the provider's own name for it; ``properties`` are what the event says besides (see
    ``waypost.events.message_events``). Without ``occurred_at`` it happened when the notice arrived. ``recipient`` is the
    address it is about, for a message whose tags do not name it. ``untagged``: the provider carries no tags, so the message is the
    one that went to ``recipient`` and that the provider calls ``provider_message_id``; there is none if another system sent it.
    """

    event: MessageEvent
    provider_word: str
    provider_message_id: str
    tags: Mapping[str, str]
    occurred_at: datetime | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    recipient: str = ""
    untagged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """What somebody sent back: ``sender`` is the address that it came from.

    ``wish`` is ``opt_out`` or ``opt_in`` where the whole reply is one of the provider's words for it, else "".
    """

    sender: str
    text: str
    wish: Literal["opt_out", "opt_in", ""]
    reply_id: str
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What somebody did at a provider, such as following an account; ``event`` is the type of the event.

    ``address`` is who did it, as the channel addresses people.
    """

    event: str
    address: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None


class NoticeReader(Protocol):
    """Reads the notices of one source, such as ``aws.ses``."""

    def __call__(self, detail: Mapping[str, Any]) -> Reported | Replied | Happened | None:
        """What the notice says; None for a kind that has no event.

        Raises ValueError for a word that says what became of a message and is in no table: such a notice ends in the
        dead letters, whose alarm asks for the missing line.
        """
        ...


class TopicReader(Protocol):
    """Reads what a provider publishes to a topic of ours (``ChannelInfra.replies``)."""

    def __call__(self, message: Mapping[str, Any]) -> "Sequence[CallbackNotice]":
        """The notices in it, each with a source of ``SOURCES``. Raises KeyError, TypeError or ValueError for what is none."""
        ...


CREDIT: Final = "template:"
"""How a right to messages of one template is called; any other is a conversation that is open for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRight:
    """A right that a person gives at an address: one message more, or ``messages`` within a time."""

    address: Address
    name: str
    messages: int = 1
    within: timedelta | None = None


def words_of(shown: Any) -> str:
    """What a reader sees of texts, however deep they are, each in lines of its own."""
    return "\n".join([_TOKEN.sub("", visible(text)) for text in texts_in(shown)])


class ChannelPlugin(ABC, Generic[Content]):
    """One channel: its addresses, its limits and how it fills a message in. ``Content`` is the message as it is sent."""

    def __init__(self, name: str) -> None:
        self.name = Channel(name)

    def addresses(self, contact: Contact) -> Sequence[Address]:
        """The contact's addresses on this channel, the newest last."""
        return contact.addresses(self.name)

    def addresses_for(self, message: PublishedMessage, contact: Contact) -> Sequence[Address]:
        """Those of the contact's addresses that this message can go to, the newest last."""
        del message
        return self.addresses(contact)

    def rights_for(self, message: PublishedMessage) -> Sequence[str]:
        """The rights of which the person must have given one, by acting, for this message to go out; most need none.

        The first one that is open counts, whether or not anything of it is left.
        """
        del message
        return ()

    def rights_in(self, event: Event) -> Sequence[GivenRight]:
        """The rights that a person gives by this event, which is one of ``gives_rights`` in ``channel.json``."""
        del event
        return ()

    def repeatable_for(self, message: PublishedMessage) -> timedelta | None:
        """For how long a call may be repeated with the same message key, because the provider itself then sends once.

        None where it may not, as everywhere unless the provider documents it.
        """
        del message
        return None

    @abstractmethod
    def fill(self, templates: Mapping[str, str], filler: Filler) -> Content:
        """The content from one locale's templates, as ``authored.py`` published them. Raises MessageNotRenderable."""

    @abstractmethod
    def over_limit(self, content: Content) -> str:
        """Why the providers of this channel would not take content of this size; "" when they would."""

    def tracks(self, to: Address) -> bool:
        """Whether links of messages to this address may be replaced by ones that record who follows them."""
        del to
        return True

    def tracked(self, content: Content, links: LinkRewriter) -> Content:
        """The content with its links replaced; as it is on a channel whose messages have none."""
        del links
        return content

    def marked(self, content: Content, mark: str) -> Content:
        """The content with a mark in front of its title; as it is on a channel whose messages have none."""
        del mark
        return content

    def words(self, content: Content) -> str:
        """What a reader sees of the content, for the checks of words; its fields are in lines of their own."""
        return words_of(content)

    def parts(self, content: Content) -> tuple[int, str] | None:
        """How many parts the content is billed as, and their encoding; None on a channel that bills messages."""
        del content
        return None

    def render(
        self,
        message: PublishedMessage,
        *,
        locale: str | None,
        default_locale: str,
        zone: tzinfo,
        variables: Mapping[str, Any],
        links: LinkRewriter | None = None,
    ) -> Content:
        """The message in the locale nearest to ``locale``, with times as the clock shows them in ``zone``.

        ``variables`` has the keys ``contact, event, journey, message, links``, and ``products`` for a message that asks
        for them; ``links`` replaces its links. Raises MessageNotRenderable.
        """
        variants = message.variants.get(self.name)
        if not variants:
            raise MessageNotRenderable(f"{message.name} has no {self.name}")
        chosen = choose_locale(locale, variants, default_locale)
        filler = Filler(prepared(variables, Reader(chosen, zone)), f"{message.name} {self.name}.{chosen}")
        content = self.fill(variants[chosen], filler)
        if links is not None:
            links.allow(variants[chosen], variables)
            content = self.tracked(content, links)
        if reason := self.over_limit(content):
            raise MessageNotRenderable(f"{filler.place}: {reason}")
        return content
