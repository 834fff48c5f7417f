"""Errors of figures that move with time by themselves: from how far each block is from the one before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wholeroad.road.data.bias.ratios import Ratios

_FREEDOM = 2 / 3


def successive(figures: Ratios) -> Ratios:
    """Give the same figures with errors from successive differences of their blocks.

    When a group's cases came is a course over time, not luck: how far a day is from the mean of all says
    little of how far it would be from itself, drawn again. The day before is nearly the same but for luck
    (von Neumann, Kent, Bellinson, Hart 1941, *The mean square successive difference*, Annals of Mathematical
    Statistics 12; Wolter 1985, *Introduction to variance estimation*, chapter 7). Two thirds of the degrees
    of freedom are left. Steps and weekdays make the error larger than it is, never smaller.
    """
    beyond = figures.numerator - figures.value[:, None] * figures.denominator
    blocks = beyond.shape[1]
    if blocks < 2:
        return figures
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = np.diff(beyond, axis=1) / figures.cases[:, None] * np.sqrt(blocks / (blocks - 1) / 2)
        variance = np.einsum("gb,gb->g", residual, residual)
        effective = figures.effective
        told = np.isfinite(figures.standard_error) & (variance > 0)
        if figures.share:
            effective = np.where(told, figures.value * (1 - figures.value) / variance, effective)
    return replace(
        figures,
        standard_error=np.where(told, np.sqrt(variance), figures.standard_error),
        freedom=figures.freedom * _FREEDOM,
        effective=effective,
        residual=np.nan_to_num(residual),
    )
