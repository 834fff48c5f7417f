"""``[source.NAME.mend]``: steps that every row goes through before it lands; the raw rows stay."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from wholeroad.road.brief.settings import Columns, Range, Table

Plain = StrictBool | StrictInt | StrictFloat | StrictStr

STEPS: Final = ("rename", "parse", "unit", "map", "nothing", "clip", "fill", "split", "deduplicate", "drop")


class MendStep(Table):
    """One step: exactly one of :data:`STEPS`, with the settings that belong to it."""

    rename: str | None = None
    """A column; ``to`` is its new name."""
    parse: str | None = None
    """A column; ``as`` says what its texts are, ``format`` how dates are written."""
    unit: str | None = None
    """A column of numbers; multiplied by ``factor``, then ``plus`` is added, where ``where`` holds."""
    map: str | None = None
    """A column; ``values`` tells for each text what it becomes. Others stay."""
    nothing: str | None = None
    """A column; ``values`` lists what stands for no value."""
    clip: str | None = None
    """A column of numbers; what lies outside of ``range`` becomes its nearer end."""
    fill: str | None = None
    """A column; an empty value becomes ``with``, and the Boolean column ``flag`` tells where."""
    split: str | None = None
    """A column of texts; cut ``at`` a text ``into`` columns."""
    deduplicate: Columns | None = None
    """Columns; of rows of a batch that agree in them, the first stays and the others are set aside."""
    drop: str | None = None
    """A condition; rows that meet it are set aside, and ``reason`` must say why."""

    to: str | None = None
    as_: Literal["integer", "number", "boolean", "date", "instant"] | None = Field(default=None, alias="as")
    format: str | None = None
    decimal: Literal[".", ","] = "."
    strip: tuple[str, ...] = ()
    """Texts that a number may carry at an end, as in ``["kg", "EUR"]``; taken away before it is read."""
    thousands: Literal[".", ",", " ", "'"] | None = None
    """What stands between groups of three digits."""
    timezone: str | None = None
    """Where the clock hung that wrote instants without an offset; UTC unless said."""
    factor: float | None = None
    plus: float = 0.0
    values: dict[str, str] | tuple[Plain, ...] | None = None
    range: Range | None = None
    with_: Plain | None = Field(default=None, alias="with")
    flag: str | None = None
    at: str | None = None
    into: tuple[str, ...] = ()
    where: str | None = None
    """A condition over the row as the steps before left it; the step leaves other rows alone."""
    reason: str = ""

    @property
    def form(self) -> str:
        """The step that is set: one of :data:`STEPS`."""
        return next(form for form in STEPS if getattr(self, form) is not None)

    @property
    def said(self) -> str:
        """The step in a few words, such as ``unit height``."""
        what = getattr(self, self.form)
        return f"{self.form} {what if isinstance(what, str) else ', '.join(what)}"

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = [form for form in STEPS if getattr(self, form) is not None]
        if len(forms) != 1:
            message = f"its steps were {', '.join(forms) or 'none'}; exactly one of {', '.join(STEPS)}"
            raise ValueError(message)
        needed, allowed = _SETTINGS[forms[0]]
        given = {
            name.removesuffix("_")
            for name, field in type(self).model_fields.items()
            if name not in {*STEPS, "reason"} and getattr(self, name) != field.default
        }
        if missing := sorted(needed - given):
            message = (
                f"{forms[0]} stood without {', '.join(missing)}; {forms[0]} with {', '.join(sorted(needed))}"
            )
            raise ValueError(message)
        if surplus := sorted(given - needed - allowed):
            takes = ", ".join(sorted(needed | allowed)) or "nothing"
            message = f"{forms[0]} stood beside {', '.join(surplus)}; {forms[0]} with {takes} beside it"
            raise ValueError(message)
        if self.drop is not None and not self.reason:
            message = "drop stood without reason; a reason, which each row is set aside with"
            raise ValueError(message)
        if self.values is not None and isinstance(self.values, dict) != (forms[0] == "map"):
            message = "values was of the other kind; map takes { old = 'new' }, nothing takes a list"
            raise ValueError(message)
        return self


_SETTINGS: Final[dict[str, tuple[set[str], set[str]]]] = {
    "rename": ({"to"}, set()),
    "parse": ({"as"}, {"format", "decimal", "thousands", "strip", "timezone", "where"}),
    "unit": ({"factor"}, {"plus", "where"}),
    "map": ({"values"}, {"where"}),
    "nothing": ({"values"}, {"where"}),
    "clip": ({"range"}, {"where"}),
    "fill": ({"with"}, {"flag", "where"}),
    "split": ({"at", "into"}, set()),
    "deduplicate": (set(), set()),
    "drop": (set(), set()),
}


class MendTable(Table):
    """``[source.NAME.mend]``."""

    steps: tuple[MendStep, ...] = Field(min_length=1)
    """In the order in which they are applied."""
    asked_by: str = ""
    """Who asked for it, and when; lineage shows it."""

    @property
    def reading(self) -> str:
        """What the steps do to a row, as a text; who asked and why doesn't matter."""
        steps = [
            step.model_dump_json(by_alias=True, exclude={"reason"}, exclude_defaults=True)
            for step in self.steps
        ]
        return f"[{','.join(steps)}]"
