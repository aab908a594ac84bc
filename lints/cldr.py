"""Write what CLDR knows of languages into ``content/cldr``: how they match, and how they write dates, lists and money.

Functions read the files as they are, so Babel and its 30 MB stay a tool of ours. Run by ``make texts``; a test fails while the
files and the locked Babel disagree.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.core import get_global
from babel.localedata import locale_identifiers

FOLDER: Final = Path(__file__).parent.parent / "layers/waypost/python/waypost/content/cldr"

_LANGUAGES: Final = [
    "af",
    "am",
    "ar",
    "az",
    "be",
    "bg",
    "bn",
    "bs",
    "ca",
    "cs",
    "cy",
    "da",
    "de",
    "el",
    "en",
    "es",
    "et",
    "eu",
    "fa",
    "fi",
    "fil",
    "fr",
    "ga",
    "gl",
    "gu",
    "he",
    "hi",
    "hr",
    "hu",
    "hy",
    "id",
    "is",
    "it",
    "ja",
    "ka",
    "kk",
    "km",
    "kn",
    "ko",
    "ky",
    "lo",
    "lt",
    "lv",
    "mk",
    "ml",
    "mn",
    "mr",
    "ms",
    "my",
    "ne",
    "nl",
    "no",
    "or",
    "pa",
    "pl",
    "ps",
    "pt",
    "ro",
    "ru",
    "si",
    "sk",
    "sl",
    "so",
    "sq",
    "sr",
    "sv",
    "sw",
    "ta",
    "te",
    "th",
    "tk",
    "tr",
    "uk",
    "ur",
    "uz",
    "vi",
    "zh",
    "zu",
]
"""Those that CLDR covers at its level "modern"."""

_VARIANTS: Final = [
    "ar_AE",
    "ar_EG",
    "ar_SA",
    "de_AT",
    "de_CH",
    "en_AU",
    "en_CA",
    "en_GB",
    "en_HK",
    "en_IE",
    "en_IN",
    "en_NZ",
    "en_SG",
    "en_ZA",
    "es_419",
    "es_AR",
    "es_CL",
    "es_CO",
    "es_MX",
    "es_US",
    "fr_BE",
    "fr_CA",
    "fr_CH",
    "it_CH",
    "nl_BE",
    "pt_PT",
    "sr_Latn",
    "uz_Cyrl",
    "yue",
    "yue_Hans",
    "zh_Hant",
    "zh_Hant_HK",
]
"""Regions and scripts that write otherwise than their language does."""

_CURRENCIES: Final = [
    "AED",
    "AUD",
    "BRL",
    "CAD",
    "CHF",
    "CLP",
    "CNY",
    "COP",
    "CZK",
    "DKK",
    "EGP",
    "EUR",
    "GBP",
    "HKD",
    "HUF",
    "IDR",
    "ILS",
    "INR",
    "JPY",
    "KES",
    "KRW",
    "KWD",
    "MOP",
    "MXN",
    "MYR",
    "NGN",
    "NOK",
    "NZD",
    "PEN",
    "PHP",
    "PKR",
    "PLN",
    "QAR",
    "RON",
    "RUB",
    "SAR",
    "SEK",
    "SGD",
    "THB",
    "TRY",
    "TWD",
    "UAH",
    "USD",
    "VND",
    "ZAR",
]
"""Currencies whose signs are kept; others show their code."""


def files() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every file by name."""
    yield "matching.json", _matching()
    for name in [*_LANGUAGES, *_VARIANTS]:
        yield f"{name.replace('_', '-')}.json", wording(Locale.parse(name))


def written(content: dict[str, Any]) -> str:
    """The text of a file."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


def _matching() -> dict[str, Any]:
    """``likely`` completes a tag to script and region, ``parents`` says what it inherits from, ``aliases`` are older codes."""
    known = {name.split("_")[0] for name in locale_identifiers()}
    likely: dict[str, list[str]] = {}
    for key, full in sorted(get_global("likely_subtags").items()):
        language, *given = key.split("_")
        parts = full.split("_")
        if language not in known or len(parts) < 3 or len(given) > 1:
            continue
        likely[key.replace("_", "-")] = parts[1:3]
    needed = {
        key: value
        for key, value in likely.items()
        if "-" not in key or (value != likely.get(key.split("-")[0]) and value[0] != likely[key.split("-")[0]][0])
    }
    parents = {
        key.replace("_", "-"): value.replace("_", "-")
        for key, value in sorted(get_global("parent_exceptions").items())
        if value != "root"
    }
    aliases = {
        key: value.replace("_", "-")
        for key, value in sorted(get_global("language_aliases").items())
        if len(key) <= 3 and key != value
    }
    return {"likely": needed, "parents": parents, "aliases": aliases}


def wording(locale: Locale) -> dict[str, Any]:
    """How the language writes dates, lists and money."""
    months, days = locale.months["format"], locale.days["format"]
    periods = locale.day_periods["format"]["abbreviated"]
    symbols = locale.number_symbols.get("latn", locale.number_symbols)
    grouping = locale.decimal_formats[None].grouping
    return {
        "dates": {style: locale.date_formats[style].pattern for style in ("full", "long", "medium", "short")},
        "time": locale.time_formats["short"].pattern.replace("B", "a"),  # parts of the day as morning and afternoon
        "both": {style: str(locale.datetime_formats[style]) for style in ("full", "long", "medium", "short")},
        "months": [[months[width][number] for number in range(1, 13)] for width in ("abbreviated", "wide")],
        "days": [[days[width][number] for number in range(7)] for width in ("abbreviated", "wide")],
        "periods": [periods.get("am", "AM"), periods.get("pm", "PM")],
        "era": locale.eras["abbreviated"].get(1, ""),
        "between": locale.list_patterns["standard"]["middle"].replace("{0}", "").replace("{1}", ""),
        "decimal": symbols["decimal"],
        "group": symbols["group"],
        "minus": symbols["minusSign"],
        "grouping": list(grouping),
        "money": locale.currency_formats["standard"].pattern,
        "signs": {code: sign for code in _CURRENCIES if (sign := locale.currency_symbols.get(code, code)) != code},
    }


def digits() -> dict[str, int]:
    """Digits after the point, of currencies that do not have two."""
    fractions = get_global("currency_fractions")
    return {code: given[0] for code, given in sorted(fractions.items()) if len(code) == 3 and given[0] != 2}


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in files():
        (FOLDER / name).write_text(written(content), encoding="utf-8")
    (FOLDER / "digits.json").write_text(written(dict(digits())), encoding="utf-8")


if __name__ == "__main__":
    main()
