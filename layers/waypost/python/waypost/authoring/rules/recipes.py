"""Sentences of marketers and the rules that say them. Used by the reference page and its tests."""

from typing import Final

RECIPES: Final = (
    (
        "Women of 25 to 35 in Shanghai interested in make-up, with a cart in the last 30 days, who did not order since, outside the hold-out",
        """\
all:
  - { attribute: gender, equals: female }
  - { attribute: birthday, age: { between: [25, 35] } }
  - { region: 上海 }
  - { attribute: interests, contains: make-up }
  - { event: cart_updated, within: 30d, not_followed_by: { event: order_placed } }
  - { not: { holdout: { salt: all-2026, percent: 10 } } }
""",
        True,
    ),
    (
        "No login and no order for 30 days, but known for longer (dormant)",
        """\
all:
  - { not: { event: [logged_in, order_placed], within: 30d } }
  - { created: { older_than: 30d } }
""",
        False,
    ),
    (
        "Added to the cart three days in a row and has not ordered since",
        """\
event: cart_updated
count: days_in_a_row
at_least: 3
last_days: 7
not_followed_by: { event: order_placed }
""",
        True,
    ),
    (
        "Birthday within a week, level 2 or higher, reachable by e-mail",
        """\
all:
  - { attribute: birthday, anniversary: { next_days: 7 } }
  - { attribute: level, at_least: 2 }
  - { reachable: email }
""",
        True,
    ),
    (
        "The last three mails unopened, but an SMS could be sent",
        """\
all:
  - { engagement: opened, channel: email, of_last: 3, exactly: 0 }
  - { reachable: sms }
""",
        False,
    ),
    (
        "Bought product p-1 two to eight weeks ago and nothing since (repurchase)",
        """\
all:
  - { event: order_placed, where: { product_ids: { contains: p-1 } }, days_since: { between: [14, 56] } }
  - { event: order_placed, occurrence: last, older_than: 14d }
""",
        True,
    ),
    (
        "Opened a mail and clicked in the last 7 days, did not read the FAQ, is not in consultation",
        """\
all:
  - { engagement: clicked, channel: email, within: 7d }
  - { not: { event: page_viewed, where: { path: { starts_with: /faq } }, within: 7d } }
  - { not: { tag: in-consultation } }
""",
        False,
    ),
    (
        "At least three orders and 500 in total within a year, the last one in the last 60 days",
        """\
all:
  - { event: order_placed, within: 365d, at_least: 3 }
  - { event: order_placed, within: 365d, sum: total, at_least: 500 }
  - { event: order_placed, occurrence: last, within: 60d }
""",
        True,
    ),
    (
        "Began a checkout since yesterday and did not finish that cart within half an hour",
        "{ event: checkout_started, last_days: 2, not_followed_by: { event: order_placed, same: cart_id, within: 30m } }\n",
        True,
    ),
    (
        "Registered exactly three days ago and has not ordered",
        """\
all:
  - { event: registered, days_since: 3 }
  - { not: { event: order_placed } }
""",
        False,
    ),
    (
        "Follows the official account wx-shop and has never bought",
        """\
all:
  - { identity: openid, account: wx-shop }
  - { not: { event: order_placed } }
""",
        False,
    ),
    (
        "Half of the high-value customers, for a test",
        """\
all:
  - { segment: high-value }
  - { bucket: { salt: autumn-test, from: 50, to: 100 } }
""",
        True,
    ),
    (
        "Became dormant this month and still agrees to offers by e-mail",
        """\
all:
  - { lifecycle: dormant, period: this_month }
  - { consent: email, topic: offers }
""",
        False,
    ),
    (
        "Looks around in the evening (at least three times in 30 days), mostly at make-up",
        """\
all:
  - { event: product_viewed, time_of_day: ['20:00', '02:00'], within: 30d, at_least: 3 }
  - { event: product_viewed, within: 30d, most_frequent: category, equals: make-up }
""",
        True,
    ),
    (
        "First order this month, worth 200 or more",
        "{ event: order_placed, occurrence: first, period: this_month, having: { total: { at_least: 200 } } }\n",
        False,
    ),
    (
        "Through the nurture journey without reaching its goal, and in no win-back now",
        """\
all:
  - { journey: new-user-nurture, is: ended }
  - { not: { journey: new-user-nurture, is: ended, outcome: goal } }
  - { not: { journey: win-back, is: active } }
""",
        False,
    ),
    (
        "Viewed a product three times or more in a week, put it into the cart within a day of it, no refund ever",
        """\
all:
  - { event: product_viewed, within: 7d, at_least: 3 }
  - { event: product_viewed, followed_by: { event: cart_updated, within: 24h } }
  - { event: refund_requested, exactly: 0 }
""",
        True,
    ),
    (
        "Viewed one and the same product at least three times within a week",
        "{ event: product_viewed, repeated: product_id, at_least: 3, within: 7d }\n",
        False,
    ),
    (
        "Looked at a product in the last 7 days and has not bought that one since",
        "{ event: product_viewed, last_days: 7, not_followed_by: { event: order_placed, same: { product_id: product_ids } } }\n",
        True,
    ),
    (
        "A cart above 100 of 1 to 24 hours ago, and no order since",
        "{ event: cart_updated, within: 24h, older_than: 1h, where: { value: { more_than: 100 } }, not_followed_by: { event: order_placed } }\n",
        True,
    ),
    (
        "Has a coupon that ends within 3 days, and has not used that one",
        """\
event: coupon_received
where: { expires_on: { next_days: 3 } }
not_followed_by: { event: order_placed, same: { code: coupon } }
""",
        False,
    ),
    (
        "First order within 30 days of signing up (nothing bought as a guest before)",
        """\
all:
  - { event: registered, followed_by: { event: order_placed, within: 30d } }
  - { not: { event: order_placed, followed_by: { event: registered } } }
""",
        True,
    ),
    (
        "Ordered around last year's Double 11, but not around this year's",
        """\
all:
  - { event: order_placed, between: [2025-10-20, 2025-11-11] }
  - { not: { event: order_placed, between: [2026-10-20, 2026-11-11] } }
""",
        False,
    ),
    (
        "Agrees to e-mail, and not (never, or no longer) to SMS",
        """\
all:
  - { consent: email }
  - { not: { consent: sms } }
""",
        True,
    ),
    (
        "None of the last three mails opened or clicked",
        """\
all:
  - { engagement: opened, channel: email, of_last: 3, exactly: 0 }
  - { engagement: clicked, channel: email, of_last: 3, exactly: 0 }
""",
        True,
    ),
    (
        "Known in WeChat, but without a phone number",
        """\
all:
  - { any: [ { identity: openid }, { identity: unionid } ] }
  - { not: { address: sms } }
""",
        False,
    ),
    (
        "Has points that expire within 30 days (the shop sends the date as an attribute)",
        """\
all:
  - { attribute: points_expire_on, next_days: 30 }
  - { points: { at_least: 1 } }
""",
        False,
    ),
    (
        "Corporate addresses first seen this year, from no free-mail provider",
        """\
all:
  - { attribute: email, exists: true }
  - { not: { attribute: email, matches: '@(qq|163|126|gmail)\\.com$' } }
  - { created: { period: this_year } }
""",
        True,
    ),
)
"""A business sentence, its rule, and whether it holds for the sample contact."""
