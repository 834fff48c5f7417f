"""Categories that are split by how they are written: case, white space, accents, typing mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_columns import Texts
from wholeroad.road.data.quality.values_folding import distance_of, fold
from wholeroad.road.data.quality.values_mojibake import broken_levels
from wholeroad.road.data.quality.values_sentinels import empty_words
from wholeroad.road.data.quality.values_telling import Found, one_of, share_of, tell

_MOST: Final = 20_000
"""Distinct texts that are folded; more are no categories."""
_COMPARED: Final = 400
"""Frequent texts that typing mistakes are looked for beside."""
_FREQUENT: Final = 12
_MAPPED: Final = 500


def find_spelling_variants(seen: Seen) -> Iterator[Trouble]:
    """Find levels of a category that are other ways to write a more frequent one."""
    for texts in seen.looked.texts.values():
        if texts.identifies or not 2 <= len(texts.levels) <= _MOST or len(texts.levels) > 0.5 * texts.present:
            continue
        ways = variants(texts)
        if not ways:
            continue
        mask = texts.values.is_in([*ways]).fill_null(value=False).to_numpy()
        count = int(mask.sum())
        shown = ", ".join(f"{old!r} for {new!r}" for old, new in [*ways.items()][:4])
        yield tell(
            seen,
            Found(
                code="quality.spelling-variants",
                columns=(texts.name,),
                what=f"{texts.name} writes one thing in several ways in {count} rows "
                f"({share_of(count, texts.present)}): {shown}{' ...' if len(ways) > 4 else ''}",
                risk="one category counts as several, each with fewer rows to learn from",
                where=one_of(texts.name, [*ways]),
                mask=mask,
                mend={"map": texts.name, "values": dict([*ways.items()][:_MAPPED])},
                leave="when the two are different things, as codes whose case matters",
                strength=1 + min(4.0, count / 20),
            ),
        )


def variants(texts: Texts) -> dict[str, str]:
    """Give each level that is another way to write a more frequent one, and that one."""
    left_out = {*empty_words(texts), *broken_levels(texts)}
    counted = {
        level: int(count)
        for level, count in zip(texts.levels, texts.counts, strict=True)
        if level not in left_out
    }
    best: dict[str, str] = {}
    ways: dict[str, str] = {}
    folds = {level: fold(level) for level in counted}
    for level in counted:  # the most frequent first
        first = best.setdefault(folds[level], level)
        if first != level and counted[first] >= 3 and not _separate(first, level, texts):
            ways[level] = first
    frequent = [level for level in best.values() if counted[level] >= _FREQUENT][:_COMPARED]
    for level in best.values():
        if level in ways or _coded(level):
            continue
        meant = [other for other in frequent if other != level and _mistyped(level, other, counted)]
        if len(meant) == 1:
            ways[level] = meant[0]
    return {level: ways.get(meant, meant) for level, meant in ways.items()}


def _separate(one: str, other: str, texts: Texts) -> bool:
    """Tell whether two texts that fold alike are two codes: short ones in a column where marks tell apart."""
    return _coded(one) and _coded(other) and len(texts.levels) > 50


def _coded(level: str) -> bool:
    return any(sign.isdigit() for sign in level)


def _mistyped(level: str, meant: str, counted: dict[str, int]) -> bool:
    """Tell whether a text is a slip of the more frequent one: a letter left out, doubled, changed or moved.

    A slip within a longer word may be frequent, as it may be made by a program; at the ends of a word, and
    in short words, only a rare one is a slip: Martin and Martina are two.
    """
    one, other = level.casefold(), meant.casefold()
    share = counted[level] / counted[meant]
    if share > 1 or _coded(meant) or min(len(one), len(other)) < 2:
        return False
    longest = max(len(one), len(other))
    if distance_of(one, other, most=2) == 1:
        inner = one[0] == other[0] and one[-1] == other[-1]
        lost = inner and len(one) != len(other)
        if longest >= 5 and lost:
            return True
        return share <= (0.25 if lost and longest >= 4 else 0.05 if longest >= 5 else 0.0)
    return longest >= 9 and share <= 0.02 and distance_of(one, other, most=2) == 2
