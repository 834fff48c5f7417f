"""Contract suites for plug-ins, and small generators; shipped, so that others can test theirs."""
