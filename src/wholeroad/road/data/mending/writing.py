"""Writing a step into the text of a brief, where everything else stays as it is, comments and all."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

from wholeroad.core.errors import UserError
from wholeroad.road.brief.mends import MendStep
from wholeroad.road.data.mending.proposing import plain_step, step_text, steps_text, written
from wholeroad.road.data.mending.toml_places import Place, last_sign, line_end, places


def write_step(text: str, step: MendStep, *, source: str, asked_by: str = "") -> str:
    r"""Add a step to the end of a source's mend, or give the source a mend.

    Parameters
    ----------
    text
        Of a ``brief.toml`` that can be read; the source is in it.
    source
        Its name.
    asked_by
        Who asked for it; written where there was no mend before.

    Returns
    -------
    str
        The text with the step; the same text where the step is there already.

    Raises
    ------
    UserError
        ``mend.by-hand``: the table is written in a way that this can't add to.

    Examples
    --------
    >>> step = MendStep(unit="height", factor=2.54)
    >>> print(write_step('[source.people]\nread = "people.csv"  # all\n', step, source="people"), end="")
    [source.people]
    read = "people.csv"  # all
    <BLANKLINE>
    [source.people.mend]
    steps = [
      { unit = "height", factor = 2.54 },
    ]
    """
    raw = tomllib.loads(text)
    wanted = copy.deepcopy(raw)
    mend = wanted.get("source", {}).get(source, {}).setdefault("mend", {"steps": []})
    steps = mend.get("steps") if isinstance(mend, dict) else None
    if isinstance(steps, list):
        if plain_step(step) in steps:
            return text
        if not steps and asked_by:
            mend["asked_by"] = asked_by
        steps.append(plain_step(step))
    new = _added(text, step, source=source, asked_by=asked_by, mend=mend)
    if new is None or _read(new) != wanted:
        raise _by_hand(step, source)
    return new


def _added(text: str, step: MendStep, *, source: str, asked_by: str, mend: Any) -> str | None:  # noqa: ANN401
    """Add the step in the way in which the mend is written; None where no way is known."""
    found = list(places(text))
    path = ("source", source, "mend")
    entries = [place for place in found if place.kind == "entry" and place.path == (*path, "steps")]
    for place in found:
        if place.kind == "key" and place.path == (*path, "steps"):
            return _into_list(text, place, step)
        if place.kind == "key" and place.path == path:
            comments = "#" in text[place.value : place.end]
            return None if comments else text[: place.value] + written(mend) + text[place.end :]
    if entries:
        return _as_entry(text, found, entries[-1], step)
    return _as_table(text, found, steps_text([step], source=source, asked_by=asked_by), path[:2])


def _into_list(text: str, place: Place, step: MendStep) -> str:
    closing = place.end - 1
    last = last_sign(text, start=place.value, end=closing)
    comma = "" if text[last] in ",[" else ","
    head, rest = text[: last + 1] + comma, text[last + 1 : closing]
    if "\n" not in rest:  # the bracket closes in the line of the last step
        space = "" if text[last] == "[" else " "
        return f"{head}{space}{step_text(step)}{rest}{text[closing:]}"
    own, _, before_bracket = rest.rpartition("\n")
    return f"{head}{own}\n{_indent(text, place)}{step_text(step)},\n{before_bracket}{text[closing:]}"


def _indent(text: str, place: Place) -> str:
    """Give the white space that the entries of a list over several lines begin with."""
    for line in text[place.value : place.end].split("\n")[1:]:
        if line.strip() and not line.strip().startswith("]"):
            return line[: len(line) - len(line.lstrip())]
    return "  "


def _as_entry(text: str, found: list[Place], entry: Place, step: MendStep) -> str:
    after = found[found.index(entry) + 1 :]
    inside = [entry]
    for place in after:
        if place.kind != "key":
            break
        inside.append(place)
    lines = [f"{name} = {written(value)}" for name, value in plain_step(step).items()]
    block = "\n".join([text[entry.start : entry.end], *lines]) + "\n"
    return _inserted(text, line_end(text, inside[-1].end), block)


def _as_table(text: str, found: list[Place], block: str, path: tuple[str, ...]) -> str:
    within = [place for place in found if place.path[: len(path)] == path]
    at = line_end(text, within[-1].end) if within else len(text)
    return _inserted(text, at, block)


def _inserted(text: str, at: int, block: str) -> str:
    head = text[:at] if text[:at].endswith("\n") or not at else f"{text[:at]}\n"
    return f"{head}\n{block}{text[at:]}"


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _by_hand(step: MendStep, source: str) -> UserError:
    return UserError(
        "mend.by-hand",
        f"[source.{source}.mend] can't be added to",
        happened="it is written in a way that a step can't be added to without touching the rest",
        expected="a table of its own with a list of steps",
        fix=f"add it by hand, as one of its steps: {step_text(step)}",
    )
