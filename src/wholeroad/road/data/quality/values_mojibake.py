"""Texts whose letters were read in another encoding than they were written in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_columns import Texts
from wholeroad.road.data.quality.values_telling import Found, one_of, share_of, tell

_SUSPECT: Final = re.compile(
    "[\u00c2-\u00f4\u0152-\u0178\u0090-\u009f][\u0080-\u00bf\u0152-\u02dc\u2013-\u2122]|\ufffd|\u00e2\u20ac"
)
_MOST: Final = 200_000
_MAPPED: Final = 200


def find_mojibake(seen: Seen) -> Iterator[Trouble]:
    """Find texts that were UTF-8 and read as something else, and letters that got lost."""
    for texts in seen.looked.texts.values():
        broken = broken_levels(texts)
        if not broken:
            continue
        mask = texts.values.is_in([*broken]).fill_null(value=False).to_numpy()
        count = int(mask.sum())
        known = {old: new for old, new in broken.items() if new is not None}
        shown = ", ".join(f"{old!r}" + (f" for {new!r}" if new else "") for old, new in [*broken.items()][:3])
        mend: dict[str, Any] | str = 'csv = { encoding = "cp1252" }, or the encoding that fits'
        if known and len(known) <= _MAPPED:
            mend = {"map": texts.name, "values": known}
        yield tell(
            seen,
            Found(
                code="quality.mojibake",
                columns=(texts.name,),
                what=f"{texts.name} holds texts read in a wrong encoding in {count} rows "
                f"({share_of(count, texts.present)}): {shown}",
                risk="one place or name is two, and joins and categories miss half of it",
                where=one_of(texts.name, [*broken]),
                mask=mask,
                mend=mend,
                leave="never, but read the file anew with its own encoding rather than mend its texts",
                strength=2 + min(3.0, count / 10),
            ),
        )


def broken_levels(texts: Texts) -> dict[str, str | None]:
    """Give the distinct texts that are broken, and what they were; None where that can't be told."""
    whole = [level for level in texts.levels if "\ufffd" not in level]
    broken: dict[str, str | None] = {}
    for level in texts.levels[:_MOST]:
        if level.isascii() or not _SUSPECT.search(level):
            continue
        if "\ufffd" in level:
            broken[level] = _only(re.escape(level).replace("\ufffd", "."), whole)
        elif (read := mended(level)) is not None:
            broken[level] = read
    return broken


def mended(text: str) -> str | None:
    """Give the text that was read in a wrong encoding; None where it wasn't.

    Examples
    --------
    >>> mended("KÃ¶ln"), mended("Köln"), mended("itâ€™s")
    ('Köln', None, 'it’s')
    """
    for encoding in ("cp1252", "latin-1"):
        try:
            read = text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        if read != text:
            return read
    return _by_letter(text)


def _by_letter(text: str) -> str | None:
    """Read a text in which Latin-1 and Windows-1252 are mixed, as browsers do."""
    raw = bytearray()
    for sign in text:
        for encoding in ("cp1252", "latin-1"):
            try:
                raw += sign.encode(encoding)
            except UnicodeError:
                continue
            break
        else:
            return None
    try:
        read = raw.decode("utf-8")
    except UnicodeError:
        return None
    return read if read != text else None


def _only(pattern: str, levels: list[str]) -> str | None:
    fitting = [level for level in levels if re.fullmatch(pattern, level)]
    return fitting[0] if len(fitting) == 1 else None
