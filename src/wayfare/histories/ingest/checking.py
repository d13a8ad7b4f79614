"""Which rows are usable, which are there already and which must stay aside; the counts add up by construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from wayfare.histories.ingest.clean import Staged
from wayfare.histories.ingest.duplicates import DOUBLES, find_doubles
from wayfare.histories.ingest.load import Load
from wayfare.histories.ingest.workbench import one


@dataclass(frozen=True)
class Checked:
    """The rows after checking: which are usable, and the counts."""

    staged: Staged
    usable: str
    rows: int
    duplicates: int
    quarantined: int
    reasons: dict[str, int]

    @property
    def kept(self) -> int:
        """Rows that go into the log."""
        return self.rows - self.duplicates - self.quarantined


def check(
    con: duckdb.DuckDBPyConnection,
    loads: Sequence[Load],
    staged: Staged,
    *,
    rows: bool,
    ids: str,
    there: str = "",
) -> Checked:
    """Which rows are usable; the views `usable` and `faulty` where not all are."""
    doubles = find_doubles(con, staged, rows=rows, present_ids=ids, there=there)
    total, faults = one(con, f"SELECT count(*), count(fault) FROM {staged.relation}")
    rejected = [line for load in loads for line in load.raw.rejected]
    dropped = f" ANTI JOIN {DOUBLES} USING (ord)" if doubles else ""
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW faulty AS SELECT ord, src, line, fault FROM {staged.relation}{dropped} WHERE fault IS NOT NULL"
    )
    reasons: dict[str, int] = {}
    if faults:
        reasons = dict(
            con.execute("SELECT fault, count(*) FROM faulty GROUP BY ALL ORDER BY 2 DESC, 1").fetchall()
        )
    for line in rejected:
        reasons[line.reason] = reasons.get(line.reason, 0) + 1
    duplicates = one(con, f"SELECT count(*) FROM {DOUBLES}")[0] if doubles else 0
    usable = staged.relation
    if faults or doubles:
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW usable AS SELECT * FROM {staged.relation}{dropped} WHERE fault IS NULL"
        )
        usable = "usable"
    return Checked(staged, usable, total + len(rejected), duplicates, sum(reasons.values()), reasons)
