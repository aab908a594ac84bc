"""What a deployment does with the contacts that are in its journeys."""
