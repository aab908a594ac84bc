"""The ways to reach a contact: a folder each, discovered by its ``channel.json``."""
