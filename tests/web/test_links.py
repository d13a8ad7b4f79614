"""From a table's row to the histories behind it, by what the row names and by no analysis's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pandas as pd
import pyarrow as pa
import pytest
from starlette.datastructures import QueryParams

import wayfare as wf
from tests.web.company import visits
from wayfare.analysis import Analysis
from wayfare.domain.parameters import Duration, Events, Property
from wayfare.result import Columns, Context, Result
from wayfare.study import Study
from wayfare.web.asked import read
from wayfare.web.behind import behind
from wayfare.web.links import linker


@dataclass(frozen=True, kw_only=True)
class ToyResult(Result):
    """A table of whatever columns."""

    toys: Annotated[pa.Table, Columns(any="anything")]


def toy(
    study: Study, *, steps: Events = (), within: Duration | None = None, order: Literal["ordered", "any"] = "ordered",
    by: Property | None = None, touch: Literal["first", "last"] = "first", channel: Property | None = None,
) -> ToyResult:  # fmt: skip
    """Which toys are there?"""
    raise NotImplementedError


def split(study: Study, *, window: int = 3) -> ToyResult:
    """Which toys are split?"""
    raise NotImplementedError


@pytest.fixture(scope="module")
def study() -> Study:
    frame = visits(80).assign(
        product="tea", category=lambda f: ["a", "b"] * (len(f) // 2) + ["a"] * (len(f) % 2)
    )
    frame = frame.assign(**{"utm:source": "x"})
    columns = {name: name for name in frame.columns if name not in ("customer", "time", "event")}
    return Study(
        wf.read_events(pd.DataFrame(frame), customer="customer", time="time", event="event", **columns)
    )


def links(
    study: Study, rows: list[dict[str, Any]], query: str = "", function: Any = toy, **params: Any
) -> list[tuple[str, str] | None]:
    """Where each row leads: the column that is the link, and the address without what it counts."""
    analysis = Analysis(function, "own")
    result = ToyResult(toys=pa.Table.from_pylist(rows), context=Context("toy", params))
    link = linker(study, read(analysis, QueryParams(query)), result)
    return [found and (found.column, found.address) for found in map(link, result.toys.to_pylist())]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"customer": "c0001", "product": "tea", "value": 3.0}, ("customer", "/rows?customer=c0001")),
        ({"event": "cart", "share": 0.5}, ("event", "/rows?event=cart")),
        ({"event": "cart", "customers": 7}, ("customers", "/rows?event=cart&counted=7")),
        ({"event": "cart", "customers": 0}, ("event", "/rows?event=cart")),
        ({"touchpoint": "cart", "stage": "purchase", "channel": "web"}, ("touchpoint", "/rows?event=cart")),
        ({"stage": "purchase", "event": "cart"}, ("event", "/rows?event=cart&stage=purchase")),
        ({"stage": "purchase", "rate": 0.5}, ("stage", "/rows?stage=purchase")),
        ({"source": "cart", "target": "purchase", "count": 3}, ("count", "/rows?step=cart&step=purchase&order=strict")),
        ({"source": "(start)", "target": "purchase", "count": 3}, None),
        ({"channel": "store", "cost": 2.0}, ("channel", "/rows?segment=first%3Achannel%3Dstore")),
        ({"kind": "new", "channel": "store"}, ("channel", "/rows?has=channel%3Dstore")),
        ({"product": "tea", "n": 1}, ("product", "/rows?has=product%3Dtea")),
        ({"category_from": "a", "category_to": "b"}, ("category_from", "/rows?has=category%3Da&has=category%3Db")),
        ({"path": "product_view > cart", "share": 0.1}, ("path", "/rows?path=product_view&path=cart")),
        ({"path": "product_view > cart > …", "customers": 5}, None),
        ({"month": "2024-01", "orders": 3}, None),
        ({"event": "(other)", "customers": 3}, None),
        ({"group": "web", "customers": 3}, None),
        ({"order": "o1", "session": "s1", "value": 1.0}, None),
        ({"utm:source": "x"}, None),  # its name can't be written in a condition
        ({"event": None, "customers": None}, None),
    ],
)  # fmt: skip
def test_what_a_row_names_is_where_it_leads(study, row, expected):
    assert links(study, [row]) == [expected]


def test_a_funnel_row_leads_through_the_steps_up_to_it_by_the_same_rules(study):
    rows = [{"step": n, "event": event} for n, event in enumerate(("product_view", "cart", "purchase"), 1)]
    said = {"within": "7d", "order": "ordered", "exclude": []}
    assert links(study, rows, **said) == [
        ("event", "/rows?step=product_view&within=7d"),
        ("event", "/rows?step=product_view&step=cart&within=7d"),
        ("event", "/rows?step=product_view&step=cart&step=purchase&within=7d"),
    ]
    # Without a parameter of steps, a step is only a number.
    assert links(study, rows, function=split)[1] == ("event", "/rows?event=cart")


def test_steps_in_any_order_have_no_events_to_lead_to(study):
    assert links(study, [{"step": 1, "event": "any 1 of 2", "customers": 4}], order="any") == [None]


def test_a_group_narrows_by_the_column_that_was_asked_for(study):
    row = {"group": "mobile", "step": 1, "event": "cart", "customers": 4}
    address = "/rows?segment={}%3Adevice%3Dmobile&step=cart&counted=4"
    assert links(study, [row], by="device", touch="first") == [("customers", address.format("first"))]
    assert links(study, [row], by="device", touch="last") == [("customers", address.format("last"))]
    assert links(study, [{"group": "(none)", "customers": 4}], by="device") == [None]


def test_a_path_is_collapsed_as_it_was_asked_for(study):
    address = "/rows?path=cart&path=purchase&collapse=true"
    assert links(study, [{"path": "cart > purchase"}], collapse=True) == [("path", address)]


def test_a_column_that_was_chosen_goes_by_its_own_name(study):
    assert links(study, [{"model": "last", "channel": "mobile"}], channel="device") == [
        ("channel", "/rows?has=device%3Dmobile")
    ]


def test_the_part_of_the_log_is_kept(study):
    query = "segment=did:cart&since=2024-02-01"
    (found,) = links(study, [{"event": "cart"}], query)
    assert found == ("event", "/rows?segment=did%3Acart&since=2024-02-01&event=cart")
    assert links(study, [{"month": "2024-01"}], query) == [None]


def test_an_address_is_read_as_it_was_written(study):
    for row in (
        {"event": "cart", "customers": 7},
        {"source": "cart", "target": "purchase"},
        {"channel": "=cmd()"},
    ):
        ((_, address),) = links(study, [row])
        assert behind(QueryParams(address.partition("?")[2])).link() == address
