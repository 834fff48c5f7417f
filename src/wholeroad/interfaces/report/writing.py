"""From a rehearsal to its page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from wholeroad import __version__
from wholeroad.core.errors import unusable
from wholeroad.engine.comparing import CARDS
from wholeroad.interfaces.report.data_page import render_data
from wholeroad.interfaces.report.fairness_page import FairnessData, render_fairness
from wholeroad.interfaces.report.page import ReportData, render
from wholeroad.interfaces.report.words import refusals

if TYPE_CHECKING:
    from wholeroad.engine.profiling import Profiled
    from wholeroad.engine.rehearsed import Rehearsed

PAGE: Final = "report.html"


def write_page(rehearsed: Rehearsed) -> Path:
    """Write the page into the rehearsal's folder; it needs no other file.

    Returns
    -------
    Path
        Of the page.
    """
    data = ReportData(
        brief=rehearsed.brief,
        comparison=rehearsed.comparison,
        money_over_time=rehearsed.money_over_time,
        calibration=rehearsed.calibration,
        fits=rehearsed.fits,
        warnings=[],
        name=rehearsed.folder.name,
        version=__version__,
        refused=refusals(rehearsed.compared),
        cards=CARDS if (rehearsed.folder / CARDS).exists() else "",
        assumptions=rehearsed.assumptions,
        segments=rehearsed.compared.segments,
        fairness=rehearsed.compared.fairness,
        findings=tuple(rehearsed.findings),
    )
    path = rehearsed.folder / PAGE
    path.write_text(render(data), encoding="utf-8")
    return path


def write_data_page(profiled: Profiled, path: Path) -> Path:
    """Write the page of a profile; it needs no other file: ``project.unusable``."""
    return _written(render_data(profiled), path)


def write_fairness_page(data: FairnessData, path: Path) -> Path:
    """Write the page about fairness; it needs no other file: ``project.unusable``."""
    return _written(render_fairness(data), path)


def _written(text: str, path: Path) -> Path:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unusable(path, str(error)) from error
    return path
