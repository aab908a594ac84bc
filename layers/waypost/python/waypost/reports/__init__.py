"""What happened to a contact, in order."""
