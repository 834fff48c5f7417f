"""``[source.NAME.camera]``: the camera that a source of images will come from, before it is bought."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from wholeroad.road.brief.settings import LongSpan, Table


class CameraTable(Table):
    """``[source.NAME.camera]``: sensor, lens, scene and what is asked of the picture."""

    sensor_width_mm: float = Field(gt=0)
    sensor_height_mm: float = Field(gt=0)
    pixels_wide: int = Field(gt=0)
    pixels_high: int = Field(gt=0)
    focal_length_mm: float = Field(gt=0)
    f_number: float = Field(default=2.8, gt=0)
    distance_m: float = Field(gt=0)
    """From the lens to what is looked at."""
    nearest_m: float | None = Field(default=None, gt=0)
    farthest_m: float | None = Field(default=None, gt=0)
    """Between these everything has to be sharp; the distance alone unless said."""
    speed_m_s: float = Field(default=0.0, ge=0)
    """How fast what is looked at moves across the picture."""
    exposure_s: float | None = Field(default=None, gt=0)
    """The longest that blur allows unless said."""
    blur_px: float = Field(default=1.0, gt=0)
    """Blur that is allowed: 0.5 to measure, 1 to 2 to tell that something is there."""
    light_lux: float | None = Field(default=None, gt=0)
    """On the scene."""
    reflectance: float = Field(default=0.3, gt=0, le=1)
    iso: float = Field(default=800.0, gt=0)
    """The highest sensitivity that the sensor bears."""
    frames_per_s: float = Field(default=25.0, gt=0)
    bits_per_pixel: float = Field(default=0.1, gt=0)
    """Of the compressed stream."""
    kept: LongSpan | None = None
    """How long the stream is stored."""
    hours_per_day: float = Field(default=24.0, gt=0, le=24)
    level: (
        Literal["overview", "outline", "discern", "perceive", "characterise", "validate", "scrutinise"] | None
    ) = None
    """What has to be told from the picture: levels of IEC 62676-4:2025."""
    smallest_mm: float | None = Field(default=None, gt=0)
    """The smallest thing that has to be told, at least three pixels wide unless ``smallest_px`` says so."""
    smallest_px: float = Field(default=3.0, gt=0)
    shutter: Literal["global", "rolling"] = "global"
    readout_s: float = Field(default=0.0, ge=0)
    """From the first line to the last, of a rolling shutter."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        nearest, farthest = self.nearest_m or self.distance_m, self.farthest_m or self.distance_m
        if not nearest <= self.distance_m <= farthest:
            message = (
                f"nearest_m, distance_m, farthest_m were {nearest:g}, {self.distance_m:g}, {farthest:g}; "
                "in ascending order"
            )
            raise ValueError(message)
        if self.distance_m * 1000 <= 2 * self.focal_length_mm or nearest * 1000 <= 2 * self.focal_length_mm:
            message = (
                "something was nearer than two focal lengths; farther, where a picture is smaller than life"
            )
            raise ValueError(message)
        return self
