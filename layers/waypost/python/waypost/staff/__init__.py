"""The people who work with Waypost: who they are, what they may do, and where messages reach them."""
