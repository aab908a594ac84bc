"""The project that the tools work on: finding it, making one, checking what its authors wrote."""
