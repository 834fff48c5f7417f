"""What a camera will see: laws of optics, other people's worked examples, and what is ruled out."""

from __future__ import annotations

import math
import tomllib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import worlds
from wholeroad.lessons import lesson_for
from wholeroad.road.brief.cameras import CameraTable
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.camera import (
    LEVELS,
    TYPICAL_REFLECTANCE,
    circle_mm,
    f_number_for_depth,
    hyperfocal_m,
    level_of,
    plan_camera,
)
from wholeroad.road.data.camera_limits import question_cameras, ruled_out

laws = settings(max_examples=100, deadline=None)
METERED = TYPICAL_REFLECTANCE


def camera_of(**said):
    given_of = {
        "sensor_width_mm": 8.8,
        "sensor_height_mm": 6.6,
        "pixels_wide": 1920,
        "pixels_high": 1440,
        "focal_length_mm": 25,
        "distance_m": 16,
    }
    return CameraTable.model_validate(given_of | said)


def planned(**said):
    return plan_camera("gate", camera_of(**said))


def codes(**said):
    camera = camera_of(**said)
    return [finding.code for finding in ruled_out(plan_camera("gate", camera), camera)]


cameras = st.builds(
    camera_of,
    sensor_width_mm=st.floats(3, 40),
    pixels_wide=st.integers(640, 8000),
    focal_length_mm=st.floats(2, 100),
    distance_m=st.floats(1, 200),
    f_number=st.floats(1.2, 22),
    speed_m_s=st.floats(0.01, 30),
    light_lux=st.floats(1, 1e5),
    blur_px=st.floats(0.2, 4),
    smallest_mm=st.floats(0.1, 500),
    readout_s=st.floats(0.001, 0.1),
    shutter=st.sampled_from(["global", "rolling"]),
)


# laws


@laws
@given(cameras)
def test_law_half_the_distance_or_twice_the_lens_is_twice_the_pixels(camera):
    assume(camera.distance_m > 1)
    plan = plan_camera("gate", camera)
    nearer = plan_camera("gate", camera.model_copy(update={"distance_m": camera.distance_m / 2}))
    longer = plan_camera("gate", camera.model_copy(update={"focal_length_mm": 2 * camera.focal_length_mm}))
    for other in (nearer, longer):
        assert other.pixels_per_m == pytest.approx(2 * plan.pixels_per_m)
        assert other.field_m[0] == pytest.approx(plan.field_m[0] / 2)
        assert other.longest_exposure_s == pytest.approx(plan.longest_exposure_s / 2)
        assert other.skew_px == pytest.approx(2 * plan.skew_px)


@laws
@given(cameras)
def test_law_pixels_across_the_field_are_those_of_the_sensor(camera):
    plan = plan_camera("gate", camera)
    assert plan.pixels_per_m * plan.field_m[0] == pytest.approx(camera.pixels_wide)
    assert plan.pixel_um * camera.pixels_wide == pytest.approx(1000 * camera.sensor_width_mm)


@laws
@given(cameras)
def test_law_where_sharpness_ends_a_point_is_as_wide_as_is_allowed(camera):
    """Rays through the edges of the opening, by the thin lens's own equation."""
    plan = plan_camera("gate", camera)

    def image_mm(distance_m):
        return 1 / (1 / camera.focal_length_mm - 1 / (1000 * distance_m))

    focused = image_mm(camera.distance_m)
    for end in plan.sharp_m:
        at = camera.focal_length_mm if math.isinf(end) else image_mm(end)
        opening = camera.focal_length_mm / camera.f_number
        width = opening * abs(at - focused) / at
        if math.isinf(end):
            assert width <= circle_mm(camera) * (1 + 1e-9)
        else:
            assert width == pytest.approx(circle_mm(camera), rel=1e-6)


@laws
@given(cameras, st.floats(1.05, 4), st.floats(1.05, 4))
def test_law_the_f_number_that_is_named_makes_it_sharp_and_a_smaller_one_does_not(camera, before, after):
    wanted = camera.model_copy(
        update={"nearest_m": camera.distance_m / before, "farthest_m": camera.distance_m * after}
    )
    needed = f_number_for_depth(wanted)
    for times, holds in ((1.001, True), (0.999, False)):
        near, far = plan_camera("gate", wanted.model_copy(update={"f_number": times * needed})).sharp_m
        assert (near <= wanted.nearest_m and far >= wanted.farthest_m) == holds


@laws
@given(cameras)
def test_law_the_longest_exposure_blurs_as_much_as_is_allowed(camera):
    plan = plan_camera("gate", camera)
    exposed = camera.model_copy(update={"exposure_s": plan.longest_exposure_s})
    assert plan_camera("gate", exposed).blur_px == pytest.approx(camera.blur_px)


