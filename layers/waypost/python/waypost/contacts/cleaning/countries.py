"""Countries, however they are written, as the codes of ISO 3166-1 alpha-2. Called by declared attributes.

The table is ``countries.tsv`` beside this module, with its source.
"""

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from waypost.contacts.cleaning.outcome import Cleaned, Unusable
from waypost.contacts.cleaning.text import half_width

_LONGEST: Final = 100
_ARTICLE: Final = re.compile(r"^the\s+")
_UNKNOWN: Final = Unusable("should be a country, for example CN, China or 中国")


@lru_cache(maxsize=10_000)
def country(text: str) -> Cleaned:
    """The code of the country that ``text`` names: ``China``, ``chn``, ``cn``, ``中国大陆`` are ``CN``."""
    if len(text) > _LONGEST:
        return _UNKNOWN
    return _by_spelling().get(country_key(text), _UNKNOWN)


def country_key(text: str) -> str:
    """What spellings of one name share: no case, accents, blanks, signs or leading "the"; "&" is "and"."""
    plain = _ARTICLE.sub("", half_width(text).casefold().replace("&", "and"), count=1)
    return "".join(each for each in unicodedata.normalize("NFKD", plain) if each.isalnum())


@cache
def _by_spelling() -> dict[str, str]:
    """The table, read at first use: only those who clean countries pay for it."""
    known: dict[str, str] = {}
    for line in resources.files(__package__).joinpath("countries.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        code, spellings = line.split("\t")
        known[country_key(code)] = code
        known.update((country_key(spelling), code) for spelling in spellings.split("|"))
    return known
