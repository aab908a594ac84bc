"""What arrives: the event envelope, the webhooks that fill it and the router that acts on it."""
