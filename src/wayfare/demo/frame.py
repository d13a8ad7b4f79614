"""From columns of codes to Arrow record batches with the log's canonical columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wayfare.demo.basket import CATALOGUE
from wayfare.demo.rows import (
    CAMPAIGNS,
    CARRIERS,
    CHANNELS,
    DEVICES,
    EVENTS,
    FEATURES,
    KANO_ANSWERS,
    KINDS,
    PAYMENT_METHODS,
    QUESTIONS,
    SURVEYS,
    WAVES,
    Array,
    Rows,
    where,
)
from wayfare.demo.surveys import COMMENTS

SCHEMA = pa.schema(
    [
        ("customer", pa.string()),
        ("time", pa.timestamp("us", "UTC")),
        ("event", pa.string()),
        ("channel", pa.string()),
        ("session", pa.string()),
        ("order", pa.string()),
        ("product", pa.string()),
        ("category", pa.string()),
        ("quantity", pa.int64()),
        ("value", pa.float64()),
        ("cost", pa.float64()),
        ("score", pa.float64()),
        ("campaign", pa.string()),
        ("referrer", pa.string()),
        ("event_id", pa.string()),
        ("device", pa.string()),
        ("comment", pa.string()),
        ("payment_method", pa.string()),
        ("delivery_days", pa.float64()),
        ("carrier", pa.string()),
        ("survey", pa.string()),
        ("question", pa.string()),
        ("question_kind", pa.string()),
        ("wave", pa.string()),
        ("touchpoint", pa.string()),
        ("feature", pa.string()),
        ("functional", pa.string()),
        ("dysfunctional", pa.string()),
        ("importance", pa.float64()),
        ("subscription", pa.bool_()),
        ("source", pa.string()),
    ]
)
SOURCE = "simulated"

_NAMES = {
    "event": EVENTS,
    "channel": CHANNELS,
    "product": tuple(product.name for product in CATALOGUE),
    "campaign": CAMPAIGNS,
    "device": DEVICES,
    "comment": COMMENTS,
    "payment_method": PAYMENT_METHODS,
    "carrier": CARRIERS,
    "survey": SURVEYS,
    "question": QUESTIONS,
    "question_kind": KINDS,
    "wave": WAVES,
    "touchpoint": EVENTS,
    "feature": FEATURES,
    "functional": KANO_ANSWERS,
    "dysfunctional": KANO_ANSWERS,
}
_CATEGORIES = tuple(product.category for product in CATALOGUE)
_NUMBERS = ("value", "cost", "score", "delivery_days", "importance")


def record_batch(table: Rows, *, number: int, first_customer: int, size: int, end: int) -> pa.RecordBatch:
    """The events before `end`, sorted by customer and time, as one batch.

    Args:
        table: All events of the batch, as `stack` returns them.
        number: The batch's number; it makes orders and sessions unique over batches.
        first_customer: How many customers came in earlier batches.
        size: The batch's customers.
        end: The first microsecond that is no longer the company's time.
    """
    table = where(table, np.flatnonzero(table["time"] < end))
    table = where(table, np.lexsort((table["time"], table["customer"])))
    count = table["time"].size
    people = pa.array([f"c{first_customer + position:08d}" for position in range(1, size + 1)])
    columns = {name: _named(_NAMES[name], table[name]) for name in _NAMES}
    columns |= {name: pa.array(table[name], mask=np.isnan(table[name])) for name in _NUMBERS}
    columns["customer"] = _named(people, table["customer"])
    columns["referrer"] = _named(people, table["referrer"])
    columns["time"] = pa.array(table["time"]).cast(pa.timestamp("us")).cast(SCHEMA.field("time").type)
    columns["category"] = _named(_CATEGORIES, table["product"])
    columns["quantity"] = pa.array(table["quantity"], mask=table["quantity"] == 0)
    columns["subscription"] = pa.array(table["subscription"] == 1, mask=table["subscription"] < 0)
    columns["order"] = _numbered(f"o{number}-", table["order"])
    columns["session"] = _numbered(f"s{number}-", table["session"])
    columns["event_id"] = _numbered(f"e{number}-", np.arange(count))
    columns["source"] = pa.repeat(pa.scalar(SOURCE), count)
    return pa.record_batch([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _named(names: pa.Array | tuple[str, ...], codes: Array) -> pa.Array:
    values = names if isinstance(names, pa.Array) else pa.array(names)
    return values.take(pa.array(codes.astype(np.int32), mask=codes < 0))


def _numbered(prefix: str, numbers: Array) -> pa.Array:
    digits = pa.array(numbers, mask=numbers < 0).cast(pa.string())
    return pc.binary_join_element_wise(prefix, digits, "")
