"""Ranking by expected money beats ranking by the chance alone, by as much as can be derived."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

from wholeroad.testing import amounts

BENCH = Path(__file__).parent.parent / "bench" / "ranking.py"


def measure(**settings):
    spec = importlib.util.spec_from_file_location("ranking", BENCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.measure(**settings)


def test_a_rehearsal_finds_the_gain_of_the_closed_form():
    found = measure(days=140, claims_per_day=400, per_day=40, seed=3)
    low, high = found["interval"]
    assert low <= found["closed_form_per_day"] <= high
    assert low > 0
    assert found["by_chance_per_day"] == pytest.approx(found["closed_form_by_chance_per_day"], rel=0.03)
    assert found["by_money_per_day"] == pytest.approx(found["closed_form_by_money_per_day"], rel=0.03)
    assert high - low < found["gain_per_day"] / 2


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.95])
def test_the_closed_form_is_what_many_draws_bring(share):
    dice = np.random.default_rng(5)
    chance, amount = dice.random((2, 2_000_000))
    first = int(share * chance.size)
    closed = amounts.expected(share)
    for score, brings in ((chance * amount, closed.by_money), (chance, closed.by_chance)):
        best = np.argpartition(-score, first)[:first]
        drawn = amounts.LARGEST * float((chance * amount)[best].sum()) / chance.size
        assert drawn == pytest.approx(brings, rel=0.005)


@pytest.mark.parametrize("share", [1e-6, 0.2, 1 - 1e-9])
def test_the_threshold_lets_the_share_through(share):
    t = amounts.threshold(share)
    assert 1 - t + t * math.log(t) == pytest.approx(share)


def test_with_room_for_everybody_knowing_the_amounts_is_worth_nothing():
    assert amounts.expected(1 - 1e-12).gain == pytest.approx(0, abs=1e-6)
