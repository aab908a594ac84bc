"""Acts on one event: the contact, its segments and its journeys, in order."""
