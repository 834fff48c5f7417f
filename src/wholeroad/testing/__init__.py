"""Shipped for the tests of others: contract suites for plug-ins, small generators of data."""
