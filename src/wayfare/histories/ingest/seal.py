"""The whole run of an ingest: read, check, sort, write; the old log stays until the new one is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from wayfare.errors import BadInput
from wayfare.histories import store
from wayfare.histories.ingest import quarantine
from wayfare.histories.ingest.aside import put_aside
from wayfare.histories.ingest.checking import Checked, check
from wayfare.histories.ingest.clean import Staged, stage
from wayfare.histories.ingest.encode import BATCH_ROWS, Encoded, already_there, blocks, encode, repeated
from wayfare.histories.ingest.facts import describe_rows, iso
from wayfare.histories.ingest.kinds import kinds_of
from wayfare.histories.ingest.load import Load, said_kinds
from wayfare.histories.ingest.present import present_ids, present_of
from wayfare.histories.ingest.summary import IngestSummary
from wayfare.histories.ingest.workbench import sweep_scratch, workbench
from wayfare.histories.schema import Kind
from wayfare.histories.store import SealedSource

Progress = Callable[[str, float], None]


def untold(_phase: str, _fraction: float) -> None:
    """Progress that nobody asked for."""


@dataclass(frozen=True)
class Request:
    """What a run was asked for, beyond where from and where to.

    Attributes:
        zone: The workspace's time zone.
        currency: The workspace's currency.
        dedupe_rows: Whether exact repetitions of a row are dropped.
        dry_run: Whether nothing is written.
        partial: Whether a run of which no row is usable is no error (a re-run of the quarantine).
        refuse_repeats: Whether rows that the log has already, in a share worth speaking of, are an error.
        leaves: Quarantine rows that this run takes up again, by id.
        notes: What a person should know of how the rows were read.
        entry: What the lineage says of this run, beside the counts.
        progress: Told the phase and how far it has come (0 to 1).
    """

    zone: str = "UTC"
    currency: str = "EUR"
    dedupe_rows: bool = False
    dry_run: bool = False
    partial: bool = False
    refuse_repeats: bool = False
    leaves: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()
    entry: dict[str, Any] = field(default_factory=dict)
    progress: Progress = untold


@contextmanager
def bench_for(folder: Path, *, dry_run: bool) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A place to work in; the right to write the log too, and the remains of a killed run gone, unless nothing is written."""
    if dry_run:
        with workbench() as bench:
            yield bench
        return
    with store.writing(folder):
        sweep_scratch(folder)
        store.sweep(folder)
        try:
            with workbench(folder) as bench:
                yield bench
        except BaseException:
            store.sweep(folder)
            raise


def seal(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    loads: Sequence[Load],
    recipes: Sequence[dict[str, Any]],
    request: Request,
) -> IngestSummary:
    """The loads checked and merged into the log of `folder`; call it within `bench_for`.

    Args:
        con: Where the loads' tables are.
        folder: The log's folder.
        loads: Sources that were read, with their recipes.
        recipes: The recipes as they are stored, for a later re-run of what goes to quarantine.
        request: What else was asked for.
    """
    request.progress("checking", 0.0)
    current = store.current_generation(folder)
    present = SealedSource(current) if current else None
    staged = stage(con, loads, request.zone)
    checked, kinds = _checked(con, loads, staged, present, request)
    if checked.rows == 0:
        raise BadInput(
            "There are no rows.",
            where=", ".join(load.raw.name for load in loads),
            hint="The source has a header but no data.",
        )
    if not (checked.kept or checked.duplicates or request.partial or request.dry_run):
        raise _nothing_usable(checked, loads)
    facts = describe_rows(con, checked, request.currency)
    summary = replace(
        facts, rows_read=checked.rows, kept=checked.kept, duplicates=checked.duplicates,
        quarantined=checked.quarantined, reasons=checked.reasons, notes=request.notes + facts.notes,
    )  # fmt: skip
    if request.dry_run and not checked.kept:
        return summary
    encoded = encode(
        con,
        checked.usable,
        staged.columns,
        kinds,
        present_of(con, present) if present else None,
        request.zone,
    )
    summary = replace(summary, customers=encoded.customers)
    if present is not None and request.refuse_repeats and "event_id" not in staged.columns:
        said = _repeats(con, loads, encoded, present, summary, dry_run=request.dry_run)
        summary = replace(summary, notes=(*summary.notes, *said))
    request.progress("checking", 1.0)
    if request.dry_run or (
        current is not None and not (checked.kept or checked.quarantined or request.leaves)
    ):
        return replace(summary, generation=current.name if current and not request.dry_run else "")
    request.progress("sorting", 0.0)
    kept_aside = _quarantine(con, folder, loads, recipes, checked, request)
    generation = _write(con, folder, encoded, summary, present, request)
    quarantine.write(generation, kept_aside)
    store.publish(folder, generation)
    request.progress("writing", 1.0)
    return replace(summary, generation=generation.name)


