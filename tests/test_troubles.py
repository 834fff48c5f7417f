"""Clean worlds are clean by plain means; planted trouble is where it says, as large as it says, and alone."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.testing.troubles import KINDS, SIZES, TEMPLATES, Planted, clean_world, in_memory, plant
from wholeroad.testing.troubles_counting import Trial, alarms, judged, planted_worlds, share_found, tried
from wholeroad.testing.troubles_planting import new_keys

ROWS = 1500
templates, seeds = st.sampled_from(sorted(TEMPLATES)), st.integers(0, 50)
kinds, sizes = st.sampled_from(KINDS), st.sampled_from(list(SIZES))
few = settings(deadline=None, max_examples=25)

ADDS_ROWS = {"quality.duplicate-rows", "quality.near-duplicates", "quality.known-too-late"}
WHOLE_ROWS = {
    *ADDS_ROWS,
    "quality.time-gap",
    "quality.volume-jump",
    "quality.backfill",
    "quality.segment-without-outcomes",
}
NO_SHARE_OF_ROWS = {
    "quality.clipped",  # of whole numbers many stand at the bar already
    "quality.constant-column",
    "quality.redundant-column",
    "quality.leak",
    "quality.outliers",
    "quality.known-too-late",
    "quality.segment-without-outcomes",
    "quality.volume-jump",
    "quality.time-gap",
}


def same(one, other):
    return all(one.frames[name].equals(other.frames[name]) for name in one.frames)


# Clean worlds


@given(templates, seeds)
@few
def test_a_seed_is_a_world(template, seed):
    world = clean_world(template, seed=seed, rows=ROWS)
    assert same(world, clean_world(template, seed=seed, rows=ROWS))
    assert not same(world, clean_world(template, seed=seed + 1, rows=ROWS))


@given(templates, seeds)
@few
def test_a_clean_world_is_clean_by_plain_means(template, seed):
    world = clean_world(template, seed=seed, rows=ROWS)
    people = world.frames[world.static]
    assert people[world.reference].is_unique().all()
    for source, (happened, known) in world.times.items():
        frame, key = world.frames[source], world.keys[source]
        once = frame.unique([key, known])
        assert once.height == frame.height
        assert frame.select(pl.struct(pl.exclude(key)).is_duplicated().sum()).item() <= 1
        if source != world.case or template != "parcels":
            assert (frame[known] >= frame[happened]).all()
        if world.reference in frame.columns:
            assert frame[world.reference].is_in(people[world.reference].implode()).all()
    cases = world.frames[world.case][world.keys[world.case]]
    assert world.frames[world.outcome][world.keys[world.case]].is_in(cases.implode()).all()
    for place in world.of("amount", "share"):
        values = world.frames[place.source][place.column].drop_nulls()
        assert values.min() >= 0
        assert place.nature == "amount" or values.max() <= 1


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_a_clean_world_lands_whole_and_has_both_outcomes(template):
    world = clean_world(template, seed=3)
    assert 15 <= world.columns <= 26
    _, versions, history = in_memory(world)
    assert {name: one.frame.height for name, one in versions.items()} == {
        name: frame.height for name, frame in world.frames.items()
    }
    truth = history.as_of(history.until + 1).truth()
    assert 0.05 < (truth == 0).mean() < 0.4
    assert (truth < 0).mean() < 0.15


# What is planted


@given(templates, kinds, sizes, seeds)
@few
def test_a_planted_trouble_is_where_it_says_and_nowhere_else(template, kind, size, seed):
    world = clean_world(template, seed=seed, rows=ROWS)
    other, planted = plant(world, kind, size=size, seed=seed)
    assert (planted.kind, planted.size) == (kind, size)
    again, same_again = plant(world, kind, size=size, seed=seed)
    assert planted == same_again
    assert same(other, again)
    changed = {name for name in world.frames if not world.frames[name].equals(other.frames[name])}
    assert changed
    pair = {world.case, world.outcome} if world.case in {planted.source, *planted.also} else set()
    assert changed <= {planted.source, *planted.also, *pair}
    if kind not in WHOLE_ROWS and planted.columns:
        before, after = world.frames[planted.source], other.frames[planted.source]
        assert before.drop(planted.columns, strict=False).equals(after.drop(planted.columns, strict=False))


@given(templates, st.sampled_from(sorted({*KINDS} - NO_SHARE_OF_ROWS)), sizes, seeds)
@few
def test_the_table_of_sizes_is_kept(template, kind, size, seed):
    world = clean_world(template, seed=seed)
    _, planted = plant(world, kind, size=size, seed=seed)
    height = world.frames[planted.source].height
    fewest, most = 0.6 * SIZES[size] * height - 2, 1.15 * SIZES[size] * height + 2
    if kind == "quality.key-changed-meaning":
        most += 400  # a key is given out with all of its rows
    assert fewest <= planted.rows <= most


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_lands_whole_in_some_world(kind):
    seed = KINDS.index(kind)
    world, _ = plant(
        clean_world(sorted(TEMPLATES)[seed % 4], seed=seed, rows=ROWS), kind, size="large", seed=seed
    )
    _, versions, history = in_memory(world)
    assert {name: one.frame.height for name, one in versions.items()} == {
        name: frame.height for name, frame in world.frames.items()
    }
    assert len(history.timeline.decided_at)


def test_seeds_hit_several_columns():
    hit = {
        plant(clean_world("loans", seed=0, rows=ROWS), "quality.sentinel-number", size="small", seed=seed)[
            1
        ].columns
        for seed in range(12)
    }
    assert len(hit) > 2


def test_a_leak_is_a_feature_of_the_brief():
    world, planted = plant(clean_world("orders", seed=0, rows=ROWS), "quality.leak", size="large", seed=0)
    brief, _, _ = in_memory(world)
    assert {*planted.columns} <= {*brief.feature}


@given(st.lists(st.integers(-50, 10**9), min_size=1, unique=True), st.integers(1, 60))
def test_new_keys_are_new_and_written_alike(keys, count):
    for series in (pl.Series(keys), pl.Series([f"K-{key:012d}" for key in map(abs, keys)])):
        fresh = new_keys(series, count)
        assert fresh.n_unique() == count
        assert fresh.dtype == series.dtype
        assert not fresh.is_in(series.implode()).any()


# How it is counted


def test_only_kind_place_and_column_together_name_it():
    planted = Planted("quality.leak", "large", "orders", ("fee", "code"), 9, also=("returns",))
    assert planted.is_named_by("quality.leak", source="orders", columns=("code", "net"))
    assert planted.is_named_by("quality.leak", source="returns", columns=("fee",))
    assert not planted.is_named_by("quality.outliers", source="orders", columns=("fee",))
    assert not planted.is_named_by("quality.leak", source="visits", columns=("fee",))
    assert not planted.is_named_by("quality.leak", source="orders", columns=("net",))
    assert not planted.is_named_by("quality.leak", source="orders", columns=())
    rows = Planted("quality.time-gap", "large", "orders", (), 9)
    assert rows.is_named_by("quality.time-gap", source="orders", columns=("ordered_at",))


def test_who_knows_what_was_planted_finds_all_and_who_cries_always_is_counted():
    worlds = [*planted_worlds([0, 1, 2, 3], kinds=KINDS[:3], sizes=["large"], rows=400)]
    trials = [
        judged(template, seed, planted=planted, named=[(planted.kind, planted.source, planted.columns)])
        for template, seed, _, planted in worlds
    ]
    assert share_found(trials)[0] == 1
    assert {trial.template for trial in trials if trial.planted.kind == KINDS[0]} == {*TEMPLATES}
    blind = tried(lambda _: [], [0], kinds=KINDS[:2], sizes=["small"])
    assert [trial.found for trial in blind] == [False, False]
    cried = alarms(lambda world: [("quality.leak", world.case, ())] * 5, [0, 1], rows=300)
    assert cried.kinds == {"quality.leak": 40}
    assert cried.per_20_columns == pytest.approx(20 * 40 / cried.columns)


def test_what_was_named_instead_is_told():
    planted = Planted("quality.unit-change", "large", "orders", ("net_eur",), 9)
    named = [
        ("quality.outliers", "orders", ("net_eur",)),
        ("quality.leak", "orders", ("items",)),
        ("quality.clipped", "visits", ("net_eur",)),
    ]
    trial = judged("orders", 0, planted=planted, named=named)
    assert trial == Trial("orders", 0, planted, found=False, instead=("quality.outliers",))
