"""Appends groups to a project's hot log at full speed, moves them now and then, and says what is durable."""

import sys
from pathlib import Path

import moves
from wholeroad.adapters.blobs import FolderBlobs
from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.adapters.ledgers import SqliteLedger
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.engine.facts import decode
from wholeroad.engine.service.moving import move_rows
from wholeroad.engine.service.records import read, write


class Writer:
    """A project without cases that are due: it takes groups in, and moves them."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        (root / "brief.toml").write_text(moves.TEXT)
        self.folder = ProjectFolder(root)
        self.tables, self.blobs = DeltaTables(self.folder.tables), FolderBlobs(self.folder.blobs)
        self.ledger, self.log = SqliteLedger(self.folder.ledger, decode), SqliteHotLog(self.folder.hot)
        self.landed, self.acknowledged = moves.Landed(), 0

    def take_in(self) -> None:
        """Land the next group, durably."""
        group = self.landed.group(moves.endless(self.acknowledged))
        self.acknowledged = self.log.append(write(group))

    def move(self) -> None:
        """Move everything, and let go of it."""
        some = [(number, read(data)) for number, data in self.log.read()]
        facts = [fact for _, fact in self.ledger.read()]
        self.ledger.append(
            move_rows(some, brief=moves.BRIEF, tables=self.tables, blobs=self.blobs, facts=facts)
        )
        self.log.prune(some[-1][0])


def main(root: Path) -> None:
    writer = Writer(root)
    while True:
        writer.take_in()
        sys.stdout.write(f"{writer.acknowledged}\n")
        sys.stdout.flush()
        if writer.acknowledged % 9 == 0:
            writer.move()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
