"""The program run in process, and a small workspace to run it on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from wayfare.cli.main import main
from wayfare.histories.schema import Kind, Schema
from wayfare.histories.store import publish, write_generation, writing
from wayfare.workspace.documents import open_documents
from wayfare.workspace.folder import init
from wayfare.workspace.journeys import note_events

EVENTS = ("product_view", "cart", "purchase", "=cmd()")
HOUR = 3_600_000_000
START = 1_704_067_200_000_000  # 2024-01-01T00:00Z


@dataclass(frozen=True)
class Done:
    """How a run of the program ended."""

    code: int
    out: str
    err: str


Wayfare = Callable[..., Done]


@pytest.fixture
def wayfare(capsys: pytest.CaptureFixture[str]) -> Wayfare:
    """Runs the program: `wayfare("run", folder, "funnel")`."""

    def run(*args: object) -> Done:
        capsys.readouterr()
        code = main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four customers: all view, three put into the cart, two buy, one does something with a formula for a name."""
    folder = tmp_path_factory.mktemp("work") / "shop"
    workspace = init(folder, "Shop", "EUR", "Europe/Amsterdam")
    histories = [(0, 1, 2), (0, 1, 2, 3), (0, 1), (0,)]
    customer = [who for who, events in enumerate(histories) for _ in events]
    event = [code for events in histories for code in events]
    time = [START + at * HOUR for events in histories for at, _ in enumerate(events)]
    batch = pa.record_batch(
        {
            "customer": pa.array(customer, pa.int8()),
            "time": pa.array(time),
            "event": pa.array(event, pa.int8()),
        }
    )
    schema = Schema((("customer", Kind.CODE), ("time", Kind.TIME), ("event", Kind.CODE)))
    names = {"customer": pa.array(["a", "b", "c", "d"]), "event": pa.array(EVENTS)}
    with writing(workspace.log_folder):
        publish(workspace.log_folder, write_generation(workspace.log_folder, schema, [batch], names))
    with closing(open_documents(workspace)) as documents:
        note_events(documents, EVENTS)
    return folder
