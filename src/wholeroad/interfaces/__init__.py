"""How people and machines reach a project: command line, reports."""
