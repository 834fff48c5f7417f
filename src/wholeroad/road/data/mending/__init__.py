"""Mends: declared steps that rows go through before they land.

``applying`` runs the steps, ``planning`` fits them to the columns at hand, and one module for each kind of
step says what it does to values. ``proposing`` and ``writing`` bring a step into the brief, ``effects`` tells
what it changed.
"""
