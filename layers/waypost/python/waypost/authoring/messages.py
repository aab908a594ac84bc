"""The messages of a journey as authored, checked and compiled. Used by discovery, at publish time.

A message is a folder: ``message.yaml`` and, per channel and locale, the files that ``channels/<name>/authored.py`` reads.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, create_model, field_validator

from waypost.authoring.brands import BrandName
from waypost.authoring.channels import ChannelName, authored_channels
from waypost.authoring.coupons import PoolName
from waypost.authoring.forbidden_words import problems_of
from waypost.authoring.message_templates import SAMPLE_BRAND, UNSUBSCRIBE_URL, MessageTemplates
from waypost.authoring.problems import Authored, Problem, explain, unknown
from waypost.authoring.products import Id as ProductId
from waypost.authoring.products import Tag as ProductTag
from waypost.authoring.rules import Duration, Name
from waypost.authoring.yaml_reading import UnclearYamlError, read_yaml
from waypost.channels.authored_contract import AuthoredChannel, Source, UnusableFile, read, wrong_locale
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.message import MOST_SOLD, Backups, MessageKind, Priority
from waypost.durations import parse_duration

_FILE: Final = re.compile(r"(?P<channel>[a-z0-9_]+)\.(?P<locale>[A-Za-z_-]+)\.(?P<kind>[a-z0-9]+)")


Sells = Annotated[
    list[ProductId],
    BeforeValidator(lambda given: [given] if isinstance(given, str) else given),
    Field(min_length=1, max_length=MOST_SOLD),
]
"""Ids of products, or one, or ``event``."""


class WantedProducts(Authored):
    """How many related products a message shows; with fewer than ``at_least`` it is not sent. ``tag``: only those that have it."""

    related: Annotated[int, Field(ge=1, le=12)]
    at_least: Annotated[int, Field(ge=0, le=12)] = 0
    tag: ProductTag | None = None


class ForSegment(Authored):
    """Another message of the journey, which goes to the members of a saved segment instead."""

    segment: Name
    message: Name


MOST_BACKUPS: Final = 3


class BackupMessages(Authored):
    """Other messages of the journey that go out when this one fails, in their order, within a time of its first failure."""

    messages: Annotated[list[Name], Field(min_length=1, max_length=MOST_BACKUPS)]
    within: Duration = "2h"


class MessageManifest(Authored):
    """One ``message.yaml``: ``topic`` is what consent is asked for; ``channels`` in the order they are tried.

    ``coupon`` is the pool of the coupon that it speaks of: without a valid one it is not sent. ``sells`` are the products that it is to
    sell, or ``event`` for those that the journey's event names: who has bought them does not get it. ``best_hour``: it waits for the hour
    at which its contact reads. ``for_segments``: the messages that members of segments get instead, the first that fits. ``tracked: false`` leaves its links as they are and records no opening.
    ``brand`` is the one of ``brands.yaml`` that it goes out under, where its journey names none or another. ``backups`` go out when
    it fails.
    """

    kind: MessageKind
    topic: Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=50)]
    channels: Annotated[list[ChannelName], Field(min_length=1)]
    description: str | None = None
    products: WantedProducts | None = None
    coupon: PoolName | None = None
    sells: Sells | None = None
    priority: Priority = "normal"
    tracked: bool = True
    brand: BrandName | None = None
    best_hour: bool = False
    backups: BackupMessages | None = None
    for_segments: Annotated[list[ForSegment], Field(max_length=20)] = Field(default_factory=list)

    @field_validator("channels")
    @classmethod
    def _each_once(cls, channels: list[ChannelName]) -> list[ChannelName]:
        if len(set(channels)) < len(channels):
            raise ValueError("names a channel twice")
        return channels

    @field_validator("sells", "best_hour")
    @classmethod
    def _marketing_alone(cls, given: Any, others: ValidationInfo) -> Any:
        if given and others.data.get("kind") == "transactional":
            raise ValueError("is for marketing: a transactional message goes out at once, whatever was bought")
        return given


@cache
def message_manifest() -> type[MessageManifest]:
    """The model of ``message.yaml`` with the fields that channels add to it."""
    fields: dict[str, Any] = {}
    for channel, authored in authored_channels().items():
        if shared := fields.keys() & authored.fields.keys():
            raise TypeError(f"channels/{channel}/authored.py: another channel has the field {min(shared)!r} too")
        fields |= authored.fields
    return create_model("MessageManifest", __base__=MessageManifest, __doc__=MessageManifest.__doc__, **fields)


@dataclass(frozen=True, slots=True)
class MessageFolder:
    """Reads one message folder.

    ``look`` is the folder that ``mj-include`` reads, ``shown`` how paths are reported, ``words`` what no message may say. ``brands`` are those that are declared, ``brand`` the one of its journey.
    """

    path: Path
    look: Path
    default_locale: str
    shown: Callable[[Path], str]
    words: ForbiddenWords
    brands: Mapping[str, Any] = field(default_factory=dict)
    brand: str = ""

    def read(self) -> tuple[dict[str, Any] | None, list[Problem]]:
        """The published form of the message, or what is wrong with it."""
        manifest_path = self.path / "message.yaml"
        try:
            value = read_yaml(manifest_path)
            manifest = message_manifest().model_validate(value)
        except FileNotFoundError:
            return None, [self._problem(manifest_path, "", "is missing: a message is a folder with a message.yaml")]
        except UnclearYamlError as error:
            return None, [self._problem(manifest_path, "", str(error))]
        except ValidationError as error:
            found = explain(error, value, message_manifest())
            return None, [self._problem(manifest_path, field, reason) for field, reason in found]
        problems: list[Problem] = []
        brand = manifest.brand or self.brand
        if manifest.brand and manifest.brand not in self.brands:
            reason = unknown(manifest.brand, self.brands, "brands.yaml has no brand")
            problems.append(self._problem(manifest_path, "brand", reason))
        variants: dict[str, dict[str, dict[str, str]]] = {channel: {} for channel in manifest.channels}
        problems.extend(self._missing(manifest))
        for channel, locale, path in self._sources(manifest, problems):
            try:
                variants[channel][locale] = self._variant(manifest, channel, locale, path)
            except UnusableFile as error:
                problems.append(self._problem(error.path, error.field, error.reason))
        published = {
            "name": self.path.name,
            "kind": manifest.kind,
            "topic": manifest.topic,
            "priority": manifest.priority,
            "channels": list(manifest.channels),
            "variants": variants,
            **({} if manifest.tracked else {"tracked": False}),
            **({"brand": brand} if brand else {}),
            **({"backups": _backups(manifest.backups)} if manifest.backups else {}),
            **({"best_hour": True} if manifest.best_hour else {}),
            **(
                {"for_segments": [[each.segment, each.message] for each in others]}
                if (others := manifest.for_segments)
                else {}
            ),
            **({} if manifest.products is None else {"products": manifest.products.model_dump(exclude_none=True)}),
            **({} if manifest.coupon is None else {"coupon": manifest.coupon}),
            **({} if manifest.sells is None else {"sells": manifest.sells}),
        }
        return (None, problems) if problems else (published, [])

    def _sources(self, manifest: MessageManifest, problems: list[Problem]) -> Iterator[tuple[str, str, Path]]:
        """Each variant's file; files that belong to none are problems."""
        for path in sorted(self.path.iterdir()):
            match = _FILE.fullmatch(path.name)
            if path.name == "message.yaml" or path.name.startswith("."):
                continue
            authored = authored_channels().get(match["channel"]) if match else None
            kinds = {kind for each in authored_channels().values() for kind in (each.kind, each.companion)}
            if not match or not authored or match["kind"] not in kinds:
                reason = f"not a file of a message; expected {_expected_files()} with a locale such as zh-CN or en"
                problems.append(self._problem(path, "", reason))
            elif reason := wrong_locale(match["locale"]):
                problems.append(self._problem(path, "", f"not a file of a message; {reason}"))
            elif match["channel"] not in manifest.channels:
                problems.append(self._problem(path, "", f"message.yaml does not list the channel {match['channel']!r}"))
            elif match["kind"] == authored.kind:
                yield match["channel"], match["locale"], path
            elif match["kind"] != authored.companion or not path.with_suffix(f".{authored.kind}").exists():
                problems.append(self._problem(path, "", f"expected a .{authored.kind} file"))

    def _missing(self, manifest: MessageManifest) -> Iterator[Problem]:
        for channel in manifest.channels:
            authored = authored_channels()[channel]
            path = self.path / f"{channel}.{self.default_locale}.{authored.kind}"
            if not path.exists():
                yield self._problem(path, "", f"is missing: {self.default_locale} is the default locale (sending.yaml)")
            names = [_FILE.fullmatch(each.name) for each in self.path.glob(f"{channel}.*.{authored.kind}")]
            for file, where, reason in authored.missing(
                channel,
                _fields_of(authored, manifest),
                locales={name["locale"] for name in names if name and not wrong_locale(name["locale"])},
                default_locale=self.default_locale,
            ):
                yield self._problem(self.path / file, where, reason)

    def _variant(self, manifest: MessageManifest, channel: str, locale: str, path: Path) -> dict[str, str]:
        """The templates of one channel and locale, checked. Raises UnusableFile."""
        authored, brand = authored_channels()[channel], manifest.brand or self.brand
        templates = authored.compile(
            Source(
                path=path,
                locale=locale,
                text=read(path),
                manifest=self.path / "message.yaml",
                is_marketing=manifest.kind == "marketing",
                fields=_fields_of(authored, manifest),
                templates=MessageTemplates(
                    manifest.products.at_least if manifest.products else None,
                    has_coupon=manifest.coupon is not None,
                    has_brand=bool(brand),
                ),
                include=self._include,
                unsubscribe_url=UNSUBSCRIBE_URL,
                postal_address=SAMPLE_BRAND["postal_address"]
                if self.brands.get(brand, {}).get("postal_address")
                else "",
            )
        )
        for name, reason in problems_of(self.words, templates, channel=channel, locale=locale, kind=manifest.kind):
            is_field = name in authored.fields
            raise UnusableFile(
                self.path / "message.yaml" if is_field else path, f"{name}.{locale}" if is_field else "", reason
            )
        return templates

    def _include(self, path: str) -> str:
        file = (self.look / path).resolve()
        if not file.is_relative_to(self.look.resolve()) or not file.is_file():
            raise FileNotFoundError(path)
        return file.read_text(encoding="utf-8")

    def _problem(self, path: Path, field: str, reason: str) -> Problem:
        return Problem(self.shown(path), field, reason)


def _backups(given: BackupMessages) -> dict[str, Any]:
    return Backups(tuple(given.messages), parse_duration(given.within)).to_dict()


def _fields_of(authored: AuthoredChannel, manifest: MessageManifest) -> dict[str, Any]:
    return {name: getattr(manifest, name) for name in authored.fields}


def _expected_files() -> str:
    """``email.<locale>.mjml, email.<locale>.txt or sms.<locale>.txt``."""
    kinds = [
        f"{channel}.<locale>.{kind}"
        for channel, authored in authored_channels().items()
        for kind in (authored.kind, authored.companion)
        if kind
    ]
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}"
