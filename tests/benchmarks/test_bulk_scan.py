"""The benchmark of bulk runs compares like with like, and its sums are right."""

from benchmarks.bulk_page import NOW, PAGE_BYTES, profiles, projected
from benchmarks.bulk_scan import CONTESTANTS, RULE, BulkSpeed, measure
from benchmarks.goals import GOALS
from benchmarks.request_units import item_size
from waypost.aws.profile_view import projection, viewer
from waypost.aws.table import load_item
from waypost.contacts.profile import Contact
from waypost.segments.compile import compile_rule
from waypost.segments.dependencies import reads
from waypost.segments.subject import UTC_ZONE, subject_of


def test_the_page_is_one_of_dynamodbs() -> None:
    sizes = [item_size(item) for item in profiles()]
    assert PAGE_BYTES - max(sizes) < sum(sizes) <= PAGE_BYTES


def test_every_way_selects_the_same_contacts() -> None:
    items, asked, holds = profiles(), reads(RULE), compile_rule(RULE)
    parameters, view = projection(asked), viewer(asked, now=NOW, default_zone=UTC_ZONE)
    whole = [holds(subject_of(Contact.from_dict(load_item(item)), now=NOW)) for item in items]
    expression, names = parameters["ProjectionExpression"], parameters["ExpressionAttributeNames"]
    assert whole == [holds(view(item)) for item in items]
    assert whole == [holds(view(projected(item, expression, names))) for item in items]
    assert 0 < sum(whole) < len(items) / 10


def test_every_contestant_runs_and_finds_the_same_contacts() -> None:
    speed = measure(rounds=1)
    assert speed.milliseconds.keys() == CONTESTANTS.keys()
    assert speed.figures().keys() == {figure for figure in GOALS if figure.startswith("bulk/")}


def test_a_full_run_is_summed_up_by_its_pages() -> None:
    speed = BulkSpeed(
        contacts_per_page=500,
        rounds=1,
        milliseconds={"boto3": 400.0, "audience": 20.0, "audience-drawn": 30.0, "audience-card": 80.0},
        ratios={"boto3": 1.0},
        members=5,
    )
    run = speed.full_run(100_000_000)
    assert run.slices == 1000
    assert run.read_units == 100_000_000 / 500 * 128
    processor = 30 + 50 * 200_000 / 100_000_000
    assert round(run.minutes, 3) == round(200_000 * (1.5 * processor + 30) / 60_000 / 10, 3)
    assert 3 < run.dollars < 5
    assert speed.contacts_per_second("audience") == 25_000
