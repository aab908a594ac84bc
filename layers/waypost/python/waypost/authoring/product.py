"""Where the product lies on the disk: functions/, layers/, requirements/ and the sample content. Used by authoring and the app."""

from pathlib import Path
from typing import Final

SHIPPED: Final = Path(__file__).with_name("shipped")
"""What the wheel brings; a checkout has no such folder."""
PRODUCT: Final = SHIPPED if SHIPPED.is_dir() else Path(__file__).resolve().parents[5]
"""The folders of the wheel, or those of the checkout."""
