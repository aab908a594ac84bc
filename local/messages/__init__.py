"""Messages before they are sent: their files checked, shown for a contact, looked at as pictures. Used by ``waypost message``."""
