"""Checks of our own for what no linter knows. Run by ``make check``; nothing of it is shipped."""
