"""Where this project and what it writes lie on the disk. Used by everything of the local tools."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
OUT: Final = ROOT / "out"
