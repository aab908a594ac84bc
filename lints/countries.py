"""Write the spellings of countries that cleaning reads: ``contacts/cleaning/countries.tsv``.

Codes are those of ISO 3166-1 in the IANA database's ``iso3166.tab`` (package tzdata); names and alpha-3 codes are CLDR's (Babel), and
``_COMMON`` has what forms, shops and CRMs write beside them. Run by ``make texts``; a test fails while the file and this
disagree.
"""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

from babel import Locale
from babel.core import get_global

from waypost.contacts.cleaning.countries import country_key

TABLE: Final = Path(__file__).parent.parent / "layers/waypost/python/waypost/contacts/cleaning/countries.tsv"

_HEAD: Final = """\
# Countries by ISO 3166-1, written by lints/countries.py. Columns, parted by tabs: alpha-2 code, spellings parted by |. Codes: the IANA
# database's iso3166.tab. Names in English and Chinese, alpha-3 codes: Unicode CLDR's territories and territory aliases. The
# rest: what forms, shops and CRMs write. A spelling of two countries (Congo) is none.
"""

_LANGUAGES: Final = ["en", "zh", "zh_Hant", "zh_Hant_HK"]

_RESERVED: Final = "UK"
"""The one alias of two letters in use; the others are codes that were withdrawn, and some mean a state of a country today (MI)."""

_COMMON: Final = {
    "AE": "UAE|U.A.E.|Emirates|阿联酋|阿聯酋|阿拉伯联合大公国",
    "AU": "Commonwealth of Australia|澳洲",
    "BA": "Bosnia|波黑",
    "BD": "孟加拉",
    "BN": "Brunei Darussalam|汶莱",
    "BO": "Bolivia, Plurinational State of|Plurinational State of Bolivia",
    "BS": "Bahamas, The",
    "CD": "Democratic Republic of the Congo|Congo, the Democratic Republic of the|Congo, Democratic Republic of the|DR Congo|DRC|刚果民主共和国|刚果金|民主刚果",
    "CG": "Republic of the Congo|Congo, Republic of the|刚果共和国|刚果布",
    "CI": "Ivory Coast|Cote d'Ivoire|象牙海岸",
    "CN": "PRC|P.R.C.|P.R. China|PR China|People's Republic of China|China, People's Republic of|Mainland China|China Mainland|China (Mainland)|中华人民共和国|中華人民共和國|中国大陆|中國大陸|中国内地|中國內地|大陆|大陸|内地|Zhongguo",
    "CV": "Cabo Verde",
    "CZ": "Czech Republic|捷克共和国|捷克共和國",
    "DE": "Deutschland|Federal Republic of Germany|德意志联邦共和国",
    "DO": "多米尼加",
    "ES": "España",
    "FK": "Falkland Islands (Malvinas)",
    "FM": "Micronesia, Federated States of|Federated States of Micronesia",
    "GB": "U.K.|Great Britain|Britain|United Kingdom of Great Britain and Northern Ireland|England|Scotland|Wales|Northern Ireland|大不列颠|大不列顛|英格兰|苏格兰|威尔士|北爱尔兰",
    "GM": "Gambia, The",
    "HK": "Hong Kong|Hongkong|Hong Kong SAR|Hong Kong, China|China Hong Kong|Hong Kong S.A.R.|香港|中国香港|中國香港|香港特别行政区|香港特別行政區|中华人民共和国香港特别行政区",
    "ID": "印尼",
    "IR": "Iran, Islamic Republic of|Islamic Republic of Iran",
    "KG": "吉尔吉斯",
    "KP": "Korea, Democratic People's Republic of|Democratic People's Republic of Korea|Korea, North|DPRK|北朝鲜|北朝鮮|朝鮮|朝鲜民主主义人民共和国",
    "KR": "Korea|Republic of Korea|Korea, Republic of|Korea, South|ROK|大韩民国|大韓民國|韓國|南韩",
    "LA": "Lao People's Democratic Republic|Lao PDR|寮国",
    "MD": "Moldova, Republic of|Republic of Moldova",
    "MF": "Saint Martin (French part)",
    "MK": "Macedonia|Macedonia, the former Yugoslav Republic of|Republic of North Macedonia|马其顿",
    "MM": "Myanmar|Burma|缅甸联邦",
    "MO": "Macao|Macau|Macao SAR|Macau SAR|Macau SAR China|Macao, China|Macau, China|China Macao|China Macau|澳门|澳門|中国澳门|中國澳門|澳门特别行政区|澳門特別行政區|中华人民共和国澳门特别行政区",
    "MY": "大马",
    "NL": "Holland|Netherlands, The|尼德兰",
    "NZ": "纽西兰|新西蘭",
    "PN": "Pitcairn",
    "PS": "Palestine|State of Palestine|Palestine, State of|Palestinian Territory, Occupied|巴勒斯坦|巴勒斯坦国",
    "RU": "Russian Federation|俄国|俄國|俄罗斯联邦|俄羅斯聯邦",
    "SA": "KSA|Kingdom of Saudi Arabia|沙特|沙烏地|沙乌地阿拉伯",
    "SG": "Republic of Singapore|星加坡",
    "SH": "St. Helena|Saint Helena",
    "ST": "Sao Tome and Principe",
    "SX": "Sint Maarten (Dutch part)",
    "SY": "Syrian Arab Republic",
    "SZ": "Swaziland",
    "TL": "East Timor",
    "TR": "Turkey",
    "TW": "Taiwan, China|China Taiwan|Taiwan, Province of China|Taiwan Region|Chinese Taipei|臺灣|中国台湾|中國台灣|中國臺灣|台湾省|台湾地区|台灣地區|中华台北",
    "TZ": "Tanzania, United Republic of|United Republic of Tanzania",
    "UM": "United States Minor Outlying Islands",
    "US": "U.S.|U.S.A.|America|United States of America|美利坚合众国|美利堅合眾國",
    "VA": "Vatican|Holy See|Holy See (Vatican City State)|Vatican City State|梵蒂冈城国",
    "VC": "Saint Vincent and the Grenadines",
    "VE": "Venezuela, Bolivarian Republic of|Bolivarian Republic of Venezuela",
    "VG": "Virgin Islands, British",
    "VI": "Virgin Islands, U.S.",
    "VN": "Viet Nam",
}  # fmt: skip
"""What is written beside CLDR's names."""


def table() -> str:
    """The text of the file; ValueError when a spelling would mean two countries."""
    meant: dict[str, str] = {}
    codes = list(_codes())
    lines = []
    for code in codes:
        spellings = {country_key(code): code}
        for spelling in _spellings(code):
            spellings.setdefault(country_key(spelling), spelling)
        for key, spelling in spellings.items():
            if meant.setdefault(key, code) != code:
                raise ValueError(f"{spelling!r} means both {meant[key]} and {code}")
        del spellings[country_key(code)]
        lines.append(f"{code}\t{'|'.join(spellings.values())}\n")
    return _HEAD + "".join(lines)


def _codes() -> Iterator[str]:
    for line in files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line.split("\t")[0]


def _spellings(code: str) -> Iterator[str]:
    for alias, codes in sorted(get_global("territory_aliases").items()):
        if codes == [code] and ((len(alias) == 3 and alias.isalpha()) or alias == _RESERVED):
            yield alias
    for language in _LANGUAGES:
        name = Locale.parse(language).territories[code]
        yield name
        if name.startswith("St. "):
            yield name.replace("St. ", "Saint ", 1)
    if code in _COMMON:
        yield from _COMMON[code].split("|")


def main() -> None:
    """Write the file."""
    TABLE.write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    main()
