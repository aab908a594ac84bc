"""The bucket of files and what is written into it."""
