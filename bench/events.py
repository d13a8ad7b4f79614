"""The events that are measured with: simulated, seeded, streamed, and the same for every contender.

python -m bench.events EVENTS FOLDER FORM    makes one form of them
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.buyers import ORDERS_A_CUSTOMER, bg_nbd_buyers, orders, pareto_nbd_buyers, write

SEED = 20_240_101
EVENTS_A_CUSTOMER = 20
CUSTOMERS_AT_ONCE = 6_553
"""So many are simulated at once; another number would make other events."""
START = 1_704_067_200
"""2024-01-01 in seconds since 1970."""
DAY = 86_400

SHARES = {
    "product_view": 0.30,
    "cart": 0.12,
    "newsletter_open": 0.10,
    "ad_click": 0.08,
    "search": 0.08,
    "recipe_read": 0.07,
    "checkout": 0.06,
    "payment": 0.05,
    "purchase": 0.04,
    "delivery": 0.04,
    "survey_answer": 0.04,
    "support_contact": 0.02,
}
NAMES = tuple(sorted(SHARES))
STEPS = ("product_view", "cart", "checkout", "purchase")
WITHIN_DAYS = 7


@dataclass(frozen=True)
class Data:
    """Where the forms of `events` events lie."""

    events: int
    folder: Path

    @property
    def customers(self) -> int:
        return max(self.events // EVENTS_A_CUSTOMER, 1)

    @property
    def answers(self) -> int:
        """To a survey: as many as there are customers elsewhere."""
        return self.customers

    @property
    def orders(self) -> int:
        return self.customers * ORDERS_A_CUSTOMER

    def form(self, name: str) -> Path:
        """Where a table of customers or orders lies."""
        return self.folder / f"{name}.parquet"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def parquet(self) -> Path:
        return self.folder / "events.parquet"

    @property
    def csv(self) -> Path:
        return self.folder / "events.csv"

    @property
    def clickhouse(self) -> Path:
        return self.folder / "clickhouse"


def blocks(data: Data) -> Iterator[pa.RecordBatch]:
    """The events as encoded blocks, by customer and time.

    Histories are of very different lengths, visits of a few minutes lie days apart, and no two events of one
    customer are in the same second, so that every contender sees one order of events.
    """
    rng = np.random.default_rng(SEED)
    shares = np.array([SHARES[name] for name in NAMES])
    limits = np.cumsum(shares / shares.sum())
    left, low = data.events, 0
    while low < data.customers:
        size = min(CUSTOMERS_AT_ONCE, data.customers - low)
        rows = left if low + size == data.customers else size * EVENTS_A_CUSTOMER
        yield _block(rng, limits, low, size, rows)
        left, low = left - rows, low + size


def _block(rng: np.random.Generator, limits: np.ndarray, low: int, size: int, rows: int) -> pa.RecordBatch:
    weight = rng.gamma(1.0, size=size)
    length = 1 + rng.multinomial(rows - size, weight / weight.sum())
    customer = np.repeat(np.arange(low, low + size, dtype=np.int32), length)
    pause = np.where(rng.random(rows) < 0.7, rng.exponential(180, rows), rng.exponential(5 * DAY, rows))
    since = np.cumsum(1 + pause.astype(np.int64))
    first = np.cumsum(length) - length
    began = START + rng.integers(0, 600 * DAY, size) - since[first]
    time = (since + np.repeat(began, length)) * 1_000_000
    event = np.minimum(np.searchsorted(limits, rng.random(rows)), len(NAMES) - 1).astype(np.int8)
    value = np.where(event == NAMES.index("purchase"), np.round(rng.gamma(2, 15, rows), 2), np.nan)
    return pa.RecordBatch.from_arrays([pa.array(a) for a in (customer, time, event, value)], names=COLUMNS)


COLUMNS = ["customer", "time", "event", "value"]


def make_log(data: Data) -> None:
    """The sealed log, as an ingest leaves it."""
    from wayfare.histories.ingest.encode import blocks as as_ingested
    from wayfare.histories.schema import Kind, Schema
    from wayfare.histories.store import publish, write_generation, writing

    kinds = zip(COLUMNS, (Kind.CODE, Kind.TIME, Kind.CODE, Kind.NUMBER), strict=True)
    ids = pa.array([name_of(code) for code in range(data.customers)])
    with writing(data.log):
        names = {"customer": ids, "event": pa.array(NAMES)}
        batches = as_ingested(blocks(data))
        publish(data.log, write_generation(data.log, Schema(tuple(kinds)), batches, names, simulated=True))


def make_parquet(data: Data) -> None:
    """A table by customer and time for peers, with the customers' ids as text and as numbers."""
    import pyarrow.parquet as pq

    fields = {
        "id": pa.string(),
        "number": pa.uint32(),
        "time": pa.timestamp("s"),
        "event": pa.dictionary(pa.int8(), pa.string()),
    }
    schema = pa.schema(fields)
    with pq.ParquetWriter(data.parquet, schema) as writer:
        for block in blocks(data):
            number = block.column("customer").to_numpy()
            names = pa.array([name_of(code) for code in range(number[0], number[-1] + 1)])
            seconds = pa.array(block.column("time").to_numpy() // 1_000_000).cast(pa.timestamp("s"))
            event = pa.DictionaryArray.from_arrays(block.column("event"), pa.array(NAMES))
            columns = [
                names.take(pa.array(number - number[0])),
                pa.array(number.astype(np.uint32)),
                seconds,
                event,
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


def name_of(code: int) -> str:
    """A customer's id as text."""
    return f"c{code:08d}"


def make_csv(data: Data) -> None:
    """What a shop exports, about 42 bytes an event: text ids, times without a zone, in the order in which things happened."""
    import duckdb

    schema = pa.schema(
        {"customer": pa.int32(), "time": pa.int64(), "event": pa.int8(), "value": pa.float64()}
    )
    with duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(data.folder / "duckdb")}) as con:
        con.register("encoded", pa.RecordBatchReader.from_batches(schema, blocks(data)))
        columns = f"""printf('c%08d', customer) AS customer, make_timestamp("time") AS "time",
            list_extract({list(NAMES)}, event + 1) AS event, if(isnan(value), NULL, value) AS value"""
        query = f'SELECT {columns} FROM (SELECT * FROM encoded ORDER BY "time", customer)'
        con.execute(f"COPY ({query}) TO '{data.csv}' (HEADER, DELIMITER ',')")


