"""What arrives: the webhooks, their formats and signatures, and the events they become."""
