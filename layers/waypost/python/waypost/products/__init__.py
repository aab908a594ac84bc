"""What is sold: the catalogue, what was bought, and which products go with which."""
