"""The local tools: the embedded cloud, its clock, its providers and what the ``waypost`` command does with them."""