def _checked(
    con: duckdb.DuckDBPyConnection,
    loads: Sequence[Load],
    staged: Staged,
    present: SealedSource | None,
    request: Request,
) -> tuple[Checked, dict[str, Kind]]:
    """The rows checked, and how each of their columns will be stored."""
    ids = present_ids(con, present) if present else ""
    checked = check(con, loads, staged, rows=request.dedupe_rows, ids=ids)
    schema = present.schema if present else None
    kinds = kinds_of(con, checked.usable, staged.columns, schema, said_kinds(loads))
    if present is None or not request.dedupe_rows or not checked.kept:
        return checked, kinds
    there = present_of(con, present)
    found = already_there(con, encode(con, checked.usable, staged.columns, kinds, there, request.zone), there)
    return check(con, loads, staged, rows=True, ids=ids, there=found), kinds


def _repeats(
    con: duckdb.DuckDBPyConnection,
    loads: Sequence[Load],
    encoded: Encoded,
    present: SealedSource,
    summary: IngestSummary,
    *,
    dry_run: bool,
) -> list[str]:
    """What to say of new rows that the log has already; the error where they are too many to be chance."""
    if summary.first > iso(present.facts.last) or summary.last < iso(present.facts.first):
        return []
    looked, found = repeated(con, encoded, present_of(con, present), summary.kept)
    present_of(con, present)  # what was read of the log is read again when it is written
    if not found:
        return []
    share = f"{found / looked:.0%}" if found * 100 >= looked else "less than 1%"
    problem = f"{share} of these rows are in the log already, equal in every column"
    hint = "Use --dedupe-rows to leave out what is there, or --again to add it all the same."
    if dry_run:
        return [f"{problem}; added again they would count twice. {hint}"]
    if found * 20 >= looked:
        where = ", ".join(load.raw.name for load in loads)
        raise BadInput(
            f"{problem}; added again they would count twice.",
            where=where,
            hint=f"Nothing was changed. {hint}",
        )
    return [f"{problem}, and count twice now. Where exports overlap, --dedupe-rows leaves out what is there."]


def _write(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    encoded: Encoded,
    summary: IngestSummary,
    present: SealedSource | None,
    request: Request,
) -> Path:
    expected = summary.kept + (present.facts.rows if present else 0)
    counts = {
        "rows_read": summary.rows_read,
        "kept": summary.kept,
        "duplicates": summary.duplicates,
        "quarantined": summary.quarantined,
    }
    lineage = (*(present.facts.lineage if present else ()), {**request.entry, **counts, "at": now()})
    simulated = bool(present and present.facts.simulated) or "simulated" in _sources(encoded)
    batches = blocks(_told(con.sql(encoded.query).to_arrow_reader(BATCH_ROWS), expected, request.progress))
    return store.write_generation(
        folder, encoded.schema, batches, encoded.dictionaries, lineage=lineage, simulated=simulated
    )


def _sources(encoded: Encoded) -> list[str]:
    return encoded.dictionaries["source"].to_pylist() if "source" in encoded.dictionaries else []


def _told(reader: pa.RecordBatchReader, expected: int, progress: Progress) -> Iterator[pa.RecordBatch]:
    done = 0
    for batch in reader:
        if done == 0:
            progress("sorting", 1.0)
        done += batch.num_rows
        progress("writing", min(0.99, done / max(expected, 1)))
        yield batch


def _quarantine(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    loads: Sequence[Load],
    recipes: Sequence[dict[str, Any]],
    checked: Checked,
    request: Request,
) -> pa.Table:
    """The quarantine as it will be: what is there and stays, and the rows of this run that can't be used."""
    there = quarantine.rows(folder)
    read_as = [{**recipe, **how} for recipe, how in zip(recipes, checked.staged.read_as, strict=True)]
    first = 1 + max(there["id"].to_pylist(), default=0)
    if request.leaves:
        stays = [identity not in request.leaves for identity in there["id"].to_pylist()]
        there = there.filter(pa.array(stays, pa.bool_()))
    if not checked.quarantined:
        return there
    return pa.concat_tables([there, put_aside(con, loads, "faulty", first, read_as, now())])


def _nothing_usable(checked: Checked, loads: Sequence[Load]) -> BadInput:
    reasons = ", ".join(f"{count:,} × {reason}" for reason, count in checked.reasons.items())
    columns = [name for load in loads for name in load.raw.data_columns]
    return BadInput(
        f"None of the {checked.rows:,} rows can be used ({reasons}).", where=", ".join(load.raw.name for load in loads),
        allowed=columns, hint="Say which of these columns is what: --customer COL --time COL --event COL.",
    )  # fmt: skip


def now() -> str:
    """This moment in UTC, to the second, as ISO text."""
    return datetime.now(UTC).isoformat(timespec="seconds")
