"""Approval by a second person: asked for, decided behind a link of that person's own, kept as evidence."""
