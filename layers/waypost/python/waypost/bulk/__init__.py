"""Bulk runs: everybody is read in slices, each slice in invocations that end in time and can be repeated."""
