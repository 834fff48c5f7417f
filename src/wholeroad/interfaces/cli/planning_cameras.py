"""What the commands print about a planned camera."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wholeroad.road.data.camera_limits import ruled_out

if TYPE_CHECKING:
    from rich.console import Console

    from wholeroad.road.brief.cameras import CameraTable
    from wholeroad.road.data.camera import CameraPlan


def show_camera(console: Console, plan: CameraPlan, *, camera: CameraTable | None) -> None:
    """Print what a camera gives, then what it rules out and what would have to change."""
    console.print(Text(f"The camera of {plan.source}", style="bold"))
    lines = Table.grid(padding=(0, 2, 0, 2))
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    for name, text in _told(plan):
        lines.add_row(name, text)
    console.print(lines)
    findings = [] if camera is None else ruled_out(plan, camera)
    if not findings:
        console.print("Nothing that was asked for is ruled out by this arithmetic.")
    for finding in findings:
        console.print(Text.assemble(("ruled out: ", "yellow"), finding.happened, f"  [{finding.code}]"))
        console.print(Padding(Text(f"{finding.why_it_matters}; {finding.fix}"), (0, 0, 0, 2)))


def _told(plan: CameraPlan) -> Iterator[tuple[str, str]]:
    yield "field of view", f"{plan.field_m[0]:.3g} m x {plan.field_m[1]:.3g} m"
    yield "detail", f"{plan.pixels_per_m:,.0f} px/m at the distance, {plan.at_farthest:,.0f} at the far end"
    yield "level", f"{plan.level or 'below all'} (IEC 62676-4:2025, at the far end)"
    if plan.smallest_px is not None:
        tasks = f"; {', '.join(plan.tasks)} (Johnson)" if plan.tasks else ""
        yield "smallest thing", f"{plan.smallest_px:.1f} px{tasks}"
    yield "exposure", f"{_time(plan.exposure_s)}; blur allows {_time(plan.longest_exposure_s)}"
    yield "blur", f"{plan.blur_px:.2f} px" + (f", skew {plan.skew_px:.2f} px" if plan.skew_px else "")
    far = "infinity" if math.isinf(plan.sharp_m[1]) else f"{plan.sharp_m[1]:.3g} m"
    yield "sharp", f"from {plan.sharp_m[0]:.3g} m to {far}; hyperfocal distance {plan.hyperfocal_m:.3g} m"
    if plan.needed_iso is not None and plan.needed_lux is not None:
        yield (
            "light",
            f"asks for ISO {plan.needed_iso:,.0f}, or {plan.needed_lux:,.0f} lux at the highest ISO",
        )
    yield "bandwidth", f"{plan.bits_per_s / 1e6:.3g} Mbit/s"
    if plan.kept_bytes is not None:
        yield "storage", f"{plan.kept_bytes / 1e9:,.1f} GB"


def _time(seconds: float) -> str:
    if math.isinf(seconds):
        return "any"
    return f"1/{1 / seconds:,.0f} s" if seconds < 0.5 else f"{seconds:.2g} s"
