"""What Waypost costs in time and money, measured. Run with ``python -m benchmarks`` (``make bench``)."""
