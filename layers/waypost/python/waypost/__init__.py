"""Waypost: marketing automation that a company owns. See docs/flow.md for the way of the data."""
