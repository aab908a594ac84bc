"""The fake providers of all channels as one HTTP server, what it recorded, and messages written as files."""