@laws
@given(cameras)
def test_law_the_light_the_sensitivity_and_the_opening_that_are_named_are_enough(camera):
    plan = plan_camera("gate", camera)
    for change in ({"light_lux": plan.needed_lux}, {"iso": plan.needed_iso}):
        other = plan_camera("gate", camera.model_copy(update=change))
        assert other.light_exposure_s == pytest.approx(plan.exposure_s)
    wider = camera.f_number / math.sqrt(plan.needed_iso / camera.iso)
    other = plan_camera("gate", camera.model_copy(update={"f_number": wider}))
    assert other.light_exposure_s == pytest.approx(plan.exposure_s)


@laws
@given(cameras, st.sampled_from([*LEVELS]))
def test_law_what_is_ruled_out_is_so_until_its_fix_is_made(camera, level):
    camera = camera.model_copy(update={"level": level})
    plan = plan_camera("gate", camera)
    found = {finding.code for finding in ruled_out(plan, camera)}
    assert ("camera.level" in found) == (plan.pixels_per_m < LEVELS[level])
    assert ("camera.light" in found) == (plan.needed_iso > camera.iso)
    times = LEVELS[level] / plan.pixels_per_m
    for change in (
        {"distance_m": camera.distance_m / times},
        {"focal_length_mm": camera.focal_length_mm * times},
    ):
        mended = camera.model_copy(update=change)
        assert "camera.level" not in {f.code for f in ruled_out(plan_camera("gate", mended), mended)}


# examples with their source


def test_fields_of_view_of_secursys():
    """secursys-sas.it, Optical Calculation: both 16 m away."""
    assert [round(side, 2) for side in planned().field_m] == [5.63, 4.22]
    other = planned(sensor_width_mm=4.8, sensor_height_mm=3.6, focal_length_mm=35)
    assert [round(side, 2) for side in other.field_m] == [2.19, 1.65]


def test_a_field_of_one_degree_of_infiniti():
    """infinitioptics.com/dori: 8.7 m wide at 500 m, which 640 pixels show at 73 px/m."""
    lens = 8.8 / (2 * math.tan(math.radians(0.5)))
    plan = planned(focal_length_mm=lens, distance_m=500, pixels_wide=640)
    assert plan.field_m[0] == pytest.approx(8.7, abs=0.05)
    assert round(plan.pixels_per_m) == 73


def of_pixel(micrometres, **said):
    """Make a camera whose pixels are so wide on the thing: 1 m away, with the right lens."""
    return planned(
        sensor_width_mm=10, pixels_wide=1000, distance_m=1, focal_length_mm=10 / micrometres * 1000, **said
    )


def test_the_exposure_of_aetrixelec():
    """aetrixelec.com, Motion Blur Exposure Calculator: 52.0833 µm a pixel, 104.167 µs, 0.0520833 mm.

    The page doesn't print its inputs: its results are one pixel at 500 mm/s, as half of one at 250.
    """
    for blur, speed in ((1.0, 0.5), (0.5, 0.25)):
        plan = of_pixel(52.0833, speed_m_s=speed, blur_px=blur, frames_per_s=25)
        assert plan.longest_exposure_s * 1e6 == pytest.approx(104.167, abs=0.001)
        assert plan.exposure_s == plan.longest_exposure_s


def test_the_blur_of_vision_bench():
    """vision-bench, Motion Blur: 500 mm/s, 100 µs and 50 µm a pixel are 1.00 px."""
    assert of_pixel(50, speed_m_s=0.5, exposure_s=100e-6).blur_px == pytest.approx(1.0)


def test_hyperfocal_distances_of_three_pages():
    """Without ``+ f``, which all leave out: bit1024.com, 15,625 and 3,712 mm; US Army SS0507, 20.8 ft."""
    for focal, circle, stop, shown in (
        (50, 0.02, 8, 15.625),
        (35, 0.03, 11, 3.71212),
        (50.8, 0.0508, 8, 6.35),
    ):
        camera = camera_of(
            sensor_width_mm=circle / 2 * 1920, focal_length_mm=focal, f_number=stop, distance_m=shown
        )
        assert hyperfocal_m(camera, f_number=stop) - focal / 1000 == pytest.approx(shown, rel=1e-4)
    feet = 6.35 / 0.3048
    assert feet == pytest.approx(20.8, abs=0.05)


def test_focused_at_the_hyperfocal_distance_it_is_sharp_from_half_of_it_to_infinity():
    """openphotographicsociety.co.uk: 50 mm, f/22, 0.03 mm: about 3.75 m, sharp from about 1.9 m on."""
    base = {"sensor_width_mm": 0.015 * 1920, "focal_length_mm": 50, "f_number": 22}
    hyperfocal = hyperfocal_m(camera_of(**base), f_number=22)
    assert hyperfocal == pytest.approx(3.75, rel=0.03)
    near, far = planned(**base, distance_m=hyperfocal).sharp_m
    assert near == pytest.approx(hyperfocal / 2)
    assert near == pytest.approx(1.9, abs=0.05)
    assert far > 1e6


@pytest.mark.parametrize(("value", "lux"), [(0, 2.5), (1, 5), (2, 10), (3, 20), (4, 40), (15, 81920)])
def test_light_values_at_iso_100(value, lux):
    """The usual table of exposure values (C = 250): 2.5 lux are EV 0, and each step doubles them."""
    plan = planned(
        f_number=4.0, iso=100, reflectance=METERED, light_lux=1, exposure_s=16 / 2**value, frames_per_s=0.01
    )
    assert plan.needed_lux == pytest.approx(lux)


