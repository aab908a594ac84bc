"""What contacts do with a message: unsubscribe links and their tokens."""
