"""One cycle for both worlds; only the engine reads a clock."""
