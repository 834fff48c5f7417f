"""What a camera will see, before it is bought: pixels, blur, sharpness, light, and what they cost to keep.

An ideal thin lens, looking straight at the scene. Distortion, haze, noise, compression and the lens's own
blur take away from what stands here; they are not reckoned with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from wholeroad.core.instants import DAY
from wholeroad.road.brief.cameras import CameraTable

LEVELS: Final[dict[str, int]] = {
    "overview": 20,
    "outline": 40,
    "discern": 80,
    "perceive": 125,
    "characterise": 250,
    "validate": 500,
    "scrutinise": 1500,
}
"""Pixels per metre of IEC 62676-4:2025, *Video surveillance systems for use in security applications:
application guidelines*. The edition before had other levels: there, 250 were enough to identify a person."""

JOHNSON: Final[dict[str, float]] = {"detect": 1.0, "orient": 1.4, "recognise": 4.0, "identify": 6.4}
"""Line pairs across the smallest side of a thing for half of observers to succeed (Johnson 1958, *Analysis of
image forming systems*, Image Intensifier Symposium, Fort Belvoir, AD 220160). A pair is two pixels."""

INCIDENT: Final = 250.0
"""``C`` of an incident-light meter with a flat receptor, in lux seconds (ISO 2720:1974)."""
REFLECTED: Final = 12.5
"""``K`` of a reflected-light meter, in candela seconds per square metre (ISO 2720:1974)."""
TYPICAL_REFLECTANCE: Final = math.pi * REFLECTED / INCIDENT
"""0.157: what reflects as much light is exposed the same by both kinds of meter."""

_GREEN_MM: Final = 0.00055
"""A wavelength in the middle of what is visible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPlan:
    """What follows from a camera's settings.

    Attributes
    ----------
    source
        The source that the pictures are of.
    pixel_um
        Pitch of the sensor's pixels.
    field_m
        Width and height of what is seen at the distance.
    pixels_per_m, at_nearest, at_farthest
        Pixels across a metre at the distance, and where the scene begins and ends.
    level
        The highest level of IEC 62676-4:2025 that is reached at the far end; None below all.
    tasks
        Of Johnson's: which are reached for ``smallest_mm`` at the far end; empty where it isn't said.
    smallest_px
        Pixels across ``smallest_mm`` at the far end; None where it isn't said.
    exposure_s
        As the settings say, or the longest that blur and frame rate allow.
    longest_exposure_s
        The longest that the allowed blur allows at the near end; infinite where nothing moves.
    blur_px, skew_px
        How far the thing moves in the picture, at the near end: while it is exposed, and from the first
        line of a rolling shutter to the last.
    hyperfocal_m
        Focused there, everything is sharp from half of it on.
    sharp_m
        From where to where it is sharp, when focused at the distance; may end at infinity.
    airy_px
        Pixels across the spot that diffraction makes of a point.
    needed_iso, needed_lux
        Sensitivity at the light, and light at the sensitivity, that the exposure asks for; None where
        ``light_lux`` isn't said.
    light_exposure_s
        The exposure that the light asks for at the highest sensitivity; None where it isn't said.
    bits_per_s
        Of the compressed stream.
    kept_bytes
        All that is stored at a time; None where ``kept`` isn't said.
    """

    source: str
    pixel_um: float
    field_m: tuple[float, float]
    pixels_per_m: float
    at_nearest: float
    at_farthest: float
    level: str | None
    tasks: tuple[str, ...]
    smallest_px: float | None
    exposure_s: float
    longest_exposure_s: float
    blur_px: float
    skew_px: float
    hyperfocal_m: float
    sharp_m: tuple[float, float]
    airy_px: float
    needed_iso: float | None
    needed_lux: float | None
    light_exposure_s: float | None
    bits_per_s: float
    kept_bytes: float | None


