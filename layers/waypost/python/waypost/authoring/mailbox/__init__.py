"""What mailbox providers expect of a mail, checked on the raw message. Used by ``waypost message``; not shipped."""
