"""Mends: declared steps that rows go through before they land."""
