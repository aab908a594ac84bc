"""What filling a mail in costs, of the same templates and values in Jinja2. Run by ``python -m benchmarks``.

Every shipped mail whose text is the same in both is filled in, in zh-CN and en. Jinja2's templates are compiled beforehand and it
gets the values as they are; ours goes the whole way of the sender: the values prepared for their reader, then three templates. Both
refuse unknown variables, both escape in HTML, and Jinja2's filters are the same functions.
"""

import json
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time_ns
from typing import Any, Final
from zoneinfo import ZoneInfo

import jinja2
from rich.table import Table

from infra.project import ROOT
from waypost.authoring.publishing import publish
from waypost.channels.email.channel import CHANNEL, RenderedEmail
from waypost.content import templates
from waypost.content.render import Filler, MessageNotRenderable
from waypost.content.templates import COUPON, PRODUCTS, prepared
from waypost.content.wording import Reader

ROUNDS: Final = 40
ZONE: Final = ZoneInfo("Asia/Shanghai")
_PAGES: Final = ("unsubscribe", "preferences", "survey", "task", "approval")
VALUES: Final[Mapping[str, Any]] = {
    "contact": {
        "id": "c-21c9fa0ee133efc0e6794803",
        "first_name": "Lin",
        "name": "Lin & Co",
        "email": "lin@example.com",
    },
    "event": {
        "type": "registered",
        "occurred_at": "2027-03-01T02:05:00Z",
        "left_on": {"properties": {"order_id": "o-1042"}},
        "properties": {
            "event_name": "Live <now>",
            "event_id": "live 7",
            "starts_at": "2027-03-05T12:00:00Z",
            "text": "Please call Ms Lin",
            "note": "after three",
            "items": [{"name": f"Serum {number}", "quantity": number} for number in range(1, 4)],
        },
    },
    "journey": {"name": "benchmark"},
    "message": {"name": "benchmark", "channel": "email"},
    "links": {name: f"https://links.example.com/{name}/token" for name in _PAGES},
    PRODUCTS: {},
    COUPON: {"code": "GLOW15", "label": "15 % off", "expires_at": "2027-03-31T15:59:59Z"},
}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail in one language: its templates, and the same as Jinja2 has them."""

    templates: Mapping[str, str]
    reader: Reader
    rival: Mapping[str, jinja2.Template]

    def by_waypost(self) -> RenderedEmail:
        """The way of the sender. Raises MessageNotRenderable."""
        return CHANNEL.fill(self.templates, Filler(prepared(VALUES, self.reader), "benchmark"))

    def by_jinja2(self) -> RenderedEmail:
        """The same in Jinja2. Raises jinja2.TemplateError."""
        values = {**VALUES, "reader": self.reader}
        subject, html, text = (self.rival[part].render(values) for part in ("subject", "html", "text"))
        return RenderedEmail(" ".join(subject.split()), html, text)


@dataclass(frozen=True, slots=True)
class RenderSpeed:
    """Microseconds for a mail, the median of the rounds."""

    waypost_us: float
    jinja2_us: float
    mails: int

    def figures(self) -> dict[str, float]:
        """What has a goal."""
        return {"render/jinja2": self.jinja2_us / self.waypost_us}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self) | self.figures()


def measure(*, rounds: int = ROUNDS) -> RenderSpeed:
    """Fill every mail in, in turns; the times are the processor's. Raises RuntimeError when a template is compiled meanwhile."""
    mails = comparable()
    known = templates._parsed.cache_info().misses  # noqa: SLF001 - what the engine has compiled
    ours = [mail.by_waypost for mail in mails]
    theirs = [mail.by_jinja2 for mail in mails]
    taken: list[tuple[float, float]] = [(_time(ours), _time(theirs)) for _ in range(rounds)]
    if compiled := templates._parsed.cache_info().misses - known:  # noqa: SLF001
        raise RuntimeError(f"{compiled} templates were compiled while mails were filled in")
    waypost, rival = (statistics.median(each) / len(mails) for each in zip(*taken, strict=True))
    return RenderSpeed(waypost, rival, len(mails))


def comparable() -> list[Mail]:
    """The shipped mails that both fill in to the same text; filling them in has compiled their templates."""
    found: list[Mail] = []
    with tempfile.TemporaryDirectory() as folder:
        publish(ROOT / "statemachines", Path(folder))
        for path in sorted(Path(folder).glob("python/*/messages/*/*.json")):
            variants = json.loads(path.read_text(encoding="utf-8"))["variants"].get(CHANNEL.name, {})
            found += [_mail(each, Reader(locale, ZONE)) for locale, each in sorted(variants.items())]
    return [mail for mail in found if _is_same(mail)]


def _mail(published: Mapping[str, str], reader: Reader) -> Mail:
    rival = {part: _engine(escapes=part == "html").from_string(template) for part, template in published.items()}
    return Mail(published, reader, rival)


def _is_same(mail: Mail) -> bool:
    try:
        return mail.by_waypost() == mail.by_jinja2()
    except (MessageNotRenderable, jinja2.TemplateError, TypeError):  # Jinja2 takes a method of dict for its value
        return False


def _engine(*, escapes: bool) -> jinja2.Environment:
    engine = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=escapes)  # noqa: S701 - texts and subjects are no HTML
    engine.filters |= {name: _filter(method) for name, method in templates._FILTERS.items()}  # noqa: SLF001
    return engine


def _filter(method: Callable[..., str]) -> Callable[..., str]:
    @jinja2.pass_context
    def apply(context: jinja2.runtime.Context, value: Any, *given: Any) -> str:
        return method(context["reader"], value, *given)

    return apply


def _time(calls: Sequence[Callable[[], object]]) -> float:
    started = process_time_ns()
    for call in calls:
        call()
    return (process_time_ns() - started) / 1e3


def render_table(speed: RenderSpeed) -> Table:
    """The figures as a table."""
    table = Table(title=f"Filling in {speed.mails} shipped mails", title_justify="left")
    for name in ("Waypost", "Jinja2", "ratio"):
        table.add_column(name, justify="right")
    table.add_row(
        f"{speed.waypost_us:.0f} µs",
        f"{speed.jinja2_us:.0f} µs",
        f"{speed.jinja2_us / speed.waypost_us:.1f}",
    )
    return table
