"""Steps as texts: one to be tried, and a whole table to be written down."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from wholeroad.core.errors import Fault, FaultsError
from wholeroad.road.brief.mends import MendStep, MendTable
from wholeroad.road.brief.wording import faults_in
from wholeroad.road.data.quality.troubles import Trouble

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_HINT: Final = "{ nothing = 'age', values = [-999] }"


def parse_step(text: str) -> MendStep:
    """Read one step as it would stand in ``[source.NAME.mend] steps``.

    Raises
    ------
    FaultsError
        ``mend.step`` where the text is no inline table, and the codes of the brief.

    Examples
    --------
    >>> parse_step("{ nothing = 'age', values = [-999] }").said
    'nothing age'
    """
    stripped = text.strip().removesuffix(",")
    inner = stripped if stripped.startswith("{") else f"{{ {stripped} }}"
    try:
        raw = tomllib.loads(f"step = {inner}")
    except tomllib.TOMLDecodeError as error:
        raise _no_step(text, f"it is no table of TOML: {error}") from None
    if set(raw) != {"step"} or not isinstance(raw["step"], Mapping):
        raise _no_step(text, "it was more than one table")
    try:
        return MendStep.model_validate(raw["step"])
    except ValidationError as error:
        headline = "The step can't be used"
        details = error.errors(include_url=False)
        raise FaultsError(headline, faults_in(details, ("step",), model=MendStep)) from None


def step_of(trouble: Trouble) -> MendStep | None:
    """Give the step that a trouble proposes; None where it proposes none, or another change of the brief."""
    try:
        return parse_step(trouble.mend) if trouble.mend.strip() else None
    except FaultsError:
        return None


def with_step(mend: MendTable | None, step: MendStep) -> MendTable:
    """Give a mend with one more step at its end; with one that is there already, the same."""
    if mend is None:
        return MendTable(steps=(step,))
    if any(plain_step(step) == plain_step(each) for each in mend.steps):
        return mend
    return mend.model_copy(update={"steps": (*mend.steps, step)})


def steps_text(steps: Sequence[MendStep], *, source: str, asked_by: str = "") -> str:
    """Write the whole table of a source's mend, a line for each step.

    Parameters
    ----------
    source
        Its name in the brief.
    asked_by
        Who asked for it, and when.

    Examples
    --------
    >>> print(steps_text([parse_step("nothing = 'age', values = [-999]")], source="people"), end="")
    [source.people.mend]
    steps = [
      { nothing = "age", values = [-999] },
    ]
    """
    lines = [f"  {step_text(step)}," for step in steps]
    by = [f"asked_by = {written(asked_by)}"] if asked_by else []
    return "\n".join([f"[source.{_key(source)}.mend]", "steps = [", *lines, "]", *by]) + "\n"


def step_text(step: MendStep) -> str:
    """Write a step as an inline table that :func:`parse_step` reads back."""
    return written(plain_step(step))


def plain_step(step: MendStep) -> dict[str, Any]:
    """Give a step as plain data, under the brief's own names; what isn't said is left out."""
    return step.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def written(value: Any) -> str:  # noqa: ANN401 - whatever TOML can say
    """Write a value as TOML on one line; floats keep every digit."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(name)} = {written(each)}" for name, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return f"[{', '.join(written(each) for each in value)}]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else written(name)


def _no_step(text: str, happened: str) -> FaultsError:
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    fault = Fault(
        "mend.step", shown, happened, f"one step, as in {_HINT}", "put the step into braces and quotes"
    )
    headline = "The step can't be read"
    return FaultsError(headline, [fault])
