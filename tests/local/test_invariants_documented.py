"""The guide lists every invariant that event storms check, in its words."""

from infra.project import ROOT
from local.rehearsal.invariants import INVARIANTS


def test_the_guide_lists_every_invariant() -> None:
    guide = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8").replace("`", "")
    assert [each.name for each in INVARIANTS if f"| {each.name} | {each.holds}" not in guide] == ["declared"]
