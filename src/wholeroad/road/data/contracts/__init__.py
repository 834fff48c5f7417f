"""Contracts of sources: compiled to one pass over a batch, proposed from what has landed."""
