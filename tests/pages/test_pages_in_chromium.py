"""Every page of ours in a real Chromium, without scripts, at the width of a phone and of a desktop; the pictures stay in out/pages."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.project import ROOT
from local.messages.chromium import DESKTOP, PHONE, Chromium, Look
from tests.fakes.queue import FakeQueue
from tests.tracking.test_serve_page import ASKED, CONFIRM, PREFERENCES, SURVEY, serving
from waypost.pages import notices
from waypost.pages.texts import LANGUAGES, Texts, texts
from waypost.tracking import choice_pages, unsubscribe_page
from waypost.tracking.serve_page import Refused
from waypost.tracking.tokens import Unsubscription

LOOKS = (PHONE, DESKTOP, Look(name="phone-dark", width=PHONE.width, scale=PHONE.scale, dark=True))
SERVICE = serving(FakeQueue())
UNSUBSCRIPTION = Unsubscription(contact_id="c-1", journey="j", message_key="m-1", channel="email", topic="offers")

PAGES: dict[str, Callable[[Texts], str]] = {
    "confirm": lambda words: choice_pages.asking_consent(words, SERVICE.consent_request(CONFIRM), SERVICE.pages)[1],
    "confirmed": lambda words: choice_pages.consent_confirmed(words, ASKED, SERVICE.pages)[1],
    "preferences": lambda words: choice_pages.preferences(words, SERVICE.choices(PREFERENCES), SERVICE.pages)[1],
    "saved": lambda words: choice_pages.preferences(words, SERVICE.choices(PREFERENCES), SERVICE.pages, saved=True)[1],
    "survey": lambda words: choice_pages.survey(words, SERVICE.survey(SURVEY, "interest"))[1],
    "survey-again": lambda words: choice_pages.answered(
        words, Refused("incomplete"), SERVICE.survey(SURVEY, "interest"), {"interest": ["home"]}
    )[1],
    "landing": lambda words: choice_pages.landing(words, SERVICE.pages.landings["welcome"])[1],
    "unsubscribe": lambda words: unsubscribe_page.asking(words, UNSUBSCRIPTION),
    "unsubscribed": lambda words: unsubscribe_page.done(words, UNSUBSCRIPTION),
    "program": lambda words: choice_pages.refused(words, Refused("program"))[1],
    "expired": notices.expired,
    "not-ours": notices.not_ours,
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_the_width_of_a_phone_and_of_a_desktop(language: str, chromium: str, tmp_path: Path) -> None:
    folder = ROOT / "out" / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    with Chromium(chromium) as browser:
        for name, made in PAGES.items():
            page = tmp_path / f"{name}.html"
            page.write_text(made(texts(language)), encoding="utf-8")
            for look in LOOKS:
                picture = browser.picture(page, look)
                folder.joinpath(f"{name}.{language}.{look.name}.png").write_bytes(picture)
                width, height = struct.unpack(">II", picture[16:24])
                assert width == look.width * look.scale, f"{name} is wider than a {look.name}"
                assert height >= 700 * look.scale
