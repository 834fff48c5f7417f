"""The service: one row, one case at a time, on the real clock, by the cycle that is rehearsed."""
