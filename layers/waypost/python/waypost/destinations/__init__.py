"""Other systems that are told what happened: signed webhooks, delivered until they are taken."""
