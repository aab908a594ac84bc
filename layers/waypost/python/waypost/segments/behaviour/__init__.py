"""What a contact did: which events count, what is measured of them, and what the profile knows of it. Used by conditions."""
