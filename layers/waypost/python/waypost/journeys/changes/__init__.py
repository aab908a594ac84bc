"""A journey that is changed while contacts are in it: what happens to whom, done and undone."""
