"""Of what is planted large the profile finds nearly all and names it rightly; in clean worlds it is quiet.

``bench/troubles.py`` counts all kinds at all sizes, on seeds that nobody tuned on.
"""

import pytest

from wholeroad.road.data.quality.work import examine
from wholeroad.testing.troubles import KINDS, TEMPLATES, TUNING, clean_world, in_memory, plant
from wholeroad.testing.troubles_counting import alarms, judged

ROWS = 2500


def looked_at(world):
    brief, versions, history = in_memory(world)
    return [
        (trouble.code, trouble.source, trouble.columns)
        for trouble in examine(history, brief, sources=versions)
    ]


def test_nearly_all_that_is_large_is_found_and_rightly_named():
    missed = []
    for position, kind in enumerate(KINDS):
        seed = TUNING[position % len(TUNING)]
        template = sorted(TEMPLATES)[position % len(TEMPLATES)]
        world, planted = plant(clean_world(template, seed=seed, rows=ROWS), kind, size="large", seed=seed)
        if not judged(template, seed, planted=planted, named=looked_at(world)).found:
            missed.append((kind, template, seed))
    assert len(missed) <= 3, missed


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_clean_worlds_raise_few_false_alarms(template):
    found = alarms(looked_at, TUNING[:2], templates=[template], rows=ROWS)
    assert found.per_20_columns <= 1, found.kinds
