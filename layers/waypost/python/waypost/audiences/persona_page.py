"""A persona card as one self-contained page, in all languages. Used by the gatherer and by ``waypost segment card``.

It can be mailed, printed, and read by a screen reader and in the dark. The languages change by a radio button and CSS
alone.
"""

from typing import Any, Final

from waypost.audiences.persona import UNKNOWN
from waypost.audiences.persona_card import FEWEST, OTHERS, Bar, Card, Chart, Highlight
from waypost.audiences.persona_words import TITLES, label
from waypost.pages.rendering import render
from waypost.pages.texts import LANGUAGES, Texts, texts

ORDER: Final = ("age", "gender", "city", "level", "lifecycle", "channel", "activity", "tenure", "tag", "rfm_segment")
RFM: Final = ("rfm_r", "rfm_f", "rfm_m")


def page(card: Card, *, language: str) -> str:
    """The page, with ``language`` (one of ``LANGUAGES``) shown first."""
    return render(
        "persona_card",
        language=language,
        card=card,
        fewest=FEWEST,
        at=f"{card.at:%Y-%m-%d %H:%M} ({card.at.tzinfo})",
        translations=[_translation(card, texts(each)) for each in LANGUAGES],
    )


def percent(share: float | None) -> str:
    """A part as people read it: 0.1234 is 12%, 0.0123 is 1.2%; – for none that is known."""
    if share is None:
        return "–"
    return f"{share:.0%}" if share >= 0.0995 or not share else f"{share:.1%}"


def _translation(card: Card, words: Texts) -> dict[str, Any]:
    """What one language's section of the template shows of the card."""
    contacts, base = f"{card.contacts:,}", f"{card.base:,}"
    return {
        "language": words.language,
        "gettext": words.gettext,
        "figures": _figures(card, words),
        "highlights": [_highlight(each, card, words) for each in card.highlights],
        "charts": [_chart(card.charts[name], card, words) for name in ORDER if name in card.charts],
        "scores": [_chart(card.charts[name], card, words) for name in RFM if name in card.charts],
        "base": words.gettext("all {contacts} contacts", contacts=contacts)
        if card.base >= card.contacts
        else words.gettext("{base} of all {contacts} contacts, drawn by hash", base=base, contacts=contacts),
    }


def _figures(card: Card, words: Texts) -> list[dict[str, str | None]]:
    """The size and shares at the top; none for a segment too small to be described."""
    if card.size is None or card.share is None:
        return []
    figures = [
        _figure(card.share, words.gettext("of all contacts")),
        *_reachable(card, card.size, words),
        *_active(card, words),
    ]
    return [{"value": f"{card.size:,}", "meaning": words.gettext("Size · contacts"), "share": None}, *figures]


def _reachable(card: Card, size: int, words: Texts) -> list[dict[str, str | None]]:
    """The share that is reachable; the least it can be where those who are not are too few to be shown."""
    if (chart := card.charts.get("channel")) is None:
        return []
    meaning = words.gettext("reachable on a channel")
    unreachable = next((bar.share for bar in chart.bars if bar.value == UNKNOWN), None)
    if unreachable is not None:
        return [_figure(1 - unreachable, meaning)]
    hidden = (FEWEST - 1) / size
    return [_figure(1 - hidden, meaning, at_least=True) if hidden >= 0.005 else _figure(1, meaning)]


def _active(card: Card, words: Texts) -> list[dict[str, str | None]]:
    """The share that was active; the least it can be where a part of it is among the others, none where all of it is."""
    if (chart := card.charts.get("activity")) is None:
        return []
    shares = {bar.value: bar.share for bar in chart.bars}
    shown = [shares[value] for value in ("7d", "30d") if value in shares]
    is_part = OTHERS in shares and len(shown) < 2
    if is_part and not shown:
        return []
    return [_figure(sum(shown), words.gettext("active in 30 days"), at_least=is_part)]


def _figure(share: float, meaning: str, *, at_least: bool = False) -> dict[str, str | None]:
    value = percent(share)
    return {"value": f"≥ {value}" if at_least else value, "meaning": meaning, "share": f"{min(share, 1):.1%}"}


def _highlight(highlight: Highlight, card: Card, words: Texts) -> dict[str, str]:
    is_more = highlight.lift >= 1
    sentence = (
        words.gettext("{lift}× as frequent as in the whole base", lift=_times(highlight.lift))
        if is_more
        else words.gettext("only {lift}× as frequent as in the whole base", lift=_times(highlight.lift))
    )
    title = words.gettext(TITLES[highlight.dimension])
    value = label(highlight.dimension, highlight.value, words, card.names)
    return {
        "share": percent(highlight.share),
        "value": words.gettext("{dimension}: {value}", dimension=title, value=value),
        "kind": "more" if is_more else "less",
        "lift": sentence,
    }


def _times(lift: float) -> str:
    return f"{lift:.0f}" if lift >= 9.95 else f"{lift:.1f}" if lift >= 0.95 else f"{lift:.2g}"


def _chart(chart: Chart, card: Card, words: Texts) -> dict[str, Any]:
    widest = max((max(bar.share, bar.base_share) for bar in chart.bars), default=0) or 1
    return {
        "title": words.gettext(TITLES[chart.dimension]),
        "hint": _hint(chart, words),
        "bars": [_bar(chart.dimension, bar, widest, card, words) for bar in chart.bars],
    }


def _bar(dimension: str, bar: Bar, widest: float, card: Card, words: Texts) -> dict[str, str]:
    """A value's two bars; their widths are parts of the chart's longest."""
    return {
        "label": label(dimension, bar.value, words, card.names),
        "share": percent(bar.share),
        "base_share": percent(bar.base_share or None),
        "width": f"{bar.share / widest:.1%}",
        "base_width": f"{bar.base_share / widest:.1%}",
        "lift": "–" if bar.lift is None else f"{_times(bar.lift)}×",
    }


def _hint(chart: Chart, words: Texts) -> str:
    parts = []
    if chart.known < 0.995:
        parts.append(words.gettext("known of {known}", known=percent(chart.known)))
    if chart.dimension in ("tag", "channel"):
        parts.append(words.gettext("a contact may have several, so the sum may exceed 100%"))
    if chart.about:
        parts.append(words.gettext("estimates"))
    return " · ".join(parts)
