"""Lands in forked children, each killed after its n-th write and run again; compares what has landed.

Forking spares the imports. The parent itself never computes, so that no thread pool is forked.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"

import polars as pl

from wholeroad.adapters import slicing
from wholeroad.adapters.blobs import FolderBlobs
from wholeroad.adapters.ledgers import SqliteLedger
from wholeroad.adapters.reading import readings
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.core.instants import DAY, parse_instant
from wholeroad.engine.facts import decode
from wholeroad.engine.intake import Arrival, Intake, quarantine_of, table_of
from wholeroad.engine.manifests import held
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.brief.mends import MendTable
from wholeroad.road.brief.source_contract import ContractTable
from wholeroad.road.data.facts import BatchLanded

slicing.SLICE = 60
NOW = parse_instant("2025-01-01")
PLAIN = SourceTable(read="dumps", key="id", happened_at="landed", known_at="landed", absent="deleted")
UNIT = MendTable.model_validate({"steps": [{"unit": "x", "factor": 10, "where": "x < 2"}]})
DROP = MendTable.model_validate({"steps": [{"drop": "x = 2", "reason": "a test"}]})
CLIP = MendTable.model_validate({"steps": [{"clip": "x", "range": [0, 9]}]})
CLIP_ABOVE = MendTable.model_validate({"steps": [{"clip": "x", "range": [-1, 9]}]})
HOLD = ContractTable.model_validate({"if_broken": "hold", "column": {"x": {"range": [0, 9]}}})


def count_writes(limit: int, log: Path) -> None:
    """Let every real write happen, and die by SIGKILL right after the one with this number."""
    seen = 0

    def watched(kind, write):
        def wrapped(*args, **kwargs):
            nonlocal seen
            result = write(*args, **kwargs)
            seen += 1
            if seen == limit:
                log.write_text(f"killed after {seen}: {kind}\n")
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return wrapped

    DeltaTables.append = watched("tables", DeltaTables.append)
    SqliteLedger.append = watched("ledger", SqliteLedger.append)
    FolderBlobs.put = watched("blobs", FolderBlobs.put)


class Place:
    """A folder of dumps with its intake."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "dumps").mkdir(parents=True, exist_ok=True)
        self.tables, self.blobs = DeltaTables(root / "tables"), FolderBlobs(root / "blobs")
        self.ledger = SqliteLedger(root / "ledger.sqlite", decode, mending="")
        self.intake = Intake(self.tables, self.ledger, blobs=self.blobs)

    def put(self, day: int, rows: dict[str, int]) -> None:
        text = "id,x\n" + "".join(f"{key},{x}\n" for key, x in rows.items()) + "cut short\n"
        (self.root / "dumps" / f"2024-03-0{day}.csv").write_text(text)

    def land(self, source: SourceTable, day: int) -> None:
        self.intake.land_again("t", source, now=NOW + day * DAY)
        for each in readings(self.root, "t", source=source, landed=self.intake):
            arrival = Arrival(
                NOW + day * DAY,
                imported=True,
                origin=each.origin,
                dumped_at=each.dumped_at,
                read=each.shown,
            )
            self.intake.take_parts("t", source, parts=each.parts, arrival=arrival)
        self.intake.land_again("t", source, now=NOW + day * DAY, rest=True)


UNITED = PLAIN.model_copy(update={"mend": UNIT})
MENDED = [
    (1, {1: (4, 1, 0)}, UNITED),
    (2, {2: (4, 0, 0)}, PLAIN.model_copy(update={"mend": DROP, "contract": HOLD})),
]
"""A dump under a mend; then another mend, with a contract that nothing breaks, and one more dump."""
HELD = [
    (1, {1: (4, 0, 8)}, PLAIN.model_copy(update={"contract": HOLD})),
    (2, {}, PLAIN.model_copy(update={"contract": HOLD, "mend": CLIP})),
    (3, {2: (3, 0, -1)}, PLAIN.model_copy(update={"contract": HOLD, "mend": CLIP_ABOVE})),
]
"""A batch that is held, then taken up under another mend, and one that is accepted in the end."""
SCENARIOS = {"mended": MENDED, "held": HELD}


def go_on(place: Place, scenario: str) -> SourceTable:
    """Take the steps that haven't been taken to their end; the last one also accepts what is held."""
    steps, done = SCENARIOS[scenario], place.root / "done"
    for day, dumps, source in steps[int(done.read_text()) if done.exists() else 0 :]:
        for dump, (of, add, least) in dumps.items():
            place.put(dump, {f"k{n}": least + (n + add) % of for n in range(18 - 2 * dump)})
        place.land(source, day)
        if day == len(steps) and held((fact for _, fact in place.ledger.read()), "t") is not None:
            place.intake.release("t", source, now=NOW + day * DAY)
        done.write_text(str(day))
    return steps[-1][2]


def land(root: Path, out: Path, scenario: str) -> None:
    """Run to the end and write down everything that must not change."""
    place = Place(root)
    source = go_on(place, scenario)
    facts = [fact for _, fact in place.ledger.read()]
    for fact in facts:
        if isinstance(fact, BatchLanded):
            assert fact.rows_in == fact.landed + fact.repeated + fact.quarantined, fact
    rows = place.tables.read(table_of("t", source))
    assert rows["_seq"].to_list() == [*range(1, rows.height + 1)]
    aside = place.tables.read(quarantine_of("t", source))
    batches = [fact for fact in facts if isinstance(fact, BatchLanded) and not fact.anew]
    named = {f"{each.reading} {each.batch} {each.at} {each.rows_in}" for each in batches}
    assert len(named) == len(batches)
    said = pl.DataFrame({"said": sorted(named)})
    out.write_text(rows.write_csv() + aside.write_csv() + said.write_csv())


def in_child(work) -> bool:
    """Run in a fork; tell whether it came to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        sys.exit("a child failed")
    return os.WIFEXITED(status)


def main(scratch: Path, scenario: str) -> None:
    """Kill after write 1, 2, 3, ... until a run comes to its end unharmed."""
    reference, result, log = scratch / "reference", scratch / "result", scratch / "log"
    in_child(lambda: land(scratch / "whole", reference, scenario))
    for number in range(1, 1000):
        root = scratch / f"run-{number}"

        def killed(root=root, number=number):
            count_writes(number, log)
            land(root, result, scenario)

        if in_child(killed):
            break
        sys.stdout.write(log.read_text())
        in_child(lambda root=root: land(root, result, scenario))
        if result.read_bytes() != reference.read_bytes():
            sys.exit(f"{log.read_text()}: what came of it was not the same")
        shutil.rmtree(root)
    sys.stdout.write("all the same\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
