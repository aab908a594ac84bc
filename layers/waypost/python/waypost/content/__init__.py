"""What a message says: the message library and its templates."""