def test_storage_of_calculatorshelf():
    """calculatorshelf.com: eight cameras of 4 Mbit/s for 30 days, 10.4 TB and 346 GB a day."""
    kept = {"pixels_wide": 1000, "pixels_high": 1000, "frames_per_s": 40, "bits_per_pixel": 0.1}
    plan = planned(**kept, kept="30d")
    assert plan.bits_per_s == pytest.approx(4e6)
    assert 8 * plan.kept_bytes / 1e12 == pytest.approx(10.4, abs=0.05)
    assert 8 * plan.kept_bytes / 30 / 1e9 == pytest.approx(346, abs=0.5)
    half = camera_of(**kept, kept="30d", hours_per_day=12)
    assert plan_camera("gate", half).kept_bytes == pytest.approx(plan.kept_bytes / 2)


def test_levels_are_those_of_2025():
    reached = [level_of(pixels) for pixels in (19, 20, 79.9, 80, 125, 250, 499, 500, 1500)]
    assert reached == [
        None,
        "overview",
        "outline",
        "discern",
        "perceive",
        "characterise",
        "characterise",
        "validate",
        "scrutinise",
    ]


def test_johnson_s_tasks_take_two_pixels_a_pair():
    for pixels, tasks in ((1.9, 0), (2.0, 1), (2.8, 2), (8.0, 3), (12.8, 4)):
        plan = planned(smallest_mm=1000 * pixels / planned().pixels_per_m + 1e-9)
        assert len(plan.tasks) == tasks
    assert plan.tasks == ("detect", "orient", "recognise", "identify")


# what is ruled out


def test_a_camera_that_is_good_enough_rules_nothing_out():
    assert codes(level="characterise", smallest_mm=20, speed_m_s=1, light_lux=5000, farthest_m=20) == []


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        ("camera.level", {"level": "validate"}, "validating at 16 m needs 500 px/m; this gives 341"),
        ("camera.smallest", {"smallest_mm": 5}, "5 mm are 1.7 px at 16 m; 3 are asked for"),
        ("camera.blur", {"speed_m_s": 2, "exposure_s": 0.01}, "in 10 ms it moves 6.82 pixels; 1 are allowed"),
        (
            "camera.shutter",
            {"speed_m_s": 2, "shutter": "rolling", "readout_s": 0.02},
            "leans things by 13.6 px",
        ),
        ("camera.frame", {"exposure_s": 0.1}, "an exposure of 0.1 s doesn't fit into a frame: there are 25"),
        ("camera.light", {"speed_m_s": 3, "light_lux": 100}, "ask for ISO 10,"),
        ("camera.focus", {"f_number": 1.4, "nearest_m": 2, "farthest_m": 40}, "2 m to 40 m are asked for"),
        ("camera.diffraction", {"f_number": 22}, "at f/22 the lens makes of a point a spot of"),
    ],
)
def test_what_is_ruled_out_is_said_and_explained(code, said, words):
    camera = camera_of(**said)
    found = ruled_out(plan_camera("gate", camera), camera)
    assert [finding.code for finding in found] == [code]
    assert words in found[0].happened
    assert found[0].where == "[source.gate.camera]"
    assert found[0].fix
    assert lesson_for(code) is not None


def test_where_it_is_not_sharp_the_best_focus_is_named_and_is_enough():
    camera = camera_of(f_number=1.4, nearest_m=2, farthest_m=40)
    (found,) = ruled_out(plan_camera("gate", camera), camera)
    assert found.fix.startswith("focus at 3.81 m and stop down to f/")
    stop = float(found.fix.partition("f/")[2].partition(",")[0])
    best = camera.model_copy(update={"distance_m": 2 * 2 * 40 / 42, "f_number": stop * 1.01})
    near, far = plan_camera("gate", best).sharp_m
    assert near <= 2
    assert far >= 40


def test_distances_that_make_no_sense_are_refused():
    with pytest.raises(ValidationError, match="in ascending order"):
        camera_of(nearest_m=20)
    with pytest.raises(ValidationError, match="two focal lengths"):
        camera_of(distance_m=0.04)


# in a brief


def test_a_brief_may_plan_a_camera_for_a_source_that_is_not_there_yet():
    text = (
        worlds.BRIEF
        + """
[source.gate]
read = "none"
key = "picture_id"
costs_per_month = 240
[source.gate.camera]
sensor_width_mm = 8.8
sensor_height_mm = 6.6
pixels_wide = 1920
pixels_high = 1440
focal_length_mm = 25
distance_m = 16
level = "validate"
kept = "30d"
"""
    )
    brief = Brief.model_validate(tomllib.loads(text))
    assert [finding.code for finding in question_cameras(brief)] == ["camera.level"]
    assert question_cameras(Brief.model_validate(tomllib.loads(worlds.BRIEF))) == []
