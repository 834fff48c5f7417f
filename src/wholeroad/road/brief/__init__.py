"""The contract of the problem, its checks, and the charter."""
