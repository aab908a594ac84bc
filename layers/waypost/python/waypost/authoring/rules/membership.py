"""What a contact is, has and belongs to: tags, groups, segments, stages, consent, addresses, random parts."""

import re
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from waypost.authoring.problems import Authored, is_expression, unknown
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.numbers import Points, is_number, shown
from waypost.authoring.rules.times import TimeWords
from waypost.authoring.rules.values import (
    AnyChannel,
    Channel,
    Day,
    GroupedNames,
    Moment,
    Months,
    Name,
    Names,
    TimeOfDay,
    TimeSpan,
    Weekdays,
)
from waypost.contacts.cleaning.regions import Region, region
from waypost.events.envelope import IDENTITY_KINDS

_LANGUAGE: Final = re.compile("[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")
"""The form of a language tag (RFC 5646): a language of two or three letters, then script, region and the like."""

_SUPPRESSION_REASONS: Final = ("hard_bounce", "complaint", "invalid_number")

_CHINESE: Final = re.compile("[\u4e00-\u9fff]+")


class TagRule(TimeWords):
    """The contact has a tag, any of a list, or any, all, none of some; the time words ask since when."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says("tags", "tag", "has the tag", "{ tag: vip }"),
        Says("tags", "not tag", "has not the tag", "{ not: { tag: dormant-warning } }"),
        Says("tags", "tag: [a, b]", "has any of these tags (also `any_of`)", "{ tag: [vip, gold] }"),
        Says("tags", "tag: {all_of: …}", "has all of these tags", "{ tag: { all_of: [vip, interest-beauty] } }"),
        Says(
            "tags",
            "tag: {none_of: …}",
            "has none of these tags",
            "{ tag: { none_of: [dormant-warning, in-consultation] } }",
        ),
        Says(
            "tags",
            "tag … within",
            "got the tag in the last hours or days",
            "{ tag: interest-beauty, within: 30d }",
            "When it was given last; a tag of which nobody knows since when does not count.",
        ),
        Says(
            "tags",
            "tag … before",
            "has the tag since before this day; every time word goes",
            "{ tag: vip, before: 2026-11-01 }",
        ),
        Says("tags", "tag … older_than", "has the tag for longer than this", "{ tag: vip, older_than: 30d }"),
    )

    tag: GroupedNames


class GroupRule(Authored):
    """The contact is in a group: one it has joined, and stays in until it leaves."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "groups",
            "group",
            "is in the group",
            "{ group: beta-testers }",
            "Since when: `event: group_joined`, where `group` is its name.",
        ),
        Says(
            "groups", "group: [a, b]", "is in any of these groups (also `any_of`)", "{ group: [beta-testers, staff] }"
        ),
        Says(
            "groups",
            "group: {all_of: …}",
            "is in all of these groups",
            "{ group: { all_of: [beta-testers, shanghai-club] } }",
        ),
        Says("groups", "group: {none_of: …}", "is in none of these groups", "{ group: { none_of: [staff] } }"),
    )

    group: GroupedNames


class SegmentRule(TimeWords):
    """The contact is in a saved segment: by the segment's own rule, or with a time word since when it is."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "groups",
            "segment",
            "is in the saved segment of this name",
            "{ segment: high-value }",
            "As true as the moment: the segment's own rule is put in its place. Circles are refused.",
        ),
        Says(
            "groups",
            "segment: {none_of: …}",
            "is in none of these segments (also `any_of`, `all_of`)",
            "{ segment: { none_of: [at-risk] } }",
        ),
        Says(
            "groups",
            "segment … within",
            "came into the segment in this window; every time word goes",
            "{ segment: high-value, within: 7d }",
            "By the kept membership, which `segment_entered` tells of.",
        ),
    )

    segment: GroupedNames


class LifecycleRule(TimeWords):
    """The contact is in a stage of the life cycle, or in any of a list; the time words ask since when."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says("standing", "lifecycle", "is in this stage of the life cycle", "{ lifecycle: active }"),
        Says("standing", "lifecycle: [a, b]", "is in any of these stages", "{ lifecycle: [new, active, mature] }"),
        Says(
            "standing",
            "lifecycle … within",
            "came into the stage in this window; every time word goes",
            "{ lifecycle: active, within: 30d }",
            "By the last event `lifecycle_changed` to this stage; without one it does not count.",
        ),
    )

    lifecycle: Names


class PointsRule(Authored):
    """The contact's points compare so."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "standing",
            "points",
            "has so many points",
            "{ points: { at_least: 1000 } }",
            "Whoever never earned any has 0.",
        ),
    )

    points: Points


class Times(TimeWords):
    """At least one time word."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expected a time word such as last_days: 7")
        return self


