"""Customers who meet tests are found whatever the blocks, and read from where they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.analyses.cuts import in_blocks
from wayfare.domain.journey import STAGES, JourneyMap, Stage, Touchpoint
from wayfare.domain.segment import Segment
from wayfare.histories.filter import compile_segment
from wayfare.histories.matching import Criterion, Did, Exactly, Has, Histories, IsCustomer, Matching, as_table
from wayfare.histories.stages import stage_map
from wayfare.log import Log, read_events

# Three customers: q looks, buys and looks again; r only looks; s only buys.
ROWS = [
    ("q", "2024-03-01", "look", "web", None), ("q", "2024-03-02", "buy", "app", 10.0), ("q", "2024-03-09", "look", "app", None),
    ("r", "2024-03-03", "look", "web", None), ("s", "2024-03-04", "buy", None, 20.0),
]  # fmt: skip
JOURNEY = JourneyMap(
    orders=("buy",),
    touchpoints=(
        Touchpoint(event="look", stage=Stage.CONSIDERATION, after_purchase=Stage.REPURCHASE),
        Touchpoint(event="buy", stage=Stage.PURCHASE),
    ),
)


def log_of(rows: list[tuple[object, ...]]) -> Log:
    frame = pd.DataFrame(rows, columns=["customer", "time", "event", "channel", "value"])
    return read_events(
        frame, customer="customer", time="time", event="event", channel="channel", value="value"
    )


LOG = log_of(ROWS)


def has(text: str) -> Has:
    return Has(compile_segment(Segment.parse(text), LOG.schema, lambda c, name: LOG.names(c).code(name)))


def did(event: str | None, stage: Stage | None) -> Did:
    code = None if event is None else LOG.code("event", event)
    return Did(code, None if stage is None else STAGES.index(stage), stage_map(JOURNEY, LOG.names("event")))


def exactly(*events: str, collapse: bool = False) -> Exactly:
    return Exactly(tuple(LOG.code("event", event) for event in events), collapse)


def histories(log: Log, *tests: Criterion) -> Histories:
    return Histories(log.source, log.condition, tests, tuple(log.fold(Matching(tests))))


def who(found: Histories, start: int = 0, size: int = 99) -> list[str]:
    tables = [as_table(block, found.source) for block in found.page(start, size)]
    return list(dict.fromkeys(id for table in tables for id in table["customer"].to_pylist()))


@pytest.mark.parametrize(
    ("tests", "customers", "events"),
    [
        ((), ["q", "r", "s"], 5),
        ((has("channel=app"),), ["q"], 3),
        ((has("channel=nowhere"),), [], 0),
        ((has("value>=10"), has("did:look")), ["q"], 3),
        ((IsCustomer(LOG.code("customer", "r")),), ["r"], 1),
        ((did("look", None),), ["q", "r"], 4),
        ((did(None, Stage.REPURCHASE),), ["q"], 3),
        ((did("look", Stage.CONSIDERATION),), ["q", "r"], 4),
        ((did("buy", Stage.CONSIDERATION),), [], 0),
        ((exactly("look", "buy", "look"),), ["q"], 3),
        ((exactly("look"),), ["r"], 1),
        ((exactly("look", "look"),), [], 0),
    ],
)
@pytest.mark.parametrize("blocks", [1, 3])
def test_customers_who_meet_every_test(tests, customers, events, blocks):
    found = histories(in_blocks(LOG, blocks), *tests)
    assert who(found) == customers
    assert (found.customers, found.events) == (len(customers), events)


def test_a_test_is_judged_on_the_part_looked_at():
    later = LOG.where(since="2024-03-05")
    assert who(histories(later, has("channel=web"))) == []
    assert who(histories(later, did("look", None))) == ["q"]
    assert histories(later).events == 1


def test_repeats_and_the_lines_of_one_order_count_once_where_asked():
    rows = [("q", "2024-03-01", "look", None, None), ("q", "2024-03-02", "look", None, None), ("q", "2024-03-03", "buy", None, 1.0), ("q", "2024-03-03", "buy", None, 2.0)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["customer", "time", "event", "channel", "value"])
    frame["order"] = [None, None, "o1", "o1"]
    log = read_events(frame, customer="customer", time="time", event="event", order="order")
    look, buy = (log.code("event", event) for event in ("look", "buy"))
    assert who(histories(log, Exactly((look, look, buy), False))) == ["q"]
    assert who(histories(log, Exactly((look, buy), False))) == []
    assert who(histories(log, Exactly((look, buy), True))) == ["q"]


def test_pages_follow_each_other_over_blocks_and_read_only_their_own(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(1)
    rows = [(f"c{n:03d}", "2024-03-01", "look", None, None) for n in range(90) for _ in range(rng.integers(1, 4))]  # fmt: skip
    log = in_blocks(log_of(rows), 6)
    found = histories(log)
    pages = [who(found, start, 20) for start in range(0, 100, 20)]
    assert [id for page in pages for id in page] == [f"c{n:03d}" for n in range(90)]
    assert [len(page) for page in pages] == [20, 20, 20, 20, 10]
    assert who(found, 90, 20) == []
    read: list[int] = []
    original = type(log.source).read
    monkeypatch.setattr(type(log.source), "read", lambda self, i, c: read.append(i) or original(self, i, c))
    who(found, 0, 5)
    assert read == [0]


def test_a_block_as_a_table_has_names_zones_and_nulls():
    (block,) = histories(LOG, IsCustomer(LOG.code("customer", "s"))).all()
    table = as_table(block, LOG.source)
    assert table.to_pylist() == [
        {"customer": "s", "time": pd.Timestamp("2024-03-04", tz="UTC"), "event": "buy", "channel": None, "value": 20.0}
    ]  # fmt: skip
    assert histories(LOG).empty().schema == table.schema
