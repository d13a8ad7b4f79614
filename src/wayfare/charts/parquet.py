"""A result's table as a Parquet file that says what it is."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wayfare.result import Result

SUFFIX = ".parquet"


def save_parquet(result: Result, path: Path, table: str | None = None) -> None:
    """Writes one table (the main one unless named) into `path`; a reader sees the old file or the new one.

    The file's metadata hold, under the key `wayfare`, the analysis, its parameters and the log as JSON.
    """
    import pyarrow.parquet as pq

    kept = result._table(table)
    context = result.context
    said = json.dumps(
        {"analysis": context.analysis, "params": dict(context.params), "log": dict(context.log)}
    )
    with tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=f".{path.name}-") as folder:
        fresh = Path(folder) / path.name
        pq.write_table(kept.replace_schema_metadata({"wayfare": said}), fresh)
        fresh.replace(path)
