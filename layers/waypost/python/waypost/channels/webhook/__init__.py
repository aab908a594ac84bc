"""Messages that a system of the company's own delivers: one signed POST each."""
