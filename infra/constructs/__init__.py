"""The constructs of the Waypost stack: one per hop of the data, and what the hops share."""
