"""The prose of the reference page: what no single word of the language can tell. Used by the page alone."""

from typing import Final

INTRO: Final = """\
# Segments and rules

A rule says which contacts are meant. The same language serves saved segments, the entry of journeys, branches, goals,
tags that Waypost gives by itself, the life cycle, and audiences. This page has the whole of it: {count} conditions in
four families (attribute, behaviour, group, tag), each with an example. Every example is evaluated by a test.

This page is made from the models that check what you write: `python -m waypost.authoring.rule_reference` writes it
and `docs/segment.schema.json` again; a test fails when they differ from the models.

## A segment is a file

`statemachines/segments/<name>.yaml`:

```yaml
# yaml-language-server: $schema=../../docs/segment.schema.json
description: Women of 25 to 35 in Shanghai who like make-up and left something in the cart
owner: growth team
refresh: daily          # off, hourly or daily: rules over time change their answer by themselves
rule:
  all:
    - { attribute: gender, equals: female }
    - { attribute: birthday, age: { between: [25, 35] } }
    - { region: 上海 }
    - { attribute: interests, contains: make-up }
    - { event: cart_updated, within: 30d }
    - { not: { event: order_placed, within: 30d } }
    - { not: { holdout: { salt: all-2026, percent: 10 } } }
```

The first line is for editors that use the YAML language server (VS Code with the YAML extension, IntelliJ, Neovim): they
then complete the words and mark mistakes while you type. Waypost itself does not need it.

`waypost segment check FILE` says what is wrong with a file, `count` how many it selects, and `why FILE CONTACT` explains
one contact, condition by condition.

## How rules are put together

| rule | holds for a contact |
| --- | --- |
| `{ all: [ …, … ] }` | for whom every rule in the list holds |
| `{ any: [ …, … ] }` | for whom at least one of them holds |
| `{ not: … }` | for whom the rule does not hold |

A condition has **one key word** (`attribute`, `event`, `tag`, …), what it is about, and words that say more. Conditions
nest up to 20 levels; a rule has at most 1,000 conditions and 10,000 listed values.

Words mean the same wherever they stand:

- **a list means any of them**: `tag: [vip, gold]`, `event: [cart_updated, checkout_started]`, `region: [上海, 浙江]`;
  `any_of`, `all_of`, `none_of` say it in full for tags, groups and segments;
- **a comparison of numbers** is a number or `{ at_least, at_most, more_than, less_than, between, equals }`:
  `age: { between: [25, 35] }`, `points: { at_least: 1000 }`, `size: 2`;
- **a window in time** is one of `within`, `older_than`, `last_days`, `period`, `on`, `before`, `after`, `between`,
  `days_since`; only `within` and `older_than` may stand together (from 24 to 1 hours ago). Beside a window may stand
  `weekday`, `month`, `time_of_day`. They go with events, and with since when a contact has a tag, a stage, a consent, a
  segment, a journey;
- **durations** are `45s`, `30m`, `3h`, `30d`, and roll: `1d` is 24 hours; a week is `7d`, for months take days or a
  `period`. **Days** (`last_days`, `days_since`, `on`) are calendar days where the contact lives.
"""

QUESTIONS: Final = (
    ("Who is she, what does she like?", "`attribute` with `equals`, `in`, `contains`", "values"),
    ("How old is he? Whose birthday is near?", "`age`, `anniversary`", "birthdays"),
    ("What is due, what has lapsed?", "`next_days`, `days_until`, `days_since`", "dates"),
    ("Who has bought, and how often? Who never has?", "`event` with `at_least`, `exactly: 0`, `not`", "counts"),
    (
        "Since when have they been silent?",
        "`not: {event: …, within: 30d}`, `occurrence: last` with `older_than`",
        "windows",
    ),
    ("Three days in a row? On how many days?", "`count: days_in_a_row`, `count: days`", "counts"),
    (
        "How much have they spent? What do they look at most?",
        "`sum`, `average`, `distinct`, `most_frequent`",
        "properties",
    ),
    ("Who looks at one thing again and again?", "`repeated`", "properties"),
    ("Who bought exactly this, with that coupon?", "`where`", "properties"),
    ("Was it the first order? What was in the last one?", "`occurrence`, `having`", "occurrences"),
    (
        "Who began and did not finish? Who looked and did not buy that?",
        "`not_followed_by` with `within` and `same`",
        "sequences",
    ),
    ("Who reads our mails? Who has stopped to?", "`engagement`, `of_last`", "engagement"),
    ("Who is in which campaign, who has been through it?", "`journey`", "journeys"),
    ("Who has a coupon to use?", "`holds_coupon`", "coupons"),
    ("May we write to them, and on which channel?", "`reachable`, `consent`, `suppressed`, `address`", "addresses"),
    ("How valuable, how likely to leave, which stage?", "`metric`, `lifecycle`, `points`", "stages"),
    (
        "Where does she live? Who is new, who reads Chinese? Is it evening there?",
        "`region`, `created`, `locale`, `now`",
        "place",
    ),
    ("Who belongs to us in another way?", "`group`, `segment`", "groups"),
    ("Half of them, a test, a control group?", "`bucket`, `holdout`", "random"),
    ("What tags do they have, and since when?", "`tag`", "tags"),
)
"""Business question, the words that answer it, the section."""

