"""Values that every provider shares: no I/O, and no provider's name."""
