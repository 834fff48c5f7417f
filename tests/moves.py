"""Sources whose rows come in groups: landed in bulk, and written down as records of the hot log."""

import io
import tomllib

import polars as pl

from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.engine.holding import mender_of
from wholeroad.engine.manifests import quarantine_of, table_of
from wholeroad.engine.service.records import Aside, Record, RowsIn
from wholeroad.engine.writing import Writer
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.mends import MendTable
from wholeroad.road.data.batches import CLAIMED, SYSTEM, VERSION, Batch
from wholeroad.road.data.landing import land
from wholeroad.road.data.presence import own_columns
from wholeroad.road.data.versions import HAPPENED

DAY = 86_400_000_000
START = 1_704_067_200_000_000  # 2024-01-01
TEXT = """
format = 1
[brief]
name = "moves"
question = "Far?"
[case]
source = "visits"
decide_at = "day"
[outcome]
kind = "binary"
classes = ["far", "near"]
positive = "far"
source = "lasts"
truth = "case when km > 1 then 'far' else 'near' end"
matures = "1d"
depends_on_action = "no"
[value]
unit = "EUR"
status_quo = { action = "stay" }
[value.of]
go = { far = 2, near = -1 }
stay = { far = 0, near = 0 }
[source.visits]
read = "none"
key = "id"
happened_at = "day"
known_at = "day"
[source.lasts]
read = "none"
key = "id"
happened_at = "landed"
known_at = "landed"
[source.things]
read = "none"
key = "id"
static = true
[feature]
km = { column = "km" }
[policy.refit]
first = "20d"
when = "never"
"""


def _brief() -> Brief:
    return Brief.model_validate(tomllib.loads(TEXT))


BRIEF = _brief()
SOURCES = BRIEF.source
KINDS = {"id": "integer", "day": "instant", "km": "integer"}


class Landed:
    """Lands groups in bulk, one batch per source and group, and gives each as a record."""

    def __init__(self, *, mend=None, sent=False) -> None:
        self.tables = MemoryTables()
        self.counts = []
        self.at = START
        mends = None if mend is None else MendTable.model_validate(mend)
        self.sources = {name: each.model_copy(update={"mend": mends}) for name, each in SOURCES.items()}
        self._sent = sent
        self._writer = Writer(self.tables, None, contracts=None)

    def group(self, group) -> Record:
        self.at += 10 * DAY + 1
        return Record(self.at, tuple(self._landed(name, rows) for name, rows in group.items()))

    def _landed(self, name, rows) -> RowsIn:
        source = self.sources[name]
        frame = pl.DataFrame(
            {
                "id": pl.Series([None if key == 6 else key for key, _, _ in rows], dtype=pl.Int64),
                "day": pl.Series([START + day * DAY for _, day, _ in rows]).cast(pl.Datetime("us", "UTC")),
                "km": pl.Series([km for _, _, km in rows], dtype=pl.Int64),
            }
        )
        batch = Batch(frame, landed_at=self.at, imported=False)
        stored = self._writer.stored(name, source, batch=batch)
        batch = batch.part(frame, None, next_seq=1 if stored is None else stored.next_seq, rows_before=0)
        landing = land(batch, source, name=name, stored=stored, mender=mender_of(name, source))
        for table, made in ((table_of, landing.rows), (quarantine_of, landing.quarantine)):
            if made.height or (table is table_of and stored is None):
                place = table(name, source)
                version = (self.tables.version(place, "bulk") or 0) + 1
                self.tables.append(place, made, writer="bulk", version=version)
        self.counts.append((name, landing.counts, self.at))
        made = landing.rows.select(pl.all().to_physical())
        own = [column for column in made.columns if column not in SYSTEM]
        return RowsIn(
            name,
            [list(row) for row in made.select(own).rows()],
            made[HAPPENED].to_list(),
            made[CLAIMED].to_list(),
            made[VERSION].to_list(),
            landing.counts.repeated,
            tuple(
                Aside(row["code"], row["reason"], row["row"], row["content"], row["row_number"])
                for row in landing.quarantine.iter_rows(named=True)
            ),
            None if stored else {name: KINDS[name] for name in own_columns(landing.rows.schema)},
            as_ipc(frame) if self._sent else None,
        )


def as_ipc(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc(buffer)
    return buffer.getvalue()


def endless(number: int):
    """Give a group by its number: some rows are new, some known already, some set aside."""
    rows = [(number % 5, number % 11, number % 4), (6, number % 3, None)]
    return {name: rows[: 1 + number % 2] for place, name in enumerate(SOURCES) if number % 3 != place}
