"""Fairness of decisions: measures by group, limits, thresholds and weights, and what they cost."""
