"""What looking for forbidden words costs: one text against 500 and 50,000 phrases, and a rival. Run by ``python -m benchmarks``.

The rival asks for each phrase by itself (``phrase in text``), on a text that is folded already.
"""

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import process_time_ns
from typing import Any, Final

from rich.table import Table

from waypost.authoring.forbidden_words import MOST_PHRASES
from waypost.content.folding import fold
from waypost.content.forbidden_words import ForbiddenWords

FEW: Final = 500
LETTERS: Final = 2_000
"""Of the text: what a mail shows."""


@dataclass(frozen=True, slots=True)
class WordSpeed:
    """Microseconds for a text: Waypost with few and with most phrases, the rival with most; building takes milliseconds."""

    few_us: float
    most_us: float
    rival_us: float
    build_ms: float

    def figures(self) -> dict[str, float]:
        """What has a goal."""
        return {"words/one pass": self.most_us / self.few_us, "words/per phrase": self.rival_us / self.most_us}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self) | self.figures()


def measure(*, most: int = MOST_PHRASES, rounds: int = 50) -> WordSpeed:
    """Measure in turns; the times are the processor's, the best of ``rounds``."""
    chance = random.Random(7)  # noqa: S311 - the same text in every run
    letters = [chr(code) for code in range(0x4E00, 0x9FA5)]
    listed = list({fold("".join(chance.choices(letters, k=chance.randint(3, 8)))) for _ in range(most)})
    text = "".join(chance.choices(letters, k=LETTERS))
    folded = fold(text)
    few, many = _words(listed[:FEW]), _words(listed)
    build_ms = _time(lambda: _find(many, text)) / 1e3
    best = {"few": float("inf"), "most": float("inf"), "rival": float("inf")}
    for _ in range(rounds):
        best["few"] = min(best["few"], _time(lambda: _find(few, text)))
        best["most"] = min(best["most"], _time(lambda: _find(many, text)))
        best["rival"] = min(best["rival"], _time(lambda: [phrase in folded for phrase in listed]))
    return WordSpeed(best["few"], best["most"], best["rival"], build_ms)


def words_table(speed: WordSpeed) -> Table:
    """The figures as a table."""
    table = Table(
        title=f"Forbidden words in a text of {LETTERS:,} characters",
        caption="the rival asks for each phrase by itself",
        title_justify="left",
        caption_justify="left",
    )
    for name in (f"{FEW} phrases", f"{MOST_PHRASES:,} phrases", "rival", "saved", "built once"):
        table.add_column(name, justify="right")
    table.add_row(
        f"{speed.few_us:.0f} µs",
        f"{speed.most_us:.0f} µs",
        f"{speed.rival_us:.0f} µs",
        f"{speed.rival_us / speed.most_us:.0f}×",
        f"{speed.build_ms:.0f} ms",
    )
    return table


def _find(words: ForbiddenWords, text: str) -> object:
    return words.find(text, channel="sms", locale="zh-CN", kind="marketing")


def _words(folded: list[str]) -> ForbiddenWords:
    return ForbiddenWords.from_dict(
        {
            "lists": [{"name": "bench", "source": "", "way_out": ""}],
            "phrases": folded,
            "folded": folded,
            "owners": [[0]] * len(folded),
        }
    )


def _time(act: Callable[[], object]) -> float:
    """Microseconds of the processor."""
    start = process_time_ns()
    act()
    return (process_time_ns() - start) / 1e3
