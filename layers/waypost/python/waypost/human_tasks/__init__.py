"""Tasks for members of staff: the links of their own, the page behind them and the answer."""
