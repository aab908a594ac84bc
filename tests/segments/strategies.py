"""Random rules, contacts and histories, with the clocks, days and ties where mistakes hide. Used by the property tests."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cmp_to_key
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.segments.documented import EXAMPLES
from waypost.contacts.consent import Consent
from waypost.segments.comparing import order
from waypost.segments.compile import Subject
from waypost.segments.conditions import CONDITIONS
from waypost.segments.subject import Enrolled

EDGES = {
    "UTC": (),
    "Asia/Shanghai": (),
    "Asia/Kolkata": (),  # never changes, but is half an hour off
    "Europe/Berlin": (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), datetime(2027, 10, 31, 1, 0, tzinfo=UTC)),
    "America/New_York": (datetime(2027, 3, 14, 7, 0, tzinfo=UTC), datetime(2027, 11, 7, 6, 0, tzinfo=UTC)),
    # no midnight on the first of the two days; on the second the last hour of the day before comes twice
    "America/Sao_Paulo": (datetime(2018, 11, 4, 3, 0, tzinfo=UTC), datetime(2018, 2, 18, 2, 0, tzinfo=UTC)),
    "Africa/Cairo": (datetime(2027, 4, 29, 22, 0, tzinfo=UTC), datetime(2027, 10, 28, 21, 0, tzinfo=UTC)),
    "Asia/Beirut": (datetime(2027, 3, 27, 22, 0, tzinfo=UTC), datetime(2027, 10, 30, 21, 0, tzinfo=UTC)),
    "America/Havana": (datetime(2027, 11, 7, 5, 0, tzinfo=UTC),),  # midnight comes twice
    "Australia/Lord_Howe": (datetime(2027, 4, 3, 15, 0, tzinfo=UTC), datetime(2027, 10, 2, 15, 30, tzinfo=UTC)),
    "Pacific/Apia": (datetime(2011, 12, 30, 10, 0, tzinfo=UTC),),  # skips a day
}
"""Zones, and the instants at which their clocks change."""
ZONES = [ZoneInfo(name) for name in EDGES]
NOWS = [
    datetime(2027, 3, 28, 0, 30, tzinfo=UTC),  # Berlin's clocks go forward half an hour later
    datetime(2027, 3, 28, 22, 30, tzinfo=UTC),
    datetime(2027, 11, 7, 5, 30, tzinfo=UTC),  # New York, 01:30 the first time
    datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
    datetime(2027, 2, 28, 16, 0, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2027, 1, 1, 0, 0, tzinfo=UTC),
    datetime(2027, 3, 1, 2, 0, tzinfo=UTC),
]
TICK = timedelta(microseconds=1)
AROUND = [
    timedelta(),
    TICK,
    -TICK,
    timedelta(minutes=30),
    timedelta(minutes=-30),
    timedelta(hours=1),
    timedelta(hours=-1),
]
"""How near to a change of the clocks, or to the end of a window, something happens."""
LATER = [
    timedelta(),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=12),
    timedelta(days=1),
    timedelta(days=6),
]
OFFSETS = [
    0,
    1,
    1800,
    3600,
    5400,
    86_399,
    86_400,
    86_401,
    90_000,
    2 * 86_400,
    3 * 86_400,
    7 * 86_400,
    30 * 86_400,
    31 * 86_400,
    366 * 86_400,
]

NAMES = st.sampled_from(["a", "b", "c.d", "c"])
TEXTS = st.sampled_from(["", "x", "Xy", "xy", "5", "é", "ſ", "2027-03-01", "2027-03-01T10:00:00+08:00", "2027-03-01T02:00:00Z",
                         "2027-03-28", "2028-02-29", "1996-02-29", "2011-12-30", "2018-11-04", "2027-03-28T01:00:00Z", "2027-01-01"])  # fmt: skip
NUMBERS = st.one_of(st.integers(-3, 3), st.floats(-3, 3, allow_nan=False), st.just(10**20))
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans())
PIECES = SCALARS.filter(lambda value: value != "")
DATES = st.sampled_from(
    ["2027-03-28", "2027-03-27", "2027-03-01", "2011-12-29", "2011-12-31", "2018-11-04", "2018-02-18", "2027-04-30",
     "2027-10-29", "2027-10-31", "2027-11-07", "2028-02-29", "2026-12-31"]
)  # fmt: skip
MOMENTS = st.one_of(
    DATES, st.sampled_from(["2027-03-28T01:00:00Z", "2027-01-01T00:00:00+08:00", "2018-11-04T03:00:00"])
)
TIMES = st.one_of(NUMBERS, MOMENTS)
VALUES = st.recursive(
    st.one_of(SCALARS, st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["d", "e"]), inner, max_size=2)
    ),
    max_leaves=4,
)
MAPPINGS = st.dictionaries(NAMES, VALUES, max_size=4)
SPANS = st.sampled_from(["1s", "30m", "1h", "36h", "1d", "2d", "7d", "30d"])
NUMBER_TESTS = st.one_of(
    st.integers(0, 3),
    st.dictionaries(
        st.sampled_from(["equals", "at_least", "at_most", "more_than", "less_than"]),
        st.sampled_from([0, 1, 2, 2.0, 3, 7, 30]),
        min_size=1,
        max_size=2,
    ),
    st.sampled_from([{"between": [1, 2]}, {"between": [0, 7]}]),
)
WEEKDAYS = st.lists(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1, max_size=4)
MONTHS = st.lists(st.integers(1, 12), min_size=1, max_size=6)
CLOCK_TIMES = st.sampled_from([["00:00", "02:00"], ["22:00", "02:30"], ["09:00", "21:00"], ["12:00", "00:00"]])
PERIODS = [
    "today",
    "yesterday",
    "this_week",
    "last_week",
    "this_month",
    "last_month",
    "this_quarter",
    "last_quarter",
    "this_year",
    "last_year",
]


def short(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The strategy under a short name: Hypothesis prints nested ones in full, which takes longer than the test."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Any:
        return draw(strategy)

    return drawn()


def one(**words: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Exactly one of these words."""
    return st.one_of(*(st.fixed_dictionaries({word.rstrip("_"): values}) for word, values in words.items()))


