"""Messages that a contact finds on the company's own site: an inbox for each user id, shown by a script or the app."""
