"""A small shop with a sealed log, to be looked at through the web surface."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from wayfare.histories.schema import Kind
from wayfare.histories.store import publish, write_generation, writing
from wayfare.log import read_events
from wayfare.workspace.documents import open_documents
from wayfare.workspace.folder import init
from wayfare.workspace.journeys import note_events

STEPS = ("product_view", "cart", "purchase")


def visits(customers: int = 400, seed: int = 7) -> pd.DataFrame:
    """Customers who look at a product; 6 of 10 put it in the cart, half of these buy, some of them again."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        at = pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(hours=float(rng.uniform(0, 24 * 200)))
        channel = ("web", "newsletter", "=cmd()", "store")[int(rng.integers(4))]
        deep = 0
        while rng.random() < (1.0, 0.6, 0.5)[deep]:
            value = float(rng.gamma(3, 12)) if deep == 2 else None
            order = f"o{len(rows)}" if deep == 2 else None
            rows.append(
                (f"c{number:04d}", at, STEPS[deep], channel, ("mobile", "desktop")[number % 2], order, value)
            )
            at += pd.Timedelta(minutes=float(rng.exponential(90)))
            deep += 1
            if deep == 3:
                deep, at = 0, at + pd.Timedelta(days=float(rng.exponential(30)))
                if rng.random() < 0.5:
                    break
    columns = ["customer", "time", "event", "channel", "device", "order", "value"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(time=frame["time"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


def seal(folder: Path, frame: pd.DataFrame, *, simulated: bool = False) -> None:
    """Makes `frame` the log of the workspace, without the detours of an ingest."""
    extra = {name: name for name in frame.columns if name not in ("customer", "time", "event")}
    source = read_events(frame, customer="customer", time="time", event="event", **extra).source
    names = {name: source.names(name).values for name in source.schema.of_kind(Kind.CODE)}
    batches = [
        pa.RecordBatch.from_arrays(batch.columns, names=batch.schema.names) for batch in source.batches
    ]
    with writing(folder / "log"):
        lineage = [{"source": "shop.csv", "rows": len(frame), "at": "2024-09-01T08:00:00Z"}]
        made = write_generation(
            folder / "log", source.schema, batches, names, lineage=lineage, simulated=simulated
        )
        publish(folder / "log", made)


def shop(folder: Path, frame: pd.DataFrame | None = None, *, simulated: bool = False) -> Path:
    """A workspace with a log and a proposed journey."""
    workspace = init(folder, "Corner Shop", "EUR", "Europe/Amsterdam")
    seal(folder, visits() if frame is None else frame, simulated=simulated)
    with closing(open_documents(workspace)) as documents:
        note_events(documents, STEPS)
    return folder