def ordered_pair(values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.tuples(values, values).map(
        lambda pair: sorted(pair, key=cmp_to_key(lambda one, other: order(one, other) or 0))
    )


_WINDOW = one(
    within=SPANS, older_than=SPANS, last_days=st.sampled_from([1, 2, 7, 30]), period=st.sampled_from(PERIODS), on=DATES,
    before=MOMENTS, after=MOMENTS, between=ordered_pair(MOMENTS), days_since=NUMBER_TESTS,
)  # fmt: skip
WINDOW = short(_WINDOW)
BETWEEN_SPANS = st.sampled_from(
    [{"within": "7d", "older_than": "1d"}, {"within": "36h", "older_than": "1h"}, {"within": "1h", "older_than": "30m"}]
)
CALENDAR = st.fixed_dictionaries({}, optional={"weekday": WEEKDAYS, "month": MONTHS, "time_of_day": CLOCK_TIMES})
_SINCE = st.one_of(
    st.just({}), WINDOW, BETWEEN_SPANS, st.builds(lambda window, calendar: {**window, **calendar}, WINDOW, CALENDAR)
)
SINCE = short(_SINCE)
HERE = one(
    on=DATES,
    before=MOMENTS,
    after=MOMENTS,
    between=ordered_pair(MOMENTS),
    weekday=WEEKDAYS,
    month=MONTHS,
    time_of_day=CLOCK_TIMES,
)
SOME_TIME = st.one_of(WINDOW, one(weekday=WEEKDAYS, month=MONTHS, time_of_day=CLOCK_TIMES))

_COMPARISONS = st.one_of(
    one(
        equals=SCALARS, not_equals=SCALARS, in_=st.lists(SCALARS, min_size=1, max_size=3), not_in=st.lists(SCALARS, min_size=1, max_size=3),
        exists=st.booleans(), is_empty=st.booleans(), equals_trigger=NAMES, equals_property=NAMES, contains_property=NAMES,
    ),
    one(at_least=TIMES, at_most=TIMES, more_than=TIMES, less_than=TIMES, between=st.sampled_from([[-1, 2], [0, 0], [1, 2.5]])),
    one(
        contains=PIECES, contains_any=st.lists(PIECES, min_size=1, max_size=3), contains_all=st.lists(PIECES, min_size=1, max_size=2),
        contains_none=st.lists(PIECES, min_size=1, max_size=2), starts_with=st.sampled_from(["x", "20"]), ends_with=st.sampled_from(["y", "01"]),
        matches=st.sampled_from(["^x", "[0-9]{4}-", "y$|é"]), length=NUMBER_TESTS, size=NUMBER_TESTS,
    ),
    st.builds(
        lambda comparison: {**comparison, "ignore_case": True},
        one(equals=TEXTS, in_=st.lists(TEXTS, min_size=1, max_size=2), contains=TEXTS.filter(bool), starts_with=st.just("X"), matches=st.just("XY")),
    ),
    WINDOW,
    one(
        within_next=SPANS, next_days=st.sampled_from([1, 2, 7, 400]), days_until=NUMBER_TESTS, weekday=WEEKDAYS, month=MONTHS, time_of_day=CLOCK_TIMES,
        age=NUMBER_TESTS, period=st.sampled_from(["tomorrow", "next_week", "next_month", "next_year"]),
        anniversary=st.one_of(
            st.sampled_from(["today", "tomorrow", "this_month", "next_month"]),
            one(next_days=st.sampled_from([1, 7, 30, 366]), last_days=st.sampled_from([1, 7, 366]), in_days=st.sampled_from([0, 1, 30, 365])),
        ),
    ),
)  # fmt: skip
COMPARISONS = short(_COMPARISONS)

TYPES = [
    "order_placed",
    "page_viewed",
    "lifecycle_changed",
    "message_delivered",
    "message_opened",
    "message_clicked",
    "unsubscribed",
    "tag_added",
    "coupon_issued",
    "coupon_redeemed",
]
TYPE = st.sampled_from(["order_placed", "page_viewed"])
EVENT_TYPES = st.one_of(TYPE, TYPE, st.just(["order_placed", "page_viewed"]), st.just("*"))
PROPERTY_RULES = st.builds(lambda name, comparison: {"property": name, **comparison}, NAMES, COMPARISONS)
SHORTHAND = st.dictionaries(
    st.sampled_from(["a", "b", "c", "points", "journey"]),
    st.one_of(
        SCALARS,
        st.lists(SCALARS, min_size=1, max_size=2),
        one(at_least=NUMBERS, contains=PIECES, exists=st.booleans()),
    ),
    min_size=1,
    max_size=2,
)
_WHERE = st.one_of(
    PROPERTY_RULES, SHORTHAND, st.builds(lambda rules: {"any": rules}, st.lists(PROPERTY_RULES, min_size=1, max_size=2))
)
WHERE = short(_WHERE)
LIMITS = st.one_of(
    st.just({}),
    one(
        at_least=st.integers(1, 3),
        at_most=st.integers(0, 2),
        exactly=st.integers(0, 2),
        more_than=st.integers(0, 2),
        less_than=st.integers(1, 3),
    ),
    st.just({"at_least": 1, "at_most": 2}),
)
SOME_LIMITS = LIMITS.filter(bool)
FOLLOWING = st.builds(
    lambda kind, more: {"event": kind, **more},
    EVENT_TYPES,
    st.fixed_dictionaries(
        {},
        optional={
            "within": SPANS,
            "same": st.one_of(NAMES, st.dictionaries(NAMES, NAMES, min_size=1, max_size=1)),
            "where": PROPERTY_RULES,
        },
    ),
)
_FOLLOWINGS = st.one_of(FOLLOWING, st.builds(lambda first, then: {**first, "followed_by": then}, FOLLOWING, FOLLOWING))
FOLLOWINGS = short(_FOLLOWINGS)
_MEASURED = st.one_of(
    LIMITS,
    LIMITS,
    st.builds(lambda count, limits: {"count": count, **limits}, st.sampled_from(["days", "weeks", "months", "days_in_a_row"]), SOME_LIMITS),
    st.builds(
        lambda word, name, limits: {word: name, **limits},
        st.sampled_from(["sum", "average", "smallest", "largest", "distinct", "repeated"]), NAMES, SOME_LIMITS,
    ),
    st.builds(lambda name, wanted: {"most_frequent": name, **wanted}, NAMES, one(equals=SCALARS, in_=st.lists(SCALARS, min_size=1, max_size=2))),
    st.builds(lambda which, more: {"occurrence": which, **more}, st.sampled_from(["first", "last", 1, 2]), st.fixed_dictionaries({}, optional={"having": WHERE})),
)  # fmt: skip
MEASURED = short(_MEASURED)
_COUNTED = st.builds(
    lambda since, measured, more: {**since, **more, **measured},
    SINCE,
    MEASURED,
    st.fixed_dictionaries({}, optional={"where": WHERE, "followed_by": FOLLOWINGS, "not_followed_by": FOLLOWING}),
)
COUNTED = short(_COUNTED)
_EVENTS = st.builds(lambda kind, counted: {"event": kind, **counted}, EVENT_TYPES, COUNTED)
EVENTS = short(_EVENTS)
_ENGAGEMENTS = st.one_of(
    st.builds(
        lambda what, more, counted: {**counted, **more, **what},
        st.sampled_from([{"engagement": "opened"}, {"engagement": "delivered", "channel": "sms"}, {"engagement": "unsubscribed", "channel": "email"}, {"engagement": "unsubscribed"}]),
        st.fixed_dictionaries({}, optional={"of_journey": st.sampled_from(["j", ["j", "k"]])}),
        COUNTED,
    ),
    st.builds(
        lambda last, limits, more: {"engagement": "opened", "of_last": last, **limits, **more},
        st.integers(1, 2), LIMITS, st.fixed_dictionaries({}, optional={"channel": st.just("email"), "of_journey": st.just("j")}),
    ),
)  # fmt: skip
ENGAGEMENTS = short(_ENGAGEMENTS)
_GROUPED = st.one_of(
    NAMES,
    st.lists(NAMES, min_size=1, max_size=2),
    one(
        any_of=st.lists(NAMES, min_size=1, max_size=2),
        all_of=st.lists(NAMES, min_size=1, max_size=2),
        none_of=st.lists(NAMES, min_size=1, max_size=2),
    ),
)
GROUPED = short(_GROUPED)
EXISTS = one(exists=st.booleans())
STAGES = st.sampled_from(["new", "active"])
FACTS: dict[str, st.SearchStrategy[Any]] = {
    "tag": st.one_of(
        st.builds(lambda names, since: {"tag": names, **since}, GROUPED, SINCE), st.fixed_dictionaries({"tag": EXISTS})
    ),
    "group": st.fixed_dictionaries({"group": st.one_of(GROUPED, EXISTS)}),
    "segment": st.builds(lambda names, since: {"segment": names, **since}, GROUPED, SINCE),
    "lifecycle": st.builds(lambda names, since: {"lifecycle": names, **since}, st.one_of(STAGES, st.lists(STAGES, min_size=1, max_size=2)), SINCE),
    "points": st.fixed_dictionaries({"points": NUMBER_TESTS}),
    "created": st.fixed_dictionaries({"created": SOME_TIME}),
    "now": st.fixed_dictionaries({"now": HERE}),
    "locale": st.fixed_dictionaries({"locale": st.sampled_from(["zh", "zh-CN", ["en", "de"]])}),
    "consent": st.one_of(
        st.builds(
            lambda more, since: {"consent": "email", **more, **since},
            st.fixed_dictionaries({}, optional={"topic": st.just("offers"), "is": st.sampled_from(["granted", "withdrawn"])}),
            SINCE,
        ),
        st.sampled_from([{"consent": "email", "is": "none"}, {"consent": "email", "topic": "offers", "is": "none"}]),
    ),
    "suppressed": st.builds(lambda channel, more: {"suppressed": channel, **more}, st.sampled_from(["email", "sms", "any"]), st.fixed_dictionaries({}, optional={"reason": st.just("complaint")})),
    "reachable": st.builds(lambda channel, more: {"reachable": channel, **more}, st.sampled_from(["email", "sms", "any"]), st.fixed_dictionaries({}, optional={"topic": st.just("offers")})),
    "address": st.fixed_dictionaries({"address": st.sampled_from(["email", "sms", "any"])}),
    "identity": st.fixed_dictionaries({"identity": st.just("openid")}, optional={"account": st.sampled_from(["wx", "other"])}),
    "journey": st.builds(
        lambda more, since: {"journey": "j", **more, **since},
        st.one_of(
            one(is_=st.sampled_from(["active", "never_entered"])),
            st.fixed_dictionaries({}, optional={"is": st.sampled_from(["entered", "ended"]), "outcome": st.sampled_from(["goal", ["goal", "exited"]])}),
        ),
        SINCE,
    ),
    "bucket": st.sampled_from([{"bucket": {"salt": "s", "from": 0, "to": 50}}, {"bucket": {"salt": "t", "from": 12.5, "to": 90.25}}]),
    "holdout": st.just({"holdout": {"salt": "s", "percent": 30}}),
}  # fmt: skip
"""Random conditions by key word. Those without a strategy of their own are taken from the examples of the reference page."""
OTHERS = {"all", "any", "not", "attribute", "property", "metric", "event", "engagement"}
"""Key words with a strategy that the rules below combine."""
NOT_NAIVE = {"region"}
"""The naive reading has no table of regions; test_membership holds that condition against spelled-out cases."""
FACT = short(
    st.one_of(
        *(
            FACTS[word] if word in FACTS else st.sampled_from(EXAMPLES[word])
            for word in sorted(CONDITIONS.keys() - OTHERS - NOT_NAIVE)
        )
    )
)
_LEAVES = st.one_of(
    st.builds(lambda name, comparison: {"attribute": name, **comparison}, NAMES, COMPARISONS),
    st.builds(lambda name, comparison: {"attribute": name, **comparison}, NAMES, COMPARISONS),
    PROPERTY_RULES,
    st.builds(lambda name, comparison: {"metric": name, **comparison}, NAMES, COMPARISONS),
    FACT,
)
LEAVES = short(_LEAVES)
LEAF = st.one_of(LEAVES, EVENTS, EVENTS, ENGAGEMENTS)


@st.composite
def rules(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    """A rule, up to three levels deep."""
    form = draw(st.sampled_from(["condition", "condition", "all", "any", "not"])) if depth else "condition"
    if form == "condition":
        return draw(LEAF)
    inner = rules(depth - 1)
    return {form: draw(inner) if form == "not" else draw(st.lists(inner, min_size=1, max_size=4))}


def seen_in(history: list[tuple[str, datetime, Any]]) -> dict[str, tuple[date, date]]:
    """The first and the last day of each event type, as a profile knows them."""
    seen: dict[str, tuple[date, date]] = {}
    for kind, at, _ in history:
        first, last = seen.get(kind, (at.date(), at.date()))
        seen[kind] = (min(first, at.date()), max(last, at.date()))
    return seen


def _near(now: datetime, zone: ZoneInfo) -> st.SearchStrategy[datetime]:
    """Times around ``now``: so long before or after it, at the ends of local days, and where the clocks of the zone change."""
    today = now.astimezone(zone).date()
    midnights = [
        datetime.combine(today + timedelta(days=days), time(), zone).astimezone(UTC)
        for days in (-31, -30, -29, -8, -7, -6, -3, -2, -1, 0, 1)
    ]
    fixed = [
        datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC)
        for day in ("2027-03-28", "2027-04-30", "2018-11-04")
    ]
    return st.one_of(
        st.builds(
            lambda offset, sign: now - sign * timedelta(seconds=offset),
            st.sampled_from(OFFSETS),
            st.sampled_from([1, 1, 1, -1]),
        ),
        st.builds(
            lambda at, by: at + by,
            st.sampled_from(
                [*(now - timedelta(seconds=each) for each in OFFSETS), *midnights, *EDGES[zone.key], *fixed]
            ),
            st.sampled_from(AROUND),
        ),
    )


def _as_they_arrived(events: list[tuple[str, datetime, Any]]) -> st.SearchStrategy[list[tuple[str, datetime, Any]]]:
    """The events in the order in which they came: some at once, some days after they had happened."""
    delays = st.lists(st.sampled_from([0, 0, 1, 3, 40]), min_size=len(events), max_size=len(events))

    def sort(days: list[int]) -> list[tuple[str, datetime, Any]]:
        received = sorted(zip(events, days, strict=True), key=lambda pair: pair[0][1] + timedelta(days=pair[1]))
        return [event for event, _ in received]

    return delays.map(sort)


@st.composite
def subjects(draw: st.DrawFn) -> Subject:
    """A contact at a moment, all of whose times lie around it."""
    zone = draw(st.sampled_from(ZONES))
    edges = EDGES[zone.key]
    now = draw(st.sampled_from(NOWS))
    if edges:
        near_edge = st.builds(
            lambda *parts: parts[0] + parts[1] + parts[2],
            st.sampled_from(edges),
            st.sampled_from(AROUND),
            st.sampled_from(LATER),
        )
        now = draw(st.one_of(st.just(now), near_edge))
    near = _near(now, zone)
    # events of one or two types meet more often
    usual = [*TYPES, "order_placed", "page_viewed", "order_placed", "page_viewed"]
    kinds = draw(st.one_of(st.just(usual), st.lists(st.sampled_from(usual), min_size=1, max_size=2)))
    history = draw(
        st.lists(
            st.tuples(
                st.sampled_from(kinds),
                near,
                st.builds(
                    lambda more, own: {**more, **own},
                    MAPPINGS,
                    st.fixed_dictionaries({}, optional={
                        "to": STAGES, "journey": st.sampled_from(["j", "k"]), "channel": st.sampled_from(["email", "sms"]), "message_key": st.sampled_from(["m", "n"]),
                        "pool": st.sampled_from(["welcome-10", "birthday-month"]), "code": st.sampled_from(["A", "B"]), "expires_at": near.map(datetime.isoformat),
                    }),
                ),
            ),
            max_size=6,
        ).flatmap(_as_they_arrived)
    )  # fmt: skip
    answers = draw(
        st.dictionaries(
            st.sampled_from(["email/*", "email/offers", "sms/*"]),
            st.builds(lambda granted, at: Consent(granted=granted, at=at, source="page"), st.booleans(), near),
            max_size=3,
        )
    )

    def consents(channel: str, topic: str) -> str:
        given = [answers[key] for key in (f"{channel}/{topic}", f"{channel}/*") if key in answers]
        newest = max(given, key=lambda answer: (answer.at, not answer.granted), default=None)
        return "none" if newest is None else "granted" if newest.granted else "withdrawn"

    tags = draw(st.frozensets(NAMES))
    seen = seen_in(history)
    known = st.fixed_dictionaries(
        {},
        optional={
            "email": st.just("a@example.com"),
            "phone": st.just("+8613800138000"),
            "timezone": st.sampled_from([zone.key, zone.key, "", "Mars/Olympus"]),
            "locale": st.sampled_from(["zh-CN", "en", "zhx"]),
        },
    )
    return Subject(
        attributes={**draw(MAPPINGS), **draw(known)},
        tags=tags,
        now=now,
        properties=draw(MAPPINGS),
        trigger=draw(MAPPINGS),
        history=history,
        consents=consents,
        contact_id=draw(st.sampled_from(["c-1", "c-2", "c-3"])),
        zone=zone,
        created_at=draw(st.one_of(st.none(), near)),
        identities=draw(st.sampled_from([{}, {"openid": ["wx:o1"]}, {"openid": ["third:o2"]}])),
        groups=draw(st.frozensets(NAMES)),
        segments=draw(st.dictionaries(NAMES, near, max_size=3)),
        lifecycle=draw(st.sampled_from(["", "new", "active"])),
        points=draw(st.integers(0, 3)),
        metrics=draw(MAPPINGS),
        suppressions=draw(
            st.dictionaries(st.sampled_from(["email", "sms"]), st.sampled_from(["complaint", "hard_bounce"]))
        ),
        consent_answers=answers,
        tagged_at={tag: draw(near) for tag in tags if draw(st.booleans())},
        enrolments=draw(
            st.lists(
                st.builds(
                    Enrolled,
                    st.sampled_from(["j", "k"]),
                    st.sampled_from(["active", "leaving", "ended"]),
                    st.sampled_from([None, "goal", "exited"]),
                    near,
                ),
                max_size=3,
            )
        ),
        seen=draw(st.sampled_from([seen, None])),
    )


@st.composite
def pairs(draw: st.DrawFn) -> dict[str, Any]:
    """An ``all`` of several comparisons of one value: often more than it can pass."""
    source = draw(st.sampled_from([{"attribute": "a"}, {"attribute": "a"}, {"property": "a"}, {"metric": "a"}]))
    return {"all": [{**source, **each} for each in draw(st.lists(COMPARISONS, min_size=2, max_size=3))]}


PAIRS = pairs()
RULES = rules()
SUBJECTS = subjects()
