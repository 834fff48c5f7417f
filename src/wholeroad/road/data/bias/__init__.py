"""Bias in the data: who is there, who is missing, whose outcomes are seen, told and late, by group."""
