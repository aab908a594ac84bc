"""Messages of a WeChat official account or mini program to who follows or uses it."""
