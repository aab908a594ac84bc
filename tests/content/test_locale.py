"""Which of several languages a reader gets."""

import pytest

from waypost.content.locale import choose_locale

CHINESE = ["en", "zh-CN", "zh-TW"]


@pytest.mark.parametrize(
    ("wanted", "available", "chosen"),
    [
        ("zh-CN", ["en", "zh-CN"], "zh-CN"),
        ("zh_cn", ["en", "zh-CN"], "zh-CN"),
        ("zh-Hans", ["en", "zh-CN"], "zh-CN"),
        ("zh", CHINESE, "zh-CN"),
        ("en-GB", ["en", "zh-CN"], "en"),
        ("en-GB", ["en-AU", "en-US", "zh-CN"], "en-AU"),
        ("fr", ["en", "zh-CN"], "zh-CN"),
        ("fr", ["de", "en"], "de"),
        (None, ["en", "zh-CN"], "zh-CN"),
        ("", ["en"], "en"),
        ("!?", ["en", "zh-CN"], "zh-CN"),
        ("zh-Hant", ["en", "zh-CN"], "zh-CN"),
        ("pt", ["pt-BR", "pt-PT"], "pt-BR"),
        ("pt-AO", ["pt-BR", "pt-PT"], "pt-PT"),
        ("es-MX", ["es-AR", "es-ES"], "es-AR"),
        ("en-AU", ["en-GB", "en-US"], "en-GB"),
        ("nn", ["en", "nb"], "nb"),
        ("iw", ["en", "he"], "he"),
        ("de-CH", ["de", "fr"], "de"),
    ],
)
def test_the_nearest_locale_is_chosen(wanted: str | None, available: list[str], chosen: str) -> None:
    assert choose_locale(wanted, available, "zh-CN") == chosen


@pytest.mark.parametrize(
    "wanted",
    [
        "zh-TW", "zh-HK", "zh-MO", "zh-Hant", "zh-Hant-HK", "zh-hant-tw", "ZH_hk", "zh_TW.UTF-8", "zh-CHT", "zh-Hant-CN", "zh-yue-HK",
        "yue", "yue-Hant-HK", "cmn-Hant", "zh_HK_#Hant", "zh-rTW", "b+zh+Hant+MO", "zh-HK,zh;q=0.9,en;q=0.8",
    ],
)  # fmt: skip
def test_who_reads_traditional_characters_gets_them(wanted: str) -> None:
    assert choose_locale(wanted, CHINESE, "zh-CN") == "zh-TW"
    assert choose_locale(wanted, ["zh-Hans", "zh-Hant"], "zh-Hans") == "zh-Hant"


@pytest.mark.parametrize(
    "wanted", ["zh", "zh-CN", "zh-SG", "zh-Hans-HK", "zh-Hans-TW", "cmn", "yue-Hans", "zh-CHS", "zh_CN.GB18030"]
)
def test_who_reads_simplified_characters_gets_them(wanted: str) -> None:
    assert choose_locale(wanted, CHINESE, "zh-TW") == "zh-CN"
    assert choose_locale(wanted, ["zh-Hans", "zh-Hant"], "zh-Hant") == "zh-Hans"


def test_a_relative_of_the_region_goes_before_another_one() -> None:
    assert choose_locale("zh-MO", ["zh-CN", "zh-HK", "zh-TW"], "zh-CN") == "zh-HK"
    assert choose_locale("zh-TW", ["zh-CN", "zh-HK", "zh-TW"], "zh-CN") == "zh-TW"


@pytest.mark.parametrize(
    ("wanted", "available", "chosen"),
    [
        ("sr-Latn-RS", ["sr", "sr-Latn"], "sr-Latn"),
        ("sr-RS", ["sr-Cyrl", "sr-Latn"], "sr-Cyrl"),
        ("sr_RS@latin", ["sr-Cyrl", "sr-Latn"], "sr-Latn"),
        ("sh", ["sr-Cyrl", "sr-Latn"], "sr-Latn"),
        ("pa-PK", ["pa-Guru", "pa-Arab"], "pa-Arab"),
        ("az-IR", ["az-Latn", "az-Arab"], "az-Arab"),
        ("uz-Cyrl-UZ", ["uz", "uz-Cyrl"], "uz-Cyrl"),
        ("kk-CN", ["kk", "kk-Arab"], "kk-Arab"),
    ],
)
def test_script_goes_before_region_in_every_language(wanted: str, available: list[str], chosen: str) -> None:
    assert choose_locale(wanted, available, "en") == chosen
