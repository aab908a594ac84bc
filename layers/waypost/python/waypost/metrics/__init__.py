"""Metrics of contacts: what is declared, how the whole base is ranked, and the nightly refresh that stores them."""