def plan_camera(source: str, camera: CameraTable) -> CameraPlan:
    """Reckon what a camera will see.

    Parameters
    ----------
    source
        The source's name.
    camera
        Its settings.

    Examples
    --------
    Two thirds of an inch, 25 mm, 16 m away: 5.63 by 4.22 m.

    >>> camera = CameraTable(
    ...     sensor_width_mm=8.8,
    ...     sensor_height_mm=6.6,
    ...     pixels_wide=1920,
    ...     pixels_high=1440,
    ...     focal_length_mm=25,
    ...     distance_m=16,
    ... )
    >>> plan = plan_camera("gate", camera)
    >>> [round(side, 2) for side in plan.field_m], round(plan.pixels_per_m), plan.level
    ([5.63, 4.22], 341, 'characterise')
    """
    nearest, farthest = camera.nearest_m or camera.distance_m, camera.farthest_m or camera.distance_m
    near, far = pixels_per_m(camera, nearest), pixels_per_m(camera, farthest)
    longest = camera.blur_px / (camera.speed_m_s * near) if camera.speed_m_s else math.inf
    exposure = camera.exposure_s or min(longest, 1 / camera.frames_per_s)
    smallest = None if camera.smallest_mm is None else camera.smallest_mm / 1000 * far
    bits = camera.pixels_wide * camera.pixels_high * camera.frames_per_s * camera.bits_per_pixel
    lux_seconds = light_needed(camera, iso=camera.iso)
    return CameraPlan(
        source=source,
        pixel_um=1000 * camera.sensor_width_mm / camera.pixels_wide,
        field_m=(
            camera.distance_m * camera.sensor_width_mm / camera.focal_length_mm,
            camera.distance_m * camera.sensor_height_mm / camera.focal_length_mm,
        ),
        pixels_per_m=pixels_per_m(camera, camera.distance_m),
        at_nearest=near,
        at_farthest=far,
        level=level_of(far),
        tasks=()
        if smallest is None
        else tuple(task for task, need in JOHNSON.items() if smallest >= 2 * need),
        smallest_px=smallest,
        exposure_s=exposure,
        longest_exposure_s=longest,
        blur_px=camera.speed_m_s * exposure * near,
        skew_px=camera.speed_m_s * camera.readout_s * near if camera.shutter == "rolling" else 0.0,
        hyperfocal_m=hyperfocal_m(camera, f_number=camera.f_number),
        sharp_m=sharp_m(camera),
        airy_px=2.44 * _GREEN_MM * camera.f_number / (camera.sensor_width_mm / camera.pixels_wide),
        needed_iso=None
        if camera.light_lux is None
        else camera.iso * lux_seconds / exposure / camera.light_lux,
        needed_lux=None if camera.light_lux is None else lux_seconds / exposure,
        light_exposure_s=None if camera.light_lux is None else lux_seconds / camera.light_lux,
        bits_per_s=bits,
        kept_bytes=None
        if camera.kept is None
        else bits / 8 * camera.hours_per_day * 3600 * camera.kept / DAY,
    )


def pixels_per_m(camera: CameraTable, distance_m: float) -> float:
    """Give the pixels across a metre at a distance: those of the sensor, over the width that it sees."""
    return camera.pixels_wide * camera.focal_length_mm / camera.sensor_width_mm / distance_m


def level_of(pixels: float) -> str | None:
    """Give the highest level that so many pixels per metre reach."""
    reached = [name for name, needed in LEVELS.items() if pixels >= needed]
    return reached[-1] if reached else None


def circle_mm(camera: CameraTable) -> float:
    """Give how wide a point may become and still count as sharp: two pixels."""
    return 2 * camera.sensor_width_mm / camera.pixels_wide


def hyperfocal_m(camera: CameraTable, *, f_number: float) -> float:
    """Give the hyperfocal distance, ``f² / (N c) + f`` (Greenleaf 1950, *Photographic Optics*, 25 to 27)."""
    focal = camera.focal_length_mm
    return (focal**2 / (f_number * circle_mm(camera)) + focal) / 1000


def sharp_m(camera: CameraTable) -> tuple[float, float]:
    """Give from where to where it is sharp, focused at the distance ``s`` (Greenleaf 1950, 25 to 27).

    ``s (H - f) / (H + s - 2 f)`` and ``s (H - f) / (H - s)``; from the hyperfocal distance on without end.
    """
    focal, focus = camera.focal_length_mm / 1000, camera.distance_m
    far_out = hyperfocal_m(camera, f_number=camera.f_number)
    near = focus * (far_out - focal) / (far_out + focus - 2 * focal)
    return near, math.inf if focus >= far_out else focus * (far_out - focal) / (far_out - focus)


def f_number_for_depth(camera: CameraTable) -> float:
    """Give the least f-number at which it is sharp from the near end to the far one; 0 where any is."""
    focal, focus = camera.focal_length_mm / 1000, camera.distance_m
    wanted = []
    if camera.nearest_m is not None and camera.nearest_m < focus:
        near = camera.nearest_m
        wanted.append((focus * focal + near * focus - 2 * near * focal) / (focus - near))
    if camera.farthest_m is not None and camera.farthest_m > focus:
        far = camera.farthest_m
        wanted.append(focus * (far - focal) / (far - focus))
    if not wanted:
        return 0.0
    return camera.focal_length_mm**2 / (circle_mm(camera) * (1000 * min(wanted) - camera.focal_length_mm))


def light_needed(camera: CameraTable, *, iso: float) -> float:
    """Give the light times the exposure that makes the thing of middle brightness, in lux seconds.

    ``N² / t = E S / C`` for what reflects as a meter supposes (ISO 2720:1974, incident light, C = 250), and
    more or less light for what is darker or brighter.
    """
    return camera.f_number**2 * INCIDENT / iso * TYPICAL_REFLECTANCE / camera.reflectance
