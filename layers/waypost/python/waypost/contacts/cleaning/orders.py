"""The words with which an author says how dates and regions are meant. Used by declarations, without what cleans them."""

from typing import Literal

DateOrder = Literal["year_first", "day_first", "month_first"]
"""How a date of numbers only is written where the year does not come first; ``year_first`` declares nothing else."""

Division = Literal["province", "city"]
"""A level of China's divisions."""

Level = Literal["province", "city", "country"]
"""What a region may be."""
