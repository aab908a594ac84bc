"""What happened to a contact, told in order."""
