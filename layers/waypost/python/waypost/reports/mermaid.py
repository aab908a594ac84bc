"""A journey's graph as a Mermaid flowchart, for a README or a review. Used by the command that draws journeys.

Source: https://mermaid.js.org/syntax/flowchart.html
"""

from collections.abc import Iterator
from typing import assert_never

from waypost.pages.texts import Texts
from waypost.reports.journey_graph import JourneyGraph, Step
from waypost.reports.journey_picture import way_label
from waypost.reports.step_words import step_in_words


def mermaid(graph: JourneyGraph, words: Texts) -> str:
    """The flowchart: the same for the same graph."""
    numbers = {step.name: f"s{index}" for index, step in enumerate(graph.steps, start=1)}
    lines = ["flowchart TD", *_region(graph, numbers, words, "  ")]
    for way in graph.ways:
        label = _quoted(way_label(way, words))
        arrow = "-.->" if way.kind == "caught" else "-->"
        shown = f"|{label}|" if label != '""' else ""
        lines.append(f"  {numbers[way.source]} {arrow}{shown} {numbers[way.target]}")
    return "\n".join(lines) + "\n"


def _region(
    graph: JourneyGraph, numbers: dict[str, str], words: Texts, indent: str, around: str = "", branch: int = 0
) -> Iterator[str]:
    steps, _ = graph.region(around, branch)
    for step in steps:
        number = numbers[step.name]
        if not step.starts:
            yield f"{indent}{number}{_box(step, words)}"
            continue
        yield f"{indent}subgraph {number} [{_quoted(step.named(words.language))}]"
        for inner in range(len(step.starts)):
            yield from _region(graph, numbers, words, indent + "  ", step.name, inner)
        yield f"{indent}end"


def _box(step: Step, words: Texts) -> str:
    """The step with what it does below its name."""
    name = "<br/>".join(
        _quoted(part)[1:-1] for part in (step.named(words.language), step_in_words(step, words)) if part
    ).join('""')
    match step.kind:
        case "choice":
            return "{" + name + "}"
        case "pause":
            return f"([{name}])"
        case "succeed" | "fail":
            return f"(({name}))"
        case "send" | "update" | "task" | "pass" | "parallel" | "map":
            return f"[{name}]"
        case _:
            assert_never(step.kind)


def _quoted(text: str) -> str:
    """A text in quotes; what Mermaid would read as markup is an entity code of it."""
    codes = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;"}
    return '"' + "".join(codes.get(sign, sign) for sign in text) + '"'
