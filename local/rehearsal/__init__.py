"""Scenarios: what happens to whom, played in virtual time and compared with what is expected."""
