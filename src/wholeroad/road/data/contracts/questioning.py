"""What the landed rows say to the contracts of their sources: for the check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from wholeroad.core.instants import DAY, UNITS, format_instant, format_span
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.source_contract import ContractTable
from wholeroad.road.data.contracts.freshness import stale_cycles
from wholeroad.road.data.contracts.inspecting import BrokenClause, Inspected, Inspector, references_of
from wholeroad.road.data.findings import Finding
from wholeroad.road.data.quarantine import Verdict
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN, Versions

_NAMED: Final = 3
_PERSONAL: Final = ("none", "pseudonymous", "personal", "special")
"""From what concerns nobody to what is special."""


def question_contracts(brief: Brief, landed: Mapping[str, Versions]) -> Iterator[Finding]:
    """Ask the contracts what landed: rows they wouldn't let in, cycles without news, unsaid purposes.

    Parameters
    ----------
    landed
        By source: its row versions with the columns of :func:`contract_columns` at least. A source that isn't
        named is asked nothing of its rows.
    """
    for name, source in brief.source.items():
        contract = source.contract
        if contract is None:
            continue
        yield from _unsaid(name, contract)
        if name in landed:
            yield from _broken(brief, name, landed=landed)
            yield from _stale(brief, name, versions=landed[name])


def contract_columns(brief: Brief, source: str) -> tuple[str, ...]:
    """Name the columns of a source that contracts ask: its own contract's, and those others refer to."""
    contract = brief.source[source].contract
    own = list(contract.column) if contract is not None else []
    named = [
        column
        for other in brief.source.values()
        if other.contract is not None
        for of, _, column in (each.partition(".") for each in references_of(other.contract))
        if of == source
    ]
    return tuple(dict.fromkeys([*own, *named]))


def inspect_versions(brief: Brief, name: str, *, landed: Mapping[str, Versions]) -> Inspected:
    """Ask a source's contract of all versions that landed, as if they came in one batch today.

    Raises
    ------
    FaultsError
        ``contract.column-missing``, ``contract.wrong-kind``.
    """
    source, versions = brief.source[name], landed[name]
    contract = source.contract or ContractTable()
    frame = versions.frame if source.static else versions.frame.filter(~pl.col(DELETED))
    references = {}
    for each in references_of(contract):
        of, _, column = each.partition(".")
        if of in landed and column in landed[of].frame.columns:
            references[each] = landed[of].frame[column].unique()
    inspector = Inspector(contract, source=name, key=tuple(source.key), references=references)
    happened = None if source.static else frame[HAPPENED]
    inspector.inspect(frame, Verdict(frame.height), happened=happened)
    return inspector.result()


def _broken(brief: Brief, name: str, *, landed: Mapping[str, Versions]) -> Iterator[Finding]:
    inspected = inspect_versions(brief, name, landed=landed)
    broken = sorted(
        (*inspected.holds, *inspected.aside, *inspected.warned),
        key=lambda clause: (-clause.rows, clause.clause),
    )
    if broken:
        named = "; ".join(_said(clause) for clause in broken[:_NAMED])
        more = f"; and {len(broken) - _NAMED} more clauses" if len(broken) > _NAMED else ""
        yield Finding(
            "check.contract-broken",
            "warning",
            f"[source.{name}.contract]",
            f"{len(broken)} of its {len(inspected.counts)} clauses are broken by rows that have landed: "
            f"{named}{more}",
            "features and outcomes read them: what the contract promises doesn't hold for this history",
            f"mend the rows with [source.{name}.mend], set them aside with if_broken = 'quarantine', or "
            "correct the contract",
        )


def _said(clause: BrokenClause) -> str:
    if clause.clause == "volume" or clause.clause.endswith(" null_share"):
        return clause.said
    return f"{clause.clause}, {clause.rows:,} of {clause.of:,} rows, such as: {clause.said}"


def _stale(brief: Brief, name: str, *, versions: Versions) -> Iterator[Finding]:
    contract = brief.source[name].contract
    if contract is None or contract.freshness is None or versions.static:
        return
    hours, minutes = (int(part) for part in (brief.cycle.at or "00:00").split(":"))
    anchor = (hours * 60 + minutes) * UNITS["min"] % min(brief.cycle.every, DAY)
    known = versions.frame[KNOWN].dt.epoch("us").to_numpy()
    old, cycles, first_at = stale_cycles(known, contract.freshness, every=brief.cycle.every, anchor=anchor)
    allowed = format_span(contract.freshness)
    if old and first_at is not None:
        yield Finding(
            "check.contract-stale",
            "warning",
            f"[source.{name}.contract] freshness",
            f"at {old:,} of {cycles:,} cycles its newest row was older than {allowed}, first at "
            f"{format_instant(first_at)}",
            "what was decided then saw an older world than the contract promises",
            "ask whoever answers for the source, give features a max_age, or say what freshness it can keep",
        )


def _unsaid(name: str, contract: ContractTable) -> Iterator[Finding]:
    """Ask what the law asks of personal data: purpose, basis, an end (GDPR, articles 5, 6 and 9)."""
    classes = [contract.personal, *(column.personal for column in contract.column.values())]
    gravest = max(_PERSONAL.index(each) for each in (*classes, "none") if each is not None)
    settings = {
        "purpose": contract.purpose,
        "lawful_basis": contract.lawful_basis,
        "retention": contract.retention,
        "owner": contract.owner,
    }
    unsaid = [setting for setting, said in settings.items() if not said]
    if gravest and unsaid:
        columns = [
            column
            for column, said in contract.column.items()
            if said.personal is not None and _PERSONAL.index(said.personal) == gravest
        ]
        of = f" ({', '.join(columns)})" if columns else ""
        yield Finding(
            "check.contract-purpose",
            "warning",
            f"[source.{name}.contract]",
            f"its rows are {_PERSONAL[gravest]} data{of}, and the contract doesn't say {', '.join(unsaid)}",
            "without a purpose and a lawful basis they may not be used, and nobody knows when they must go",
            "ask whoever is responsible for data protection, and write the answers into the contract",
        )
