"""Goes through what must be right before a journey meets real people."""
