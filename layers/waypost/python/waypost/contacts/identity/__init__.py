"""Which contact an event is about: identities, the rules that prove two contacts one, merges and their undoing."""
