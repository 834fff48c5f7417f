"""From a cut of history to a model: candidates, time-ordered validation, calibration, choice, card."""
