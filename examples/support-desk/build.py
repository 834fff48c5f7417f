"""Build the tables of the support-desk example, from a seed.

Run it as ``python examples/support-desk/build.py [--out DIR] [--days N]``. The generator's constants, in
``wholeroad.testing.support_desk``, are the hidden truth.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from wholeroad.testing.support_desk import make

HERE = Path(__file__).parent
DAYS = 330
TICKETS_PER_DAY = 150
SEED = 20240101


def main() -> None:
    """Write the tables and say what they are."""
    parser = argparse.ArgumentParser(description="Build the support-desk example's tables.")
    parser.add_argument("--out", type=Path, default=HERE / "data", help="folder for the Parquet files")
    parser.add_argument("--days", type=int, default=DAYS, help="days of history; the launch is in the middle")
    parser.add_argument("--tickets-per-day", type=int, default=TICKETS_PER_DAY)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    desk = make(days=asked.days, tickets_per_day=asked.tickets_per_day, seed=asked.seed)
    for name, frame in desk.items():
        path = asked.out / f"{name}.parquet"
        frame.write_parquet(path)
        print(f"{path}: {frame.height:,} rows, {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