SEMANTICS: Final = """\
## What values mean

Nothing ever fails because of a value's type: what cannot be compared compares false.

- A missing value, or one that is `null`, makes every comparison false, except `not_equals`, `not_in`, `contains_none`,
  `exists: false` and `is_empty: true`, which it makes true. `not` turns whatever is inside round, so `{ not: { attribute:
  city, equals: 北京市 } }` holds for contacts without a city.
- Text equals text, numbers equal numbers, yes/no equals yes/no: `"5"` is not `5`, `true` is not `1`. A number that was sent as text counts
  as nothing where numbers are compared or summed; `waypost segment why` names it.
- `at_least`, `at_most`, `more_than`, `less_than` are for numbers. Between dates (`2027-03-01`) and instants
  (`2027-03-01T10:00:00+08:00`) they compare too: a date against an instant takes the instant's date as it is written. The
  words for dates (`before`, `after`, `on`, `between`, …) count in the contact's zone and are the better choice.

## What times mean

- **The zone** is the contact's attribute `timezone`. Missing or unknown: the default zone of `statemachines/sending.yaml`.
- **A day** runs from local midnight to local midnight: 23 or 25 hours when the clocks change. A midnight that the change
  skips is the moment of the change; one that comes twice is the first.
- **An attribute that is a date** counts as its first moment in the contact's zone. An instant without offset is UTC.
- **Windows** include their beginning. `within: 30d` reaches from exactly 30 times 24 hours ago up to now; `older_than:
  30d` is everything before that. `last_days: 7` is today and the six days before it. `before` and `after` a day leave the
  day itself out, `between` takes both days in.
- **Weeks** begin on Monday (ISO 8601), also over the end of the year. Quarters begin in January, April, July, October.
- **29 February**: birthdays and ages of that day fall on 28 February in other years.

## What events mean

An event type is snake_case and past tense. Your own systems decide which there are: `order_placed`, `cart_updated`,
`product_viewed`, `logged_in`, …; Segment's `Order Placed` arrives as `order_placed`. Waypost itself tells of

| event | properties |
| --- | --- |
| `message_accepted`, `message_delivered`, `message_bounced`, `message_complained`, `message_failed` | `channel`, `journey`, `message_key`, `provider_word`; `bounce_type` |
| `message_opened`, `message_clicked`: by a reader | `channel`, `journey`, `message_key`, `message`; of our own links also `verdict`, `staff`, `link`, `url` |
| `message_dismissed`: put away in the on-site inbox | `channel`, `journey`, `message_key` |
| `message_prefetched`, `message_scanned`: the same, by a program | the same |
| `unsubscribed`, `consent_granted`, `consent_withdrawn`, `consent_confirmed` | `channel`, `topic`, `journey`; given on a page: `evidence`, `text_version` |
| `survey_answered`, `preferences_changed` | `survey` and the answers by question, `title_shown` where titles are compared; `frequency` |
| `survey_opened`: by a reader, where its titles are compared | `survey`, `title_shown`, `message_key` |
| `journey_ended` | `journey`, `outcome` |
| `task_assigned`, `task_answered` | `task`, `journey`, `step`, `due_at`; `assigned_to`, `escalates_to`; `answer` (`done`, `not_possible`), `by`, `note`, `minutes`, `late` |
| `tag_added`, `tag_removed` | `tag`, `by`: `rule`, `journey`, `hand`, `import` or `expiry` |
| `segment_entered`, `segment_left` | `segment` |
| `group_joined`, `group_left` | `group` |
| `lifecycle_changed` | `from`, `to` |
| `points_earned`, `points_spent` | `points` |
| `contact_updated`, `contact_imported`, `contacts_merged`, `contacts_unmerged` | |

How they count:

- An event counts at **its own time**, not when it arrived: a late one changes what was true of its day.
- An event dated **ahead of now** (a clock that runs fast) counts as now in every window that moves with now (`within`,
  `last_days`, `days_since`, `period`, …); fixed days (`on`, `between`, …), days and hours go by its own time.
- **The same instant**: `followed_by` wants something later; `first` and `last` keep the order in which events are stored.
- Events are kept as long as the retention of their class says (two years and a month unless declared). What is older is
  known by type and day only: that the contact did it is still true, how often is not.
- `"*"` is every event, except what Waypost concludes itself from others (`tag_added`, `segment_entered`, `lifecycle_changed`,
  `contact_updated`, `points_earned` and their opposites).
- In `where` and `having`, `{coupon: [A, B], total: {at_least: 50}}` is short for `{all: [{property: coupon, in: [A, B]},
  {property: total, at_least: 50}]}`. A property that is itself called `tag`, `event`, `consent`, `attribute`, `property`, `all`,
  `any` or `not` needs the long form.
- **A dotted name** goes into nested values. In a list of mappings it is the list of what each of them has there: of an order
  with `products: [{product_id: p-1, category: make-up}, …]` write `where: {products.category: {contains: make-up}}`.
  Like every list it is compared with `contains…`, never with `equals`, and it cannot be summed.
- An **open** is detected by a picture in the mail. A reader who blocks pictures and clicks has clicked, but not opened; who has a
  mailbox that loads all pictures (Apple's) has opened nothing: `message_prefetched`. Ask for clicks too where it matters.
- Segment's `page` and `screen` arrive as `page_viewed`.
- Sums and averages are exact and rounded once: the order of events does not matter.
"""

