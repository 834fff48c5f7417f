"""The tables of a brief that are sound on their own, from which faults between them are found."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel

from wholeroad.road.brief.contract import (
    CaseTable,
    FeatureTable,
    IncumbentTable,
    ModelTable,
    OutcomeTable,
    PolicyTable,
    RehearseTable,
    SourceTable,
    ValueTable,
)
from wholeroad.road.brief.fairness import FairnessTable


@dataclass(slots=True)
class Parts:
    """The tables that are sound on their own; None or absent where one isn't."""

    case: CaseTable | None = None
    outcome: OutcomeTable | None = None
    value: ValueTable | None = None
    policy: PolicyTable | None = None
    model: ModelTable | None = None
    rehearse: RehearseTable | None = None
    incumbent: IncumbentTable | None = None
    fairness: FairnessTable | None = None
    sources: dict[str, SourceTable] = field(default_factory=dict)
    source_names: set[str] = field(default_factory=set)
    features: dict[str, FeatureTable] = field(default_factory=dict)

    def put(self, part: tuple[str, ...], table: BaseModel | None) -> None:
        """Keep a table under its path."""
        if part[0] == "source":
            self.source_names.add(part[1])
        match table:
            case SourceTable():
                self.sources[part[1]] = table
            case FeatureTable():
                self.features[part[1]] = table
            case None:
                pass
            case _ if hasattr(self, part[0]):
                setattr(self, part[0], table)
