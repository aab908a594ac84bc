"""Files of contacts: read row by row, cleaned, and made ready to be stored."""
