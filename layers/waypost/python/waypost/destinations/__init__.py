"""Other systems that subscribe to events: signed webhooks, delivered until they are taken."""
