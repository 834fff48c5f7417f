"""Landing rows as versions, profiling them, and features as known."""
