"""Columns of the customer: joined by id, missing where unknown, the same on every engine, part of the fingerprint."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.analyses.journey.funnel import funnel
from wayfare.engines.local import LocalEngine
from wayfare.errors import BadInput, InvalidParameter, UnknownName
from wayfare.histories.attributes import AttributedSource
from wayfare.histories.schema import Kind

FRAME = pd.DataFrame(
    [
        ("a", "2024-01-01T10:00", "visit", "web"),
        ("a", "2024-01-02T10:00", "purchase", "store"),
        ("b", "2024-01-01T11:00", "visit", "store"),
        ("b", "2024-02-01T00:30", "visit", "web"),
        ("c", "2024-03-01T12:00", "visit", "web"),
        ("c", "2024-03-01T12:10", "purchase", "web"),
    ],
    columns=["customer", "time", "event", "channel"],
)
KNOWN = pd.DataFrame(
    {
        "who": ["c", "a", "stranger"],
        "persona": ["Bargain hunters", "Explorers", "Nobody"],
        "age": [44.0, 31.0, 7.0],
        "member": [True, False, True],
    }
)


@pytest.fixture(scope="module")
def bare() -> wf.Log:
    return wf.read_events(FRAME, customer="customer", time="time", event="event", channel="channel")


@pytest.fixture(scope="module")
def log(bare: wf.Log) -> wf.Log:
    return bare.with_attributes(KNOWN, customer="who")


def customers(log: wf.Log) -> str:
    return "".join(log.each_customer(lambda b: {"rows": np.diff(b.starts)})["customer"].to_pylist())


def values(log: wf.Log, column: str) -> list[Any]:
    found = log.each_customer(lambda b: {"value": b[column][b.starts[:-1]]}, (column,))
    return found["value"].to_pylist()


def test_the_columns_are_part_of_the_log(log: wf.Log):
    kinds = {name: log.schema[name] for name in log.attributes}
    assert kinds == {"persona": Kind.CODE, "age": Kind.NUMBER, "member": Kind.FLAG}
    assert log.names("persona").to_list() == ["Bargain hunters", "Explorers", "Nobody"]
    assert values(log, "persona") == [1, -1, 0]
    assert values(log, "age")[::2] == [31.0, 44.0]
    assert np.isnan(values(log, "age")[1])
    assert values(log, "member") == [0, -1, 1]


def test_who_is_not_known_is_counted(log: wf.Log):
    assert isinstance(log.source, AttributedSource)
    assert log.source.unknown == 1


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("persona=Bargain hunters", "c"),
        ("persona!=Bargain hunters", "ab"),
        ("persona=Unheard of", ""),
        ("age>=40", "c"),
        ("age<40", "a"),
        ("member=yes", "c"),
        ("last:persona=Explorers", "a"),
    ],
)
def test_segments(log: wf.Log, segment: str, expected: str):
    assert customers(log.where(segment)) == expected


def test_an_analysis_uses_it_as_any_text_column(log: wf.Log):
    found = funnel(log, steps=("visit", "purchase"), within="7d", by="persona").to_pandas("groups")
    reached = found[found["step"] == 2].set_index("group")["customers"]
    assert reached["Explorers"] == 1
    assert reached["Bargain hunters"] == 1


def test_it_joins_a_text_column_that_the_analysis_did_not_name(log: wf.Log, bare: wf.Log):
    with pytest.raises(UnknownName, match="persona"):
        bare.names("persona")
    with pytest.raises(UnknownName) as error:
        log.names("age")
    assert "persona" in error.value.allowed


def test_the_fingerprint_is_of_both(bare: wf.Log, log: wf.Log):
    again = bare.with_attributes(pa.Table.from_pandas(KNOWN), customer="who")
    assert again.facts.fingerprint == log.facts.fingerprint != bare.facts.fingerprint
    for changed in (
        KNOWN.assign(age=[44.0, 31.5, 7.0]),
        KNOWN.assign(persona=["Bargain hunters", "Explorer", "Nobody"]),
        KNOWN.assign(who=["c", "b", "stranger"]),
        KNOWN.rename(columns={"age": "years"}),
    ):
        assert bare.with_attributes(changed, customer="who").facts.fingerprint != log.facts.fingerprint
    shuffled = bare.with_attributes(KNOWN.sample(frac=1, random_state=1), customer="who")
    assert values(shuffled, "persona") == values(log, "persona")
    assert replace(log.facts, fingerprint="") == replace(bare.facts, fingerprint="")


def test_one_on_the_other(log: wf.Log):
    more = log.with_attributes(pa.table({"customer": ["b"], "town": ["Gent"]}))
    assert more.attributes == ("persona", "age", "member", "town")
    assert customers(more.where("town=Gent")) == "b"
    assert customers(more.where("persona=Explorers")) == "a"


def test_a_text_column_from_categories_and_empty_text(bare: wf.Log):
    frame = pd.DataFrame({"customer": ["a", "b", "c"], "tier": pd.Categorical(["gold", None, ""])})
    log = bare.with_attributes(frame)
    assert log.names("tier").to_list() == ["gold"]
    assert values(log, "tier") == [0, -1, -1]


def test_ids_that_are_numbers_are_read_as_the_log_reads_them():
    frame = FRAME.assign(customer=FRAME["customer"].map({"a": 1, "b": 2, "c": 3}))
    log = wf.read_events(frame, customer="customer", time="time", event="event")
    assert values(log.with_attributes(pa.table({"customer": [2, 3], "tier": ["x", "y"]})), "tier") == [
        -1,
        0,
        1,
    ]


def test_nobody_is_known(bare: wf.Log):
    log = bare.with_attributes(
        pa.table({"customer": pa.array([], pa.string()), "tier": pa.array([], pa.string())})
    )
    assert values(log, "tier") == [-1, -1, -1]
    assert customers(log.where("tier=gold")) == ""


def test_an_empty_log(bare: wf.Log):
    empty = wf.read_events(FRAME.head(0), customer="customer", time="time", event="event")
    log = empty.with_attributes(KNOWN, customer="who")
    assert customers(log.where("persona=Explorers")) == ""


def test_it_travels_without_the_ids(log: wf.Log):
    copy = pickle.loads(pickle.dumps(log.source))
    assert copy.facts == log.facts
    assert len(copy.given.ids) == 0
    assert (
        copy.read(0, ("persona",))["persona"].tolist() == log.source.read(0, ("persona",))["persona"].tolist()
    )


def test_engines_and_blocks_agree(bare: wf.Log, spark: Any):
    from wayfare.engines.spark import SparkEngine

    cut = in_blocks(bare, 1).with_attributes(KNOWN, customer="who")
    for engine in (LocalEngine(threads=1), LocalEngine(threads=3), SparkEngine(spark)):
        assert values(replace(cut, engine=engine), "persona") == [1, -1, 0]
        assert customers(replace(cut, engine=engine).where("age<40")) == "a"


@pytest.mark.parametrize(
    ("frame", "error", "match"),
    [
        (KNOWN.drop(columns="who"), UnknownName, "who"),
        (KNOWN[["who"]], BadInput, "no column beside"),
        (pd.concat([KNOWN, KNOWN.tail(1)]), BadInput, "'stranger' has more than one row"),
        (KNOWN.assign(born=pd.Timestamp("2000-01-01")), BadInput, "born"),
        (KNOWN.rename(columns={"age": "channel"}), InvalidParameter, "channel"),
        (KNOWN.rename(columns={"age": "customer"}), InvalidParameter, "customer"),
    ],
)
def test_what_is_refused(bare: wf.Log, frame: pd.DataFrame, error: type[Exception], match: str):
    with pytest.raises(error, match=match):
        bare.with_attributes(frame, customer="who")
