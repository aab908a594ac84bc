"""Write docs/components.md from the components themselves: ``python -m waypost.authoring.component_page``."""

from typing import Final

from waypost.authoring.components import CLASSES, Component, ComponentClass, Words, components
from waypost.authoring.product import PRODUCT

COMMAND: Final = "python -m waypost.authoring.component_page"
PAGE: Final = "docs/components.md"

_CLASSES: Final[dict[ComponentClass, tuple[str, str, str]]] = {
    "trigger": ("触发", "Triggers", "旅程因何开始。 What starts a journey."),
    "split": ("分流", "Waits and splits", "在哪里等待、走哪条路。 Where it waits, and which way it goes on."),
    "action": ("执行", "Actions", "旅程做什么。 What it does."),
}
_INTRO: Final = """# Components of a journey · 旅程组件

Made from `examples/components/`; `{command}` writes it again. `waypost components` lists the same, with `--json` for programs.

一条旅程由下列 {count} 个组件构成，分为触发、分流、执行三类。每个组件都有可运行的示例：执行
`waypost rehearse <文件夹路径>`，或先把文件夹复制到 `statemachines/journeys/`。每个任务都传入 `context: "{{% $states.context %}}"`；循环中的任务还须传入 `occurrence`（第几轮）。

A journey is made of these {count} components, in three classes. Each has an example that runs: `waypost rehearse` with the path of its folder,
or with its name once it is copied into `statemachines/journeys/`. A folder `statemachines/` in it has what the example needs beside; one that starts or stops another journey needs that one's folder too. Every task passes `context: "{{% $states.context %}}"`; one in a loop passes the
number of the round as `occurrence`. [authoring.md](authoring.md) explains how a journey is written.

"""


def page(found: list[Component]) -> str:
    """The page, in Markdown."""
    parts = [_INTRO.format(command=COMMAND, count=len(found)), _contents(found)]
    for name in CLASSES:
        zh, en, says = _CLASSES[name]
        parts.append(f"## {zh} · {en}\n\n{says}\n")
        parts += [_component(each) for each in found if each.entry.class_ == name]
    return "\n".join(parts).rstrip() + "\n"


def _contents(found: list[Component]) -> str:
    lines = []
    for name in CLASSES:
        zh, en, _ = _CLASSES[name]
        links = " · ".join(f"[{each.entry.title.zh}](#{each.name})" for each in found if each.entry.class_ == name)
        lines.append(f"- **{zh}** ({en}): {links}")
    return "\n".join(lines) + "\n"


def _component(component: Component) -> str:
    entry = component.entry
    lines = [
        f'<a id="{component.name}"></a>',
        f"### {entry.title.zh} · {entry.title.en}\n",
        f"{entry.purpose.zh}\n",
        f"{entry.purpose.en}\n",
        f"`{entry.part}` · [examples/components/{component.name}](../examples/components/{component.name})\n",
    ]
    lines += _table("字段 · field", entry.fields)
    lines += _table("结果 · outcome", entry.outcomes)
    lines += ["```yaml", component.example, "```\n"]
    return "\n".join(lines)


def _table(head: str, rows: dict[str, Words]) -> list[str]:
    if not rows:
        return []
    listed = [f"| `{name}` | {_cell(words.zh)} | {_cell(words.en)} |" for name, words in rows.items()]
    return [f"| {head} | 说明 | meaning |", "| --- | --- | --- |", *listed, ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    (PRODUCT / PAGE).write_text(page(components()), encoding="utf-8")