class Here(Authored):
    """A span of days, and any of weekday, month, time_of_day; what moves with now would be true of every now, or of none."""

    on: Day | None = None
    before: Moment | None = None
    after: Moment | None = None
    between: TimeSpan | None = None
    weekday: Weekdays | None = None
    month: Months | None = None
    time_of_day: TimeOfDay | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        given = [word for word in ("on", "before", "after", "between") if getattr(self, word) is not None]
        if not self.model_fields_set:
            raise ValueError("expected a word of the calendar such as weekday: [sat, sun]")
        if len(given) > 1:
            raise ValueError(f"expected only one of on, before, after, between, got {' and '.join(given)}")
        return self


class CreatedRule(Authored):
    """When the contact was first seen."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "place",
            "created",
            "was first seen in this window; every time word goes",
            "{ created: { before: 2026-07-01 } }",
        ),
    )

    created: Times


class NowRule(Authored):
    """What time it is where the contact lives."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "place",
            "now: {time_of_day}",
            "it is this time of day where the contact lives",
            "{ now: { time_of_day: ['09:00', '21:00'] } }",
            "With `now` go `time_of_day`, `weekday`, `month`, `on`, `before`, `after`, `between`.",
        ),
        Says(
            "place", "now: {weekday}", "it is one of these days of the week there", "{ now: { weekday: [sat, sun] } }"
        ),
        Says(
            "place",
            "now: {between}",
            "it is in this span of days there (a sale, a holiday)",
            "{ now: { between: [2026-11-20, 2026-11-30] } }",
        ),
    )

    now: Here


def _language_tags(names: object) -> object:
    for name in names if isinstance(names, list) else [names]:
        if not is_expression(name) and not _LANGUAGE.fullmatch(str(name)):
            raise ValueError(f"expected a language tag such as zh, zh-CN or en, got {name!r}")
    return names


class LocaleRule(Authored):
    """The contact reads this language, in any region and script unless one is named."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "place",
            "locale",
            "reads this language: `zh` is also `zh-CN` and `zh-Hans`",
            "{ locale: zh }",
            "A list means any of them. `zh-CN` is not `zh-TW`; `zh_CN` is the same as `zh-CN`.",
        ),
    )

    locale: Annotated[Names, AfterValidator(_language_tags)]


def _known_regions(names: object) -> object:
    for name in names if isinstance(names, list) else [names]:
        found = (
            [region(name, "province"), region(name, "city")]
            if isinstance(name, str) and _CHINESE.fullmatch(name)
            else []
        )
        if found and not any(isinstance(each, Region) for each in found):
            raise ValueError(f"{name!r} is no province or city of China; write for example 浙江, 杭州 or Hangzhou")
    return names


class RegionRule(Authored):
    """The contact lives in this province or city of China, or in any of a list."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "place",
            "region",
            "lives in this province or city: by the attributes `city` and `province`",
            "{ region: 上海 }",
            "However either is spelled (上海, 上海市, Shanghai). A city is in its province too: 杭州 is in 浙江. Names from elsewhere compare as text.",
        ),
        Says("place", "region: [a, b]", "lives in any of these", "{ region: [江苏, 浙江, 上海] }"),
    )

    region: Annotated[Names, AfterValidator(_known_regions)]


class ConsentRule(TimeWords):
    """What the contact answered for a channel, for a topic or in general; the time words ask when."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says("addresses", "consent", "agreed to messages on this channel", "{ consent: email }"),
        Says(
            "addresses",
            "consent … topic",
            "agreed to this topic on the channel",
            "{ consent: email, topic: offers }",
            "The newest answer counts between topic and channel; a withdrawal wins a tie.",
        ),
        Says(
            "addresses",
            "consent … is: withdrawn",
            "took consent back, or said no",
            "{ consent: sms, is: withdrawn }",
            "Everybody who does not agree, asked or not, is `not: {consent: sms}`.",
        ),
        Says(
            "addresses",
            "consent … is: none",
            "was never asked, or never answered",
            "{ consent: sms, is: none }",
            "No time words: who never answered did so at no time.",
            holds=False,
        ),
        Says(
            "addresses",
            "consent … within",
            "gave that answer in this window; every time word goes",
            "{ consent: sms, is: withdrawn, within: 90d }",
        ),
    )

    consent: Channel
    topic: Name | None = None
    is_: Literal["granted", "withdrawn", "none"] | None = Field(None, alias="is")

    @model_validator(mode="after")
    def _was_answered(self) -> Self:
        times = [word for word in TimeWords.model_fields if getattr(self, word) is not None]
        if self.is_ == "none" and times:
            raise ValueError(f"can never hold: who never answered did so at no time; leave out {times[0]!r}")
        return self


def _known_reasons(names: object) -> object:
    for name in names if isinstance(names, list) else [names]:
        if not is_expression(name) and name not in _SUPPRESSION_REASONS:
            raise ValueError(unknown(name, _SUPPRESSION_REASONS, "unknown reason"))
    return names


class SuppressedRule(Authored):
    """No message may go to the contact on this channel (``any``: on at least one)."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "addresses",
            "suppressed",
            "messages on this channel are stopped, for whatever reason (`any`: on some channel)",
            "{ suppressed: sms }",
        ),
        Says(
            "addresses",
            "suppressed … reason",
            "… for this reason: `hard_bounce`, `complaint`, `invalid_number`",
            "{ suppressed: any, reason: invalid_number }",
        ),
    )

    suppressed: AnyChannel
    reason: Annotated[Names, AfterValidator(_known_reasons)] | None = None


