"""A persona card as one self-contained page, in Chinese and English. Used by the gatherer and by ``waypost segment card``.

No script, no picture and no font from elsewhere; it can be mailed, printed, and read by a screen reader and in the dark.
The languages change by a radio button and CSS alone. Every value is escaped: attributes are what senders wrote.
"""

from collections.abc import Iterator
from html import escape
from typing import Final

from waypost.audiences.persona import UNKNOWN
from waypost.audiences.persona_card import FEWEST, Card, Chart, Highlight
from waypost.audiences.persona_charts import bars, percent
from waypost.audiences.persona_words import TEXTS, TITLES, Words, label

ORDER: Final = ("age", "gender", "city", "level", "lifecycle", "channel", "activity", "tenure", "tag", "rfm_segment")
RFM: Final = ("rfm_r", "rfm_f", "rfm_m")

CONTENT_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_LANGUAGES: Final = {"zh-CN": "中文", "en": "English"}

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b2638; --quiet: #5f6b80; --paper: #fff; --ground: #f3f5f9; --line: #e2e7ef;
  --here: #2563c9; --base: #b9c3d3; --up: #0b7a4b; --down: #a4481a; --tint: #eef4ff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ecf5; --quiet: #9ba8bd; --paper: #18202d; --ground: #0f151f;
  --line: #2b3648; --here: #6ea0ff; --base: #4a586e; --up: #4fc08d; --down: #e6925f; --tint: #1d2a40; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.55; font-size: 15px; font-family:
  -apple-system, "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC",
  "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 20px 24px 40px; }
.languages { display: flex; justify-content: flex-end; gap: 14px; font-size: 13px; color: var(--quiet); }
.languages label { cursor: pointer; }
section.lang { display: none; }
#pick-zh-CN:checked ~ #zh-CN, #pick-en:checked ~ #en { display: block; }
.pick { position: absolute; opacity: 0; }
#pick-zh-CN:checked ~ .languages label[for="pick-zh-CN"], #pick-en:checked ~ .languages label[for="pick-en"] {
  color: var(--ink); font-weight: 600; }
