"""Rows that are there already: by event id (in this ingest and in the log), or by every column where asked."""

from __future__ import annotations

import duckdb

from wayfare.histories.ingest.cells import quoted
from wayfare.histories.ingest.clean import Staged
from wayfare.histories.ingest.workbench import one

DOUBLES = "doubles"


def find_doubles(
    con: duckdb.DuckDBPyConnection, staged: Staged, *, rows: bool, present_ids: str = "", there: str = ""
) -> bool:
    """Lists in the table `doubles` the `ord` of each row to drop; the first in input order stays.

    Whole rows are compared as read, usable or not, so that the quarantine holds no row twice. Event ids are compared
    among usable rows only: a broken row and its mended repetition are no duplicates.

    Args:
        con: Where the rows are.
        staged: The rows.
        rows: Whether exact repetitions of a row are duplicates.
        there: A relation with the `ord` of rows that the log is known to have already.
        present_ids: A relation with the column `event_id` of the log that the rows will join.
    """
    found = []
    if rows:
        columns = ", ".join(quoted(name) for name in staged.columns)
        first = f"SELECT min(ord) AS ord FROM {staged.relation} GROUP BY {columns}, fault, offence"
        found.append(f"SELECT ord FROM {staged.relation} ANTI JOIN ({first}) USING (ord)")
    if "event_id" in staged.columns:
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW with_id AS SELECT ord, event_id::VARCHAR AS event_id FROM {staged.relation} WHERE fault IS NULL AND event_id IS NOT NULL"
        )
        total, distinct = one(con, "SELECT count(*), count(DISTINCT event_id) FROM with_id")
        if total != distinct:
            found.append(
                "SELECT ord FROM with_id ANTI JOIN (SELECT min(ord) AS ord FROM with_id GROUP BY event_id) USING (ord)"
            )
        if present_ids:
            found.append(f"SELECT ord FROM with_id SEMI JOIN {present_ids} USING (event_id)")
    if there:
        found.append(f"SELECT ord FROM {there}")
    if not found:
        return False
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {DOUBLES} AS SELECT DISTINCT ord FROM ({' UNION ALL '.join(found)})"
    )
    return bool(one(con, f"SELECT count(*) FROM {DOUBLES}")[0])