class ReachableRule(Authored):
    """A marketing message could go to the contact: an address, consent, no suppression."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "addresses",
            "reachable",
            "has an address on the channel, agreed (to the topic) and is not suppressed (`any`: on some channel)",
            "{ reachable: email, topic: offers }",
            "Quiet hours and frequency caps are asked when a message is sent, not here.",
        ),
    )

    reachable: AnyChannel
    topic: Name | None = None


class AddressRule(Authored):
    """The contact has an address on a channel."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "addresses",
            "address",
            "has an address on this channel (`any`: on some channel)",
            "{ address: sms }",
            "By the attributes `email` and, for `sms`, `phone`.",
        ),
    )

    address: AnyChannel


class IdentityRule(Authored):
    """The contact is known by an identity of a kind."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "addresses",
            "identity",
            f"is known by such an identity: {', '.join(f'`{kind}`' for kind in IDENTITY_KINDS)}",
            "{ identity: user_id }",
        ),
        Says(
            "addresses",
            "identity … account",
            "has an openid of this WeChat account (follows it, or uses the mini program)",
            "{ identity: openid, account: wx-shop }",
        ),
    )

    identity: Literal["user_id", "anonymous_id", "unionid", "external_userid", "openid", "email", "phone"]
    account: Name | None = None

    @model_validator(mode="after")
    def _has_accounts(self) -> Self:
        if self.account is not None and self.identity != "openid":
            raise ValueError(f"'account' goes with openid alone; {self.identity!r} is the same in every account")
        return self


def _percentage(value: Any) -> Any:
    if not is_number(value) or not 0 <= value <= 100:
        raise ValueError(f"expected a percentage from 0 to 100, got {shown(value)}")
    if round(value * 100) != value * 100:
        raise ValueError(f"expected a percentage with at most two decimals, got {value!r}")
    return value


def _some_percent(value: Any) -> Any:
    if _percentage(value) == 0:
        raise ValueError("expected a percentage greater than 0, got 0; leave the hold-out away to keep nobody out")
    return value


Percentage = Annotated[
    Any, AfterValidator(_percentage), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100})
]
SomePercent = Annotated[
    Any, AfterValidator(_some_percent), WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 100})
]


class Bucket(Authored):
    """A part of everybody, in percent."""

    salt: Name
    from_: Percentage = Field(alias="from")
    to: Percentage

    @model_validator(mode="after")
    def _has_somebody(self) -> Self:
        if self.from_ >= self.to:
            raise ValueError("expected 'to' larger than 'from': from 0 to 50 is one half, from 50 to 100 the other")
        return self


class BucketRule(Authored):
    """The contact falls into a random part of everybody, always into the same one."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "random",
            "bucket",
            "falls into this part of everybody, in percent: from 0 to 50 is one half, from 50 to 100 the other",
            "{ bucket: { salt: autumn-test, from: 50, to: 100 } }",
            "`from` is inside, `to` is not. The same salt gives the same draw everywhere and for ever; another salt an independent one.",
        ),
    )

    bucket: Bucket


class Holdout(Authored):
    """The part of everybody that gets nothing, in percent."""

    salt: Name
    percent: SomePercent


class HoldoutRule(Authored):
    """The contact belongs to a hold-out group, kept out of campaigns to measure what they change."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "random",
            "holdout",
            "belongs to the hold-out of this salt",
            "{ holdout: { salt: all-2026, percent: 10 } }",
            "The same people as `bucket` from 0 to the percentage with the same salt.",
            holds=False,
        ),
        Says(
            "random",
            "not holdout",
            "does not belong to it: whom a campaign may reach",
            "{ not: { holdout: { salt: all-2026, percent: 10 } } }",
        ),
    )

    holdout: Holdout
