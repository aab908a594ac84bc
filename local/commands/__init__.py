"""The commands of `waypost`, a module for each group."""
