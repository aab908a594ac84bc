"""The system that `waypost up` keeps running: its process, and what is asked of it."""
