"""A contract proposed from what has landed: every line a guess, with its reason, to be confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from wholeroad.core.instants import format_span
from wholeroad.road.brief.draft import Draft, Line, Plain, Section
from wholeroad.road.brief.source_contract import ColumnContract, ContractTable, VolumeTable
from wholeroad.road.brief.sources import SourceTable
from wholeroad.road.data.casting import cast, kept_type
from wholeroad.road.data.contracts.fitting import TYPES
from wholeroad.road.data.contracts.personal import guess_personal
from wholeroad.road.data.contracts.proposed_references import Landed, propose_reference
from wholeroad.road.data.contracts.proposed_shares import (
    propose_freshness,
    propose_null_share,
    propose_volume,
    typical_batch,
)
from wholeroad.road.data.contracts.proposed_values import propose_allowed, propose_range
from wholeroad.road.data.profile import ROW_NAMES, words_of
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN, Versions

_FOR_COUNTING: Final = "nobody has confirmed the lines yet: broken ones are counted, and set no row aside"
_UNIQUE: Final = 1_000
"""Values, all different, from which on a name of rows is taken to be unique."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A contract with the reason of each of its lines.

    Attributes
    ----------
    reasons
        By column (empty for the source's own settings) and setting.
    questions
        What no row can tell, to be asked of people.
    """

    name: str
    contract: ContractTable
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)
    questions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The contract as it would stand in the brief, every line marked as assumed."""
        return contract_toml(self.name, self.contract, reasons=self.reasons, questions=self.questions)


def propose(
    name: str,
    table: SourceTable,
    *,
    rows: Versions | pl.DataFrame,
    others: Mapping[str, tuple[SourceTable, Versions]] | None = None,
) -> Proposal:
    """Propose the contract of a source from the rows that have landed.

    Clauses about values are proposed from all rows, if the same rule applied to the earlier half would have
    let the later half in: a column that grows or drifts gets none.

    Parameters
    ----------
    name, table
        The source's name and its table in the brief.
    rows
        Its row versions; or a frame, whose rows are then taken to be in order of time.
    others
        The other sources of the brief, for references.

    Returns
    -------
    Proposal
        Its contract only warns: what nobody has confirmed should set no row aside.
    """
    frame = rows if isinstance(rows, pl.DataFrame) else _own(rows)
    timed = isinstance(rows, Versions) and not rows.static
    happened = rows.frame[HAPPENED] if isinstance(rows, Versions) and timed else None
    batch = typical_batch(happened, frame.height)
    reasons: dict[tuple[str, str], str] = {}
    columns = {}
    for raw in frame.iter_columns():
        kept = kept_type(raw.dtype)
        if kept is None:
            continue
        said = dict(_of_column(cast(raw, kept), table, batch=batch))
        if isinstance(rows, Versions) and (
            found := propose_reference(rows, raw.name, others=_landed(others))
        ):
            said["references"] = found
        reasons |= {(raw.name, setting): why for setting, (_, why) in said.items()}
        columns[raw.name] = ColumnContract(**{setting: value for setting, (value, _) in said.items()})
    own: dict[str, tuple[Any, str]] = {"if_broken": ("warn", _FOR_COUNTING)}
    if isinstance(rows, Versions) and timed:
        own |= _of_times(rows, table)
    own |= _of_persons(columns)
    reasons |= {("", setting): why for setting, (_, why) in own.items()}
    contract = ContractTable(column=columns, **{setting: value for setting, (value, _) in own.items()})
    return Proposal(name, contract, reasons, tuple(_questions(contract)))


def contract_toml(
    name: str,
    contract: ContractTable,
    *,
    reasons: Mapping[tuple[str, str], str] | None = None,
    questions: tuple[str, ...] = (),
) -> str:
    r"""Write a contract as it would stand in the brief, every line marked as assumed.

    Parameters
    ----------
    name
        The source's.
    reasons
        By column (empty for the source's own settings) and setting; "a guess" where there is none.
    questions
        Comments at the end.

    Examples
    --------
    >>> contract = ContractTable.model_validate({"owner": "Ann", "column": {"km": {"range": [0, 6000]}}})
    >>> print(contract_toml("flights", contract, reasons={("km", "range"): "as on maps"}))
    [source.flights.contract]
    owner = "Ann"  # assumed: a guess
    <BLANKLINE>
    [source.flights.contract.column]
    km = { range = [0, 6000] }  # assumed: as on maps
    <BLANKLINE>
    """
    whys = reasons or {}
    plain = contract.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    own = tuple(
        Line(setting, value, why=whys.get(("", setting), "a guess"))
        for setting, value in plain.items()
        if setting != "column"
    )
    lines = []
    for column, said in plain.get("column", {}).items():
        known = [whys[column, setting] for setting in said if (column, setting) in whys]
        lines.append(Line(column, _tidy(said), why="; ".join(known) or "a guess"))
    head = Section(f"source.{name}.contract", own, below=questions)
    body = Section(f"source.{name}.contract.column", tuple(lines))
    text = Draft((head, body) if lines else (head,)).text()
    return text.removeprefix("format = 1\n\n")


def _tidy(said: Mapping[str, Any]) -> Plain:
    """Write whole numbers without a fraction."""
    tidied: dict[str, Plain] = {}
    for setting, value in said.items():
        many = isinstance(value, list | tuple)
        each = [
            int(one) if isinstance(one, float) and one.is_integer() else one
            for one in (value if many else [value])
        ]
        tidied[setting] = each if many else each[0]
    return tidied


def _own(versions: Versions) -> pl.DataFrame:
    frame = versions.frame if versions.static else versions.frame.filter(~pl.col(DELETED)).sort(KNOWN)
    return frame.select(name for name in frame.columns if not name.startswith("_"))


def _landed(others: Mapping[str, tuple[SourceTable, Versions]] | None) -> Landed:
    return {name: (tuple(table.key), versions) for name, (table, versions) in (others or {}).items()}


def _of_column(column: pl.Series, table: SourceTable, *, batch: int) -> Iterator[tuple[str, tuple[Any, str]]]:
    """Propose the settings of a column, each with its reason."""
    if column.null_count() == len(column):
        return
    name = column.name
    yield "type", (next(word for word, dtype in TYPES.items() if dtype == column.dtype), "as it landed")
    if name not in table.key:
        share = propose_null_share(column.null_count(), len(column), batch=batch)
        if share is not None and _held_up(
            column, lambda half: propose_null_share(half.null_count(), len(half), batch=batch), _too_empty
        ):
            yield "null_share", share
        if _names_rows(column):
            yield "unique", (True, f"{len(column):,} rows, all different")
    allowed = propose_allowed(column)
    if allowed is not None and _held_up(column, propose_allowed, _not_allowed):
        yield "allowed", allowed
    elif column.dtype.is_numeric() and name not in table.key and not ROW_NAMES & {*words_of(name)}:
        bounds = propose_range(column)
        if bounds is not None and _held_up(column, propose_range, _beyond):
            low, high = bounds.low, bounds.high
            whole = column.dtype.is_integer()
            ends = [int(low), int(high)] if whole else [low, high]
            left = ", ".join(f"{each:g}" for each in bounds.left_out)
            why = bounds.why + (f"; {left} left out: it seems to stand for no value" if left else "")
            yield "range", (ends, why)
    if (personal := guess_personal(column)) is not None:
        yield "personal", (personal[0], f"{personal[1]}: is it so?")


def _held_up(
    column: pl.Series,
    rule: Callable[[pl.Series], Any],
    breaks: Callable[[pl.Series, Any], bool],
) -> bool:
    """Tell whether what a rule makes of the earlier half lets the later half in."""
    middle = len(column) // 2
    made = rule(column[:middle])
    return made is None or not breaks(column[middle:], made)


def _too_empty(later: pl.Series, made: tuple[float, str]) -> bool:
    return later.null_count() > made[0] * len(later)


def _not_allowed(later: pl.Series, made: tuple[tuple[str | int, ...], str]) -> bool:
    return not later.drop_nulls().is_in(list(made[0])).all()


def _beyond(later: pl.Series, made: Any) -> bool:  # noqa: ANN401 - bounds
    numbers = later.drop_nulls().cast(pl.Float64)
    values = numbers.filter(~numbers.is_in(list(made.left_out)))
    return not values.is_between(made.low, made.high).all()


def _names_rows(column: pl.Series) -> bool:
    named = bool(ROW_NAMES & {*words_of(column.name)}) and column.dtype in (pl.String(), pl.Int64())
    return named and len(column) >= _UNIQUE and column.null_count() == 0 and column.n_unique() == len(column)


def _of_times(versions: Versions, table: SourceTable) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    if (freshness := propose_freshness(versions.frame[KNOWN])) is not None:
        found["freshness"] = format_span(freshness[0]), freshness[1]
    if not table.planned and (volume := _volume(versions)) is not None:
        found["volume"] = volume
    return found


def _volume(versions: Versions) -> tuple[VolumeTable, str] | None:
    """Propose the volume from the first version of each row: a correction is no other row."""
    first = versions.frame.sort(KNOWN).unique(list(versions.key), keep="first", maintain_order=True)
    return propose_volume(first[HAPPENED], first[KNOWN])


def _of_persons(columns: Mapping[str, ColumnContract]) -> dict[str, tuple[Any, str]]:
    order = ("none", "pseudonymous", "personal", "special")
    classes = {name: order.index(column.personal) for name, column in columns.items() if column.personal}
    if not classes:
        return {}
    gravest = max(classes, key=lambda name: classes[name])
    return {"personal": (order[classes[gravest]], f"{gravest} seems to be")}


def _questions(contract: ContractTable) -> Iterator[str]:
    yield "owner = ... : who answers for the source?"
    if contract.personal is not None:
        yield "purpose = ... : what may its rows be used for?"
        yield "lawful_basis = ... : on what ground (GDPR, article 6)?"
        yield "retention = ... : how long may a row be kept?"
