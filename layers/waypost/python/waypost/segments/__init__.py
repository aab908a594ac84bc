"""Which contacts a rule selects: one predicate tree, compiled to closures."""
