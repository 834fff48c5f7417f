"""Fairness watched: the plan against bias, and breaches of limits after release."""
