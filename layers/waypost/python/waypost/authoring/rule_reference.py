"""Writes docs/segments.md and docs/segment.schema.json from the models: ``python -m waypost.authoring.rule_reference``.

Run at the root of the repository, after a change of the language; a test fails while the files are not as they would be
written.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from waypost.authoring.marketing_lint import rules_page
from waypost.authoring.rule_schema import says_of, segment_schema
from waypost.authoring.rules.documentation import SECTIONS, Says
from waypost.authoring.rules.recipes import RECIPES
from waypost.authoring.rules.reference_text import INTRO, LIMITS, QUESTIONS, SEMANTICS
from waypost.authoring.rules.registry import MODELS
from waypost.authoring.rules.sample import HISTORY, NOW, SEGMENTS, ZONE, sample

PAGE: Final = "docs/segments.md"
SCHEMA: Final = "docs/segment.schema.json"
LINT: Final = "docs/lint.md"
COMMAND: Final = "python -m waypost.authoring.rule_reference"

_FAMILIES: Final = {
    "attribute": "what a contact is: attributes, standing, addresses, consent",
    "behaviour": "what a contact did: events, messages, journeys",
    "group": "what a contact belongs to: groups, saved segments, random parts",
    "tag": "what is recorded of a contact",
}
_MEANINGS: Final = {
    **dict.fromkeys(("values", "text", "numbers", "dates", "birthdays", "lists"), "holds when the value …"),
    "windows": "counts what happened …",
}
_SAME_AGAIN: Final = frozenset({"property", "metric", "engagement"})
"""Key words that take the words of another one; the page tells those once."""


def conditions() -> Iterator[Says]:
    """Every documented condition, once, in the order of the models."""
    for word, model in MODELS.items():
        own = set(model.__annotations__)
        for name, says in says_of(model):
            if not name or word not in _SAME_AGAIN or name in own:
                yield says


def page() -> str:
    """The reference page."""
    listed = list(conditions())
    parts = [INTRO.replace("{count}", str(len(listed))), _questions(), _sample()]
    family = ""
    for section, (of, title) in SECTIONS.items():
        if of != family:
            family = of
            parts.append(f"## The family “{of}”: {_FAMILIES[of]}\n")
        parts.append(f"### {title}\n\n{_table(section, [says for says in listed if says.section == section])}")
    parts += [SEMANTICS, _recipes(), LIMITS]
    return "\n".join(parts)


def files() -> Mapping[str, str]:
    """What is written, by path."""
    schema = json.dumps(segment_schema(), indent=2, ensure_ascii=False) + "\n"
    return {PAGE: page(), SCHEMA: schema, LINT: rules_page()}


def anchor(title: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def _questions() -> str:
    lines = ["## Find it by your question\n", "| you ask | you write | section |", "| --- | --- | --- |"]
    for need, words, section in QUESTIONS:
        title = SECTIONS[section][1]
        lines.append(f"| {need} | {words} | [{title}](#{anchor(title)}) |")
    lines.append(
        f"| … and the same in whole sentences | {len(RECIPES)} rules to start from | [From sentences to rules](#from-sentences-to-rules) |"
    )
    return "\n".join(lines) + "\n"


def _sample() -> str:
    """The contact for whom the examples are evaluated."""
    contact = sample()
    lines = [
        "## The contact in the examples\n",
        f"Every example holds for this contact on {NOW:%A} {NOW:%Y-%m-%d at %H:%M} in {ZONE.key}, unless it is marked ✗.\n",
        "```yaml",
        "attributes:",
        *(f"  {name}: {_inline(value)}" for name, value in contact.attributes.items()),
        f"tags: {{ {', '.join(f'{tag}: since {at.astimezone(ZONE):%Y-%m-%d}' for tag, at in contact.tagged_at.items())} }}",
        f"groups: {_inline(sorted(contact.groups))}",
        f"lifecycle: {contact.lifecycle}",
        f"points: {contact.points}",
        f"metrics: {_inline(dict(contact.metrics))}",
        f"segments: {{ {', '.join(f'{name}: since {at.astimezone(ZONE):%Y-%m-%d}' for name, at in contact.segments.items())} }}",
        f"identities: {_inline({kind: list(values) for kind, values in contact.identities.items()})}",
        "consents: { email: granted, sms: withdrawn on 2026-10-01 }",
        f"suppressions: {_inline(dict(contact.suppressions))}",
        "journeys: { new-user-nurture: ended with its goal, cart-reminder: active since 2026-11-20 }",
        "events:",
        *(
            f"  - {at.astimezone(ZONE):%Y-%m-%d %H:%M}  {kind}  {_inline(properties) if properties else ''}".rstrip()
            for kind, at, properties in HISTORY
        ),
        "```\n",
        f"The saved segments are {', '.join(f'`{name}` (`{_inline(rule)}`)' for name, rule in SEGMENTS.items())}.\n",
    ]
    return "\n".join(lines)


def _inline(value: object) -> str:
    """A value as YAML in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name}: {_inline(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(each) for each in value) + "]"
    return '""' if value == "" else str(value)


def _table(section: str, listed: list[Says]) -> str:
    meaning = _MEANINGS.get(section, "holds when the contact …")
    lines = [f"| condition | {meaning} | example | at the edges |", "| --- | --- | --- | --- |"]
    for says in listed:
        mark = "" if says.holds else " ✗"
        cells = (f"`{says.title}`", says.means, f"`{says.example}`{mark}", says.edges)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _recipes() -> str:
    parts = ["## From sentences to rules\n"]
    for sentence, rule, holds in RECIPES:
        mark = "✓" if holds else "✗"
        parts.append(f"**{sentence}.** ({mark} for the contact above)\n\n```yaml rule\n{rule.strip()}\n```\n")
    return "\n".join(parts)


def main() -> None:
    """Write the files below the working directory."""
    for path, text in files().items():
        Path(path).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
