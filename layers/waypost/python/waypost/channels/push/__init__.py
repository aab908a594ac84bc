"""Push messages to the apps on a contact's devices."""
