"""Settling decisions, the value line, and what a rehearsal says about policies."""
