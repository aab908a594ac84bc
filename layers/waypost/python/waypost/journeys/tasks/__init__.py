"""The tasks a journey calls beside Send and Pause, a module per function."""
