"""Which model decides which case, from when."""