.pick:focus-visible ~ .languages { outline: 2px solid var(--here); }
header { margin: 6px 0 18px; }
.kind { color: var(--here); font-size: 13px; font-weight: 600; letter-spacing: .06em; }
h1 { margin: 2px 0 4px; font-size: 30px; line-height: 1.25; overflow-wrap: anywhere; }
.about { color: var(--quiet); margin: 0; max-width: 70ch; }
.figures { display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px; margin-bottom: 14px; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px; break-inside: avoid; }
.figure b { display: block; font-size: 30px; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; }
.figure span { color: var(--quiet); font-size: 13px; }
.meter { height: 6px; border-radius: 3px; background: var(--line); margin-top: 10px; overflow: hidden; }
.meter i { display: block; height: 100%; background: var(--here); }
h2 { margin: 0 0 2px; font-size: 16px; }
.hint { color: var(--quiet); font-size: 12px; margin: 0 0 6px; }
.standing-out { background: var(--tint); border-color: transparent; margin-bottom: 14px; }
.standing-out ul { list-style: none; margin: 8px 0 0; padding: 0; display: grid; grid-template-columns: repeat(3, 1fr); gap: 12px 22px; }
.standing-out li { display: flex; gap: 10px; align-items: baseline; }
.standing-out .share { font-size: 22px; font-weight: 650; font-variant-numeric: tabular-nums; }
.standing-out .what { overflow-wrap: anywhere; }
.more { color: var(--up); font-size: 12px; display: block; }
.less { color: var(--down); font-size: 12px; display: block; }
.charts { columns: 2; column-gap: 14px; }
.charts .card { margin-bottom: 14px; }
.three { display: grid; grid-template-columns: repeat(3, 1fr); gap: 18px; }
.three h3 { margin: 0; font-size: 13px; color: var(--quiet); font-weight: 600; }
.legend { display: flex; gap: 18px; font-size: 13px; color: var(--quiet); margin: 0 0 10px; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
svg { width: 100%; height: auto; display: block; font-family: inherit; }
svg .background { fill: none; }
svg .axis text { fill: var(--ink); font-size: 13px; text-anchor: end; }
svg .axis .line, svg .axis path, svg .tooltip { display: none; }
svg .bar rect { rx: 2px; }
svg .color-0 rect { fill: var(--here); }
svg .color-1 rect { fill: var(--base); }
svg .text-overlay text { font-size: 12px; text-anchor: start; font-variant-numeric: tabular-nums; }
svg .text-overlay .color-0 text { fill: var(--ink); font-weight: 600; }
svg .text-overlay .color-1 text { fill: var(--quiet); }
details { margin-top: 14px; }
summary { cursor: pointer; color: var(--quiet); font-size: 13px; }
table { border-collapse: collapse; width: 100%; margin: 10px 0 0; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 8px; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; overflow-wrap: anywhere; }
footer { color: var(--quiet); font-size: 12px; margin-top: 18px; }
@media (max-width: 760px) { .figures { grid-template-columns: 1fr 1fr; } .charts { columns: 1; } .three { grid-template-columns: 1fr; }
  .standing-out ul { grid-template-columns: 1fr; } }
@media print { body { background: #fff; } .languages, details { display: none; } main { padding: 0; } }
"""


def page(card: Card, *, language: str) -> str:
    """The page, with ``language`` (``zh-CN`` or ``en``) shown first."""
    picks = "".join(
        f'<input class="pick" type="radio" name="language" id="pick-{each}"{" checked" if each == language else ""}>'
        for each in _LANGUAGES
    )
    labels = "".join(f'<label for="pick-{each}" lang="{each}">{name}</label>' for each, name in _LANGUAGES.items())
    sections = "".join(
        f'<section class="lang" id="{each}" lang="{each}">{"".join(_section(card, each))}</section>'
        for each in _LANGUAGES
    )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(card.name)} · {TEXTS[language]['kind']}</title><style>{_STYLE}</style></head>"
        f'<body><main>{picks}<div class="languages">{labels}</div>{sections}</main></body></html>\n'
    )


def _section(card: Card, language: str) -> Iterator[str]:
    texts = TEXTS[language]
    yield f'<header><div class="kind">{texts["kind"]}</div><h1>{escape(card.name)}</h1>'
    yield f'<p class="about">{escape(card.description)}</p></header>'
    if card.size is None or card.share is None:
        yield f'<div class="card"><p>{texts["too_small"].format(fewest=FEWEST)}</p></div>'
    else:
        yield from _figures(card, card.size, card.share, texts)
        yield from _standing_out(card, language)
        yield f'<p class="legend"><span><i style="background:var(--here)"></i>{texts["here"]}</span>'
        yield f'<span><i style="background:var(--base)"></i>{texts["base"]}</span></p>'
        yield from _charts(card, language)
        yield from _table(card, language)
    yield from _footer(card, texts)


def _figures(card: Card, size: int, share: float, texts: Words) -> Iterator[str]:
    figures: list[tuple[str, str, float | None]] = [(f"{size:,}", f"{texts['size']} · {texts['people']}", None)]
    figures.append((percent(share), texts["share"], share))
    if (nobody := _share_of(card, "channel", UNKNOWN)) is not None:
        figures.append((percent(1 - nobody), texts["reachable"], 1 - nobody))
    active = [_share_of(card, "activity", value) for value in ("7d", "30d")]
    if any(each is not None for each in active):
        recent = sum(each or 0 for each in active)
        figures.append((percent(recent), texts["active"], recent))
    yield '<div class="figures">'
    for figure, what, part in figures:
        meter = "" if part is None else f'<div class="meter"><i style="width:{min(part, 1):.1%}"></i></div>'
        yield f'<div class="card figure"><b>{figure}</b><span>{what}</span>{meter}</div>'
    yield "</div>"


def _share_of(card: Card, dimension: str, value: str) -> float | None:
    """The part of the segment with this value; None when the chart does not say, 0 when nobody has it."""
    chart = card.charts.get(dimension)
    if chart is None:
        return None
    found = next((bar.share for bar in chart.bars if bar.value == value), None)
    return found if found is not None else 0.0


def _standing_out(card: Card, language: str) -> Iterator[str]:
    texts = TEXTS[language]
    yield f'<div class="card standing-out"><h2>{texts["stands_out"]}</h2>'
    if not card.highlights:
        yield f'<p class="hint">{texts["nothing_stands_out"]}</p></div>'
        return
    yield "<ul>"
    for highlight in card.highlights:
        yield _highlight(highlight, language)
    yield "</ul></div>"


def _highlight(highlight: Highlight, language: str) -> str:
    kind = "more" if highlight.lift >= 1 else "less"
    colon = "：" if language == "zh-CN" else ": "
    what = TITLES[language][highlight.dimension] + colon + label(highlight.dimension, highlight.value, language)
    lift = TEXTS[language][kind].format(lift=_times(highlight.lift))
    return (
        f'<li><span class="share">{percent(highlight.share)}</span>'
        f'<span class="what">{escape(what)}<span class="{kind}">{lift}</span></span></li>'
    )


def _times(lift: float) -> str:
    return f"{lift:.0f}" if lift >= 9.95 else f"{lift:.1f}" if lift >= 0.95 else f"{lift:.2g}"


def _charts(card: Card, language: str) -> Iterator[str]:
    texts = TEXTS[language]
    yield '<div class="charts">'
    for dimension in ORDER:
        if chart := card.charts.get(dimension):
            yield f'<div class="card"><h2>{TITLES[language][dimension]}</h2>{_hint(chart, texts)}{bars(chart, language)}</div>'
    yield "</div>"
    if scores := [card.charts[name] for name in RFM if name in card.charts]:
        yield f'<div class="card"><h2>{texts["rfm"]}</h2>{_hint(scores[0], texts)}<div class="three">'
        for chart in scores:
            yield f"<div><h3>{TITLES[language][chart.dimension]}</h3>{bars(chart, language)}</div>"
        yield "</div></div>"


def _hint(chart: Chart, texts: Words) -> str:
    parts = [texts["known"].format(known=percent(chart.known))] if chart.known < 0.995 else []
    if chart.dimension in ("tag", "channel"):
        parts.append(texts["several"])
    if chart.about:
        parts.append(texts["about"])
    return f'<p class="hint">{" · ".join(parts)}</p>' if parts else ""


def _table(card: Card, language: str) -> Iterator[str]:
    texts, titles = TEXTS[language], TITLES[language]
    yield f'<details class="card"><summary>{texts["table"]}</summary><table><thead><tr><th></th><th>{texts["value"]}</th>'
    yield f"<th>{texts['here']}</th><th>{texts['base']}</th><th>{texts['lift']}</th></tr></thead><tbody>"
    for dimension in (*ORDER, *RFM):
        chart = card.charts.get(dimension)
        for bar in chart.bars if chart else ():
            lift = "–" if bar.lift is None else f"{_times(bar.lift)}×"
            yield f"<tr><td>{titles[dimension]}</td><td>{escape(label(dimension, bar.value, language))}</td>"
            yield f"<td>{percent(bar.share)}</td><td>{percent(bar.base_share)}</td><td>{lift}</td></tr>"
    yield "</tbody></table></details>"


def _footer(card: Card, texts: Words) -> Iterator[str]:
    kind = "base_all" if card.base >= card.contacts else "base_part"
    base = texts[kind].format(contacts=f"{card.contacts:,}", base=f"{card.base:,}")
    owner = f" · {texts['owner']}: {escape(card.owner)}" if card.owner else ""
    yield f"<footer><p>{texts['as_of']} {card.at:%Y-%m-%d %H:%M} ({escape(str(card.at.tzinfo))}){owner}</p>"
    yield f"<p>{texts['notes'].format(fewest=FEWEST, base=base)}</p></footer>"