def make_clickhouse(data: Data) -> None:
    """Two MergeTree tables in the order of the log, in one part each: as the events come, and encoded by hand."""
    from chdb import session

    database = session.Session(str(data.clickhouse))
    database.query("CREATE DATABASE bench ENGINE = Atomic")
    codes = ", ".join(f"'{name}' = {code}" for code, name in enumerate(NAMES))
    source = (
        f"file('{data.parquet}', Parquet, 'id String, number UInt32, time DateTime(''UTC''), event String')"
    )
    tables = {
        "plain": ("String", "LowCardinality(String)", "id"),
        "encoded": ("UInt32", f"Enum8({codes})", "number"),
    }
    for table, (customer, event, ids) in tables.items():
        columns = f"customer {customer}, time DateTime('UTC'), event {event}"
        database.query(f"CREATE TABLE bench.{table} ({columns}) ENGINE = MergeTree ORDER BY (customer, time)")
        database.query(f"INSERT INTO bench.{table} SELECT {ids}, time, event FROM {source}")
        database.query(f"OPTIMIZE TABLE bench.{table} FINAL")
    database.close()


FORMS: dict[str, tuple[Callable[[Data], None], tuple[str, ...]]] = {
    "log": (make_log, ()),
    "parquet": (make_parquet, ()),
    "csv": (make_csv, ()),
    "clickhouse": (make_clickhouse, ("parquet",)),
    "bg_nbd": (lambda data: write(bg_nbd_buyers(data.customers), data.form("bg_nbd")), ()),
    "bg_nbd_moments": (
        lambda data: write(bg_nbd_buyers(data.customers, whole_days=False), data.form("bg_nbd_moments")),
        (),
    ),
    "pareto_nbd": (lambda data: write(pareto_nbd_buyers(data.customers), data.form("pareto_nbd")), ()),
    "orders": (lambda data: write(orders(data.orders), data.form("orders")), ()),
}
"""How each form is made, and the forms that it is made from."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("form", choices=list(FORMS))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    FORMS[asked.form][0](Data(asked.events, asked.folder))


if __name__ == "__main__":
    main()
