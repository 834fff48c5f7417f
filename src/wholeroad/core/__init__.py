"""Instants, facts, ids, the view that cannot see past now, ports, expressions, errors. No I/O."""
