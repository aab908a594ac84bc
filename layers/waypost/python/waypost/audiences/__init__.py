"""Audiences of a segment: planned, built slice by slice, gathered, previewed and shown."""
