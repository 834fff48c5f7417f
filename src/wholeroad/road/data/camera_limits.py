"""What a planned camera rules out, in sentences, with what would have to change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from wholeroad.road.brief.cameras import CameraTable
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.camera import LEVELS, CameraPlan, f_number_for_depth, plan_camera
from wholeroad.road.data.findings import Finding

DOING: Final[dict[str, str]] = {
    "overview": "an overview",
    "outline": "making out outlines",
    "discern": "discerning",
    "perceive": "perceiving",
    "characterise": "characterising",
    "validate": "validating",
    "scrutinise": "scrutinising",
}
_SLACK: Final = 1e-9
"""What two ways of reckoning may differ by."""


def question_cameras(brief: Brief) -> list[Finding]:
    """Say what the planned cameras of a brief rule out; nothing where there are none."""
    return [
        finding
        for name, source in brief.source.items()
        if source.camera is not None
        for finding in ruled_out(plan_camera(name, source.camera), source.camera)
    ]


def ruled_out(plan: CameraPlan, camera: CameraTable) -> list[Finding]:
    """Say what can't be seen with a camera.

    Examples
    --------
    >>> camera = CameraTable(
    ...     sensor_width_mm=6.4, sensor_height_mm=4.8, pixels_wide=2736, pixels_high=2052,
    ...     focal_length_mm=4.8, distance_m=12, level="characterise",
    ... )
    >>> found = ruled_out(plan_camera("gate", camera), camera)[0]
    >>> found.happened, found.fix
    ('characterising at 12 m needs 250 px/m; this gives 171', 'come nearer than 8.21 m, or take 4,000 pixels \
across, or a lens of 7.02 mm')
    """
    return [
        *_detail(plan, camera),
        *_motion(plan, camera),
        *_light(plan, camera),
        *_focus(plan, camera),
    ]


def _detail(plan: CameraPlan, camera: CameraTable) -> Iterator[Finding]:
    if camera.level is not None and plan.at_farthest < LEVELS[camera.level] * (1 - _SLACK):
        needed = LEVELS[camera.level]
        yield _finding(
            plan,
            "camera.level",
            f"{DOING[camera.level]} at {_farthest(camera)} needs {needed:,} px/m; "
            f"this gives {figure(plan.at_farthest)}",
            why="who looks at the pictures won't be able to tell, nor will a model that learns from them",
            fix=_closer(camera, times=needed / plan.at_farthest),
        )
    if plan.smallest_px is not None and plan.smallest_px < camera.smallest_px * (1 - _SLACK):
        yield _finding(
            plan,
            "camera.smallest",
            f"{figure(camera.smallest_mm or 0)} mm are {figure(plan.smallest_px)} px at {_farthest(camera)}; "
            f"{figure(camera.smallest_px)} are asked for",
            why="what is smaller than that is between the pixels in some pictures and on them in others",
            fix=_closer(camera, times=camera.smallest_px / plan.smallest_px),
        )


def _motion(plan: CameraPlan, camera: CameraTable) -> Iterator[Finding]:
    if plan.blur_px > camera.blur_px * (1 + _SLACK):
        yield _finding(
            plan,
            "camera.blur",
            f"in {_seconds(plan.exposure_s)} it moves {figure(plan.blur_px)} pixels; "
            f"{figure(camera.blur_px)} are allowed",
            why="edges are smeared by as much, and small things vanish in them",
            fix=f"expose for {_seconds(plan.longest_exposure_s)} at most, or let it move slower than "
            f"{figure(camera.speed_m_s * camera.blur_px / plan.blur_px)} m/s",
        )
    if plan.skew_px > max(1.0, camera.blur_px) * (1 + _SLACK):
        yield _finding(
            plan,
            "camera.shutter",
            f"the rolling shutter leans things by {figure(plan.skew_px)} px, from the first line to the last",
            why="shapes and sizes of what moves are wrong, and by another amount at another speed",
            fix="take a global shutter, or a faster readout of "
            f"{_seconds(camera.readout_s * max(1.0, camera.blur_px) / plan.skew_px)}",
        )
    if plan.exposure_s * camera.frames_per_s > 1 + _SLACK:
        yield _finding(
            plan,
            "camera.frame",
            f"an exposure of {_seconds(plan.exposure_s)} doesn't fit into a frame: there are "
            f"{figure(camera.frames_per_s)} in a second",
            why="the camera will take fewer frames than are counted on, or expose for less time",
            fix=f"expose for {_seconds(1 / camera.frames_per_s)} at most, or take "
            f"{figure(1 / plan.exposure_s)} frames a second",
        )


def _light(plan: CameraPlan, camera: CameraTable) -> Iterator[Finding]:
    if plan.needed_iso is None or plan.needed_lux is None or plan.light_exposure_s is None:
        return
    if plan.needed_iso <= camera.iso * (1 + _SLACK):
        return
    short = plan.needed_iso / camera.iso
    yield _finding(
        plan,
        "camera.light",
        f"{_seconds(plan.exposure_s)} at f/{figure(camera.f_number)} ask for ISO {figure(plan.needed_iso)} "
        f"in {figure(camera.light_lux or 0)} lux; the sensor bears {figure(camera.iso)}",
        why=f"the light asks for {_seconds(plan.light_exposure_s)}, and blur or frame rate for "
        f"{_seconds(plan.exposure_s)}: both can't be",
        fix=f"bring {figure(plan.needed_lux)} lux onto the scene, or open the lens to "
        f"f/{figure(camera.f_number / math.sqrt(short))}, or flash",
    )


def _focus(plan: CameraPlan, camera: CameraTable) -> Iterator[Finding]:
    nearest, farthest = camera.nearest_m or camera.distance_m, camera.farthest_m or camera.distance_m
    near, far = plan.sharp_m
    if near > nearest * (1 + _SLACK) or far < farthest * (1 - _SLACK):
        yield _finding(
            plan,
            "camera.focus",
            f"it is sharp from {_metres(near)} to {_metres(far)}; "
            f"{_metres(nearest)} to {_metres(farthest)} are asked for",
            why="what lies outside is wider than two pixels where it should be a point",
            fix=_sharper(camera, nearest, farthest=farthest),
        )
    if plan.airy_px > 2 * (1 + _SLACK):
        yield _finding(
            plan,
            "camera.diffraction",
            f"at f/{figure(camera.f_number)} the lens makes of a point a spot of {figure(plan.airy_px)} px",
            why="the pixels per metre are there, and the detail isn't: diffraction blurs it",
            fix=f"open the lens to f/{figure(2 * camera.f_number / plan.airy_px)}, or take larger pixels",
        )


def _sharper(camera: CameraTable, nearest: float, *, farthest: float) -> str:
    """Say how all of it becomes sharp: focused where both ends are equally blurred, and stopped down."""
    middle = 2 * nearest * farthest / (nearest + farthest)
    needed = f_number_for_depth(camera.model_copy(update={"distance_m": middle}))
    said = f"focus at {_metres(middle)}"
    if needed > camera.f_number:
        light = (needed / camera.f_number) ** 2
        said += f" and stop down to f/{figure(needed)}, which takes {figure(light)} times the light"
    return f"{said}; or take a shorter lens"


def _finding(plan: CameraPlan, code: str, happened: str, *, why: str, fix: str) -> Finding:
    return Finding(code, "warning", f"[source.{plan.source}.camera]", happened, why, fix)


def _closer(camera: CameraTable, *, times: float) -> str:
    farthest = camera.farthest_m or camera.distance_m
    return (
        f"come nearer than {figure(farthest / times)} m, or take {figure(camera.pixels_wide * times)} pixels "
        f"across, or a lens of {figure(camera.focal_length_mm * times)} mm"
    )


def _farthest(camera: CameraTable) -> str:
    return _metres(camera.farthest_m or camera.distance_m)


def _metres(value: float) -> str:
    return "infinity" if math.isinf(value) else f"{figure(value)} m"


def _seconds(value: float) -> str:
    """Write an exposure as people read it.

    Examples
    --------
    >>> _seconds(0.5), _seconds(0.04), _seconds(0.000104)
    ('0.5 s', '40 ms', '104 µs')
    """
    if value < 0.001:
        return f"{figure(value * 1e6)} µs"
    return f"{figure(value * 1000)} ms" if value < 0.1 else f"{figure(value)} s"


def figure(value: float) -> str:
    """Write a figure with three digits that count, whole from 100 on.

    Examples
    --------
    >>> figure(8.2143), figure(171.4), figure(3899.8), figure(12.0)
    ('8.21', '171', '3,900', '12')
    """
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"