LIMITS: Final = """\
## Limits

| what | limit | instead |
| --- | --- | --- |
| nesting | 20 levels | name a part as a segment of its own and write `segment: name` |
| conditions in a rule | 1,000 | the same |
| listed values in a rule | 10,000 | give those contacts a tag (`waypost contacts import`) and ask for the tag |
| a text in a rule | 10,000 characters | |
| a regular expression | 1,000 characters, 1 MB when compiled | RE2 has no back-references and no look-around; in return none can hang |
| `last_days`, `next_days`, `days_since`, `days_until` | 36,600 days | `before` and `after` |
| `age` | 1,000 years | `between` with dates |

A rule that goes beyond is refused when it is read, with the file, the place and the reason. So is what cannot have been meant:

- numbers that nothing can have: a negative or fractional `age`, `length`, `size`, `days_since`, `days_until` or number of times.
  Attributes, metrics and sums may be negative or fractional; points may be negative;
- what is turned round: the larger number or the later date first, `at_least: 30` with `at_most: 20`, `within: 1h` with
  `older_than: 1d`;
- what holds for everybody or nobody by itself: `at_least: 0`, `contains: ""`, an empty list, `of_last: 3` with `at_least: 4`, a
  `now` with a window that moves with now.

An `all` whose parts exclude each other (`city` equal to two names, a tag and not that tag, two stages of the life cycle)
selects nobody. It is no error; `waypost segment check` says so.

What no rule can say; let your system work it out and send it as an event, an attribute or a tag:

- "three times within any two days": a window ends now or stands on fixed days, it does not slide over the past;
- one attribute compared with another (but see `equals_property`, `contains_property`, `same` and `equals_trigger`);
- a share or a difference of two counts, such as "more than half of the orders with a coupon", "mostly on weekends";
- "the same days of last year": fixed days (Double 11, the Spring Festival) are written with their dates, again each year;
- "on the 8th of each month", "every second Friday": put the day into the schedule of the journey;
- "how many of the points expire when": send the date as an attribute (`points_expire_on`) whenever it changes;
- the sum over a list in an event (`products.price`): send the total as a property of its own;
- "the last but one": `occurrence` counts from the first, or takes the last;
- what came **before** something: turn it round. "Ordered after a click" is `event: message_clicked` `followed_by` the order.
"""
