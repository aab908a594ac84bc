"""The models of the conditions as authors write them, in modules named like those of ``waypost.segments.conditions``."""
