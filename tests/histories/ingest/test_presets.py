"""Presets: each on an export in its own form; the retail figures are those of data/README.md and of the UCI data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.histories.ingest.rows import events_of, summed
from wayfare.errors import BadInput, InvalidParameter, UnknownName
from wayfare.histories.ingest import Mapping, ingest, load_preset, presets, quarantine
from wayfare.histories.store import open_sealed


def short(rows: list[dict], *keys: str) -> list[tuple]:
    return [tuple(row[key] for key in keys) for row in rows]


def test_every_preset_can_be_loaded_and_says_what_it_reads():
    assert {info.name for info in presets()} >= {
        "segment", "shopify-orders", "stripe-charges", "ga4", "woocommerce-orders", "online-retail", "xes", "csv-process-log",
        "aggregated-paths", "order-lines",
    }  # fmt: skip
    for info in presets():
        assert info.about.endswith(".")
        assert info.expects
        assert set(load_preset(info.name).shown().columns) >= {"customer", "time", "event"}


def test_unknown_and_broken_presets(tmp_path: Path):
    with pytest.raises(UnknownName, match="shopify-orders"):
        load_preset("shopify")
    for text, said in (
        ("rows: 5", "needs `rows`"), ("rowz: []", "rowz"), ("- a", "settings"), ("{", "no YAML"),
        ("rows: [{customer: A, time: B}]", "does not say event"), ("rows: [{customer: A, time: B, event: {sql: drop}}]", "not an expression"),
        ("rows: [{customer: A, time: B, event: E, when: {column: A, like: x}}]", "not a condition"),
    ):  # fmt: skip
        (tmp_path / "p.yaml").write_text(text)
        with pytest.raises((BadInput, UnknownName), match=said):
            load_preset(str(tmp_path / "p.yaml"))
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BadInput, match="no column") as caught:
        ingest(tmp_path / "log", [str(tmp_path / "a.csv")], preset="stripe-charges")
    assert "leave --preset out" in caught.value.hint  # --map can't stand beside a preset
    with pytest.raises(InvalidParameter):
        ingest(
            tmp_path / "log",
            [str(tmp_path / "a.csv")],
            preset="stripe-charges",
            mapping=Mapping.parse(customer="a"),
        )


def test_anyone_can_add_one(tmp_path: Path):
    (tmp_path / "mine.yaml").write_text("""
name: mine
about: A shop of our own.
expects: [who]
rows:
  - customer: {lower: who}
    time: {join: [day, hour], with: " "}
    event: {when: {any: [{column: kind, equals: [B, buy]}, {column: total, above: 5}]}, then: {constant: purchase}, else: kind}
    value: {quotient: [{sum: [total, tax]}, {constant: 100}]}
    order: {stripped: "#", of: number}
    campaign: {before: "@", of: who}
    referrer: {after: "@", of: who}
properties: none
""")
    (tmp_path / "a.csv").write_text(
        "who,day,hour,kind,total,tax,number\nAnn@x,2024-01-01,10:00,b,100,21,#7\nBob@y,2024-01-01,11:00,look,,,\n"
    )
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")], preset=str(tmp_path / "mine.yaml")))
    keys = ("customer", "time", "event", "value", "order", "campaign", "referrer")
    assert short(events_of(tmp_path / "log"), *keys) == [
        ("ann@x", "2024-01-01T10:00:00+00:00", "purchase", 1.21, "7", "Ann", "x"),
        ("bob@y", "2024-01-01T11:00:00+00:00", "look", None, None, "Bob", "y"),
    ]


def test_shopify(tmp_path: Path):
    (tmp_path / "orders.csv").write_text(
        "Name,Email,Financial Status,Currency,Refunded Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem discount,Cancelled at,Source\n"
        "#1001,a@x.org,partially_refunded,EUR,5.00,2024-01-15 10:23:45 -0500,2,Mug,10.00,MUG,1.00,,web\n"
        "#1001,a@x.org,,,,2024-01-15 10:23:45 -0500,1,Tea,4.50,TEA,0,,\n"
        "#1002,b@x.org,paid,USD,0.00,2024-01-16 09:00:00 -0500,1,Tea,4.50,TEA,0,,pos\n"
    )
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "orders.csv")], preset="shopify-orders"))
    assert summary.rows_read == 4
    assert short(
        events_of(tmp_path / "log"), "customer", "time", "event", "order", "product", "quantity", "value"
    ) == [
        ("a@x.org", "2024-01-15T15:23:45+00:00", "purchase", "#1001", "MUG", 2, 19.0),
        ("a@x.org", "2024-01-15T15:23:45+00:00", "refund", "#1001", None, None, -5.0),
        ("a@x.org", "2024-01-15T15:23:45+00:00", "purchase", "#1001", "TEA", 1, 4.5),
        ("b@x.org", "2024-01-16T14:00:00+00:00", "purchase", "#1002", "TEA", 1, 4.5),
    ]
    assert any("USD" in note for note in summary.notes)


def test_shopify_fills_only_the_first_line_of_an_order(tmp_path: Path):
    (tmp_path / "orders.csv").write_text(
        "Name,Email,Phone,Financial Status,Refunded Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Cancelled at\n"
        "#1,,+31612345678,paid,0,2024-01-15 10:00:00 +0000,1,Mug,10,,\n#1,,,,,2024-01-15 10:00:00 +0000,2,Tea,5,,\n"
        "#2,b@x.org,,voided,0,2024-01-16 10:00:00 +0000,1,Mug,10,,2024-01-17 10:00:00 +0000\n#2,b@x.org,,,,2024-01-16 10:00:00 +0000,1,Tea,5,,\n"
    )
    summed(ingest(tmp_path / "log", [str(tmp_path / "orders.csv")], preset="shopify-orders"))
    assert short(events_of(tmp_path / "log"), "customer", "event", "order", "product", "value") == [
        ("+31612345678", "purchase", "#1", "Mug", 10.0), ("+31612345678", "purchase", "#1", "Tea", 10.0),
        # Never paid: no money came in, and none went back.
        ("b@x.org", "order_cancelled", "#2", "Mug", None), ("b@x.org", "order_cancelled", "#2", "Tea", None),
    ]  # fmt: skip


def test_stripe_payments_that_did_not_end(tmp_path: Path):
    (tmp_path / "payments.csv").write_text(
        'id,Created date (UTC),Amount,Amount Refunded,Currency,Customer ID,Status\nch_1,2024-01-01 10:00,"1234,50","30,00",eur,cus_1,Paid\n'
        'ch_2,2024-01-02 10:00,"9,00","0,00",eur,cus_1,canceled\nch_3,2024-01-03 10:00,"9,00","0,00",eur,cus_1,Uncaptured\n'
    )
    summed(ingest(tmp_path / "log", [str(tmp_path / "payments.csv")], preset="stripe-charges"))
    assert short(events_of(tmp_path / "log"), "event", "value") == [
        ("purchase", 1234.5), ("refund", -30.0), ("payment_canceled", None), ("payment_uncaptured", None),
    ]  # fmt: skip


def test_stripe(tmp_path: Path):
    (tmp_path / "payments.csv").write_text(
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Customer ID,Status\n"
        "ch_1,2024-01-01 10:00:00,20.00,0.00,eur,cus_1,Paid\nch_2,2024-01-02 10:00:00,30.00,30.00,eur,cus_1,Refunded\n"
        "ch_3,2024-01-03 10:00:00,9.00,0.00,eur,cus_2,Failed\nch_4,2024-01-03 10:00:00,9.00,0.00,eur,,Paid\n"
        "ch_5,2024-01-03 10:00:00,9.00,0.00,eur,cus_2,Unheard of\nch_1,2024-01-01 10:00:00,20.00,0.00,eur,cus_1,Paid\n"
    )
    summary = summed(
        ingest(tmp_path / "log", [str(tmp_path / "payments.csv")], preset="stripe-charges", zone="Asia/Tokyo")
    )
    assert (summary.rows_read, summary.kept, summary.duplicates) == (7, 4, 1)
    assert summary.reasons == {"no customer": 1, "nothing to record in this line": 1}
    assert short(events_of(tmp_path / "log"), "customer", "time", "event", "value") == [
        ("cus_1", "2024-01-01T10:00:00+00:00", "purchase", 20.0), ("cus_1", "2024-01-02T10:00:00+00:00", "purchase", 30.0),
        ("cus_1", "2024-01-02T10:00:00+00:00", "refund", -30.0), ("cus_2", "2024-01-03T10:00:00+00:00", "payment_failed", None),
    ]  # fmt: skip
    again = summed(quarantine.rerun(tmp_path / "log"))
    assert (again.rows_read, again.kept) == (2, 0)


def test_woocommerce(tmp_path: Path):
    (tmp_path / "orders.csv").write_text(
        "Order Number,Order Status,Order Date,Email (Billing),Item Name,Quantity,Item Cost\n"
        "1,Completed,2024-01-01 10:00,a@x.org,Mug,2,10\n2,Refunded,2024-01-02 10:00,a@x.org,Tea,1,4.5\n3,Cancelled,2024-01-03 10:00,b@x.org,Tea,1,4.5\n"
    )
    summed(ingest(tmp_path / "log", [str(tmp_path / "orders.csv")], preset="woocommerce-orders"))
    assert short(events_of(tmp_path / "log"), "customer", "event", "value") == [
        ("a@x.org", "purchase", 20.0), ("a@x.org", "purchase", 4.5), ("a@x.org", "refund", -4.5), ("b@x.org", "order_cancelled", None),
    ]  # fmt: skip


def test_woocommerce_guests_are_different_people(tmp_path: Path):
    (tmp_path / "orders.csv").write_text(
        "order_id,order_date,status,order_total,customer_id,customer_email\n1,2024-01-01 10:00,completed,35.5,0,a@x.org\n"
        "2,2024-01-02 10:00,completed,20,0,b@x.org\n3,2024-01-03 10:00,processing,10,7,c@x.org\n"
    )
    summed(ingest(tmp_path / "log", [str(tmp_path / "orders.csv")], preset="woocommerce-orders"))
    assert short(events_of(tmp_path / "log"), "customer", "value") == [
        ("7", 10.0),
        ("a@x.org", 35.5),
        ("b@x.org", 20.0),
    ]


def test_woocommerce_analytics(tmp_path: Path):
    (tmp_path / "orders.csv").write_text(
        "Date,Order #,Status,Customer,Product(s),Items sold,N. Revenue\n"
        "2024-01-05 10:00:00,11,completed,Ann Lee,Mug,3,45\n2024-01-06 10:00:00,12,refunded,Ann Lee,,0,-5\n"
    )
    summed(ingest(tmp_path / "log", [str(tmp_path / "orders.csv")], preset="woocommerce-orders"))
    assert short(events_of(tmp_path / "log"), "event", "order", "value") == [
        ("purchase", "11", 45.0),
        ("refund", "12", -5.0),
    ]


def test_a_refund_takes_money_back_whatever_its_sign_in_the_file(tmp_path: Path):
    (tmp_path / "a.csv").write_text(
        "order_id,customer_id,order_date,qty,total,status\n1,a,2024-01-01,1,-3,returned\n2,a,2024-01-02,-1,3,done\n3,a,2024-01-03,1,3,returned\n"
    )
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")], preset="order-lines"))
    assert short(events_of(tmp_path / "log"), "event", "value") == [("refund", -3.0)] * 3


def test_order_lines(tmp_path: Path):
    (tmp_path / "a.csv").write_text(
        "order_id,customer_id,order_date,sku,qty,price,status\n1,007,2024-01-01,A,2,3,done\n1,007,2024-01-02,A,-1,3,done\n1,007,2024-01-03,A,1,3,returned\n"
    )
    summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")], preset="order-lines"))
    assert short(events_of(tmp_path / "log"), "event", "quantity", "value") == [
        ("purchase", 2, 6),
        ("refund", -1, -3),
        ("refund", 1, -3),
    ]


def test_segment(tmp_path: Path):
    calls = [
        {
            "type": "track",
            "event": "Product Viewed",
            "userId": "u1",
            "messageId": "m1",
            "timestamp": "2024-01-01T10:00:00Z",
            "properties": {"sku": "A", "plan": "pro", "n": 1},
        },
        # Segment: timestamp = receivedAt - (sentAt - originalTimestamp): 10:00:10 - (12:00:05 - 12:00:00) = 10:00:05
        {
            "type": "page",
            "name": "Home",
            "anonymousId": "an1",
            "userId": None,
            "messageId": "m2",
            "originalTimestamp": "2024-01-01T12:00:00Z",
            "sentAt": "2024-01-01T12:00:05Z",
            "receivedAt": "2024-01-01T10:00:10Z",
            "context": {"campaign": {"medium": "email"}},
        },
        {
            "type": "track",
            "event": "Order Completed",
            "userId": "u1",
            "messageId": "m3",
            "timestamp": "2024-01-01T11:00:00Z",
            "properties": {
                "order_id": "o1",
                "revenue": 9,
                "products": [{"sku": "A", "price": 2, "quantity": 2}, {"product_id": "B", "price": 5}],
            },
        },
        {
            "type": "track",
            "event": "Order Refunded",
            "userId": "u1",
            "messageId": "m4",
            "timestamp": "2024-01-02T11:00:00Z",
            "properties": {"order_id": "o1", "total": 9},
        },
        {"type": "identify", "userId": "u1", "messageId": "m5", "timestamp": "2024-01-02T12:00:00Z"},
    ]
    (tmp_path / "calls.jsonl").write_text("\n".join(json.dumps(call) for call in [*calls, calls[0]]))
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "calls.jsonl")], preset="segment"))
    assert (summary.rows_read, summary.kept, summary.duplicates) == (7, 6, 1)
    rows = events_of(tmp_path / "log")
    assert short(rows, "customer", "time", "event", "product", "value", "channel", "plan", "n") == [
        ("an1", "2024-01-01T10:00:05+00:00", "page Home", None, None, "email", None, None),
        ("u1", "2024-01-01T10:00:00+00:00", "Product Viewed", "A", None, None, "pro", 1.0),
        ("u1", "2024-01-01T11:00:00+00:00", "purchase", "A", 4.0, None, None, None),
        ("u1", "2024-01-01T11:00:00+00:00", "purchase", "B", 5.0, None, None, None),
        ("u1", "2024-01-02T11:00:00+00:00", "refund", None, -9.0, None, None, None),
        ("u1", "2024-01-02T12:00:00+00:00", "identify", None, None, None, None, None),
    ]
    again = summed(ingest(tmp_path / "log", [str(tmp_path / "calls.jsonl")], preset="segment"))
    assert (again.kept, again.duplicates) == (0, 7)


def test_products_without_a_price_do_not_multiply_the_order(tmp_path: Path):
    call = {
        "type": "track",
        "event": "Order Completed",
        "userId": "u1",
        "messageId": "m1",
        "timestamp": "2024-01-01T11:00:00Z",
    }
    order = {"order_id": "o1", "revenue": 9, "products": [{"sku": "A"}, {"sku": "B"}, {"sku": "C"}]}
    (tmp_path / "calls.jsonl").write_text(json.dumps({**call, "properties": order}))
    summed(ingest(tmp_path / "segment", [str(tmp_path / "calls.jsonl")], preset="segment"))
    items = [{"item_id": "A", "price": None, "quantity": 1}, {"item_id": "B", "price": None, "quantity": 1}]
    (tmp_path / "ga4.jsonl").write_text(json.dumps({**GA4[1], "items": items}))
    summed(ingest(tmp_path / "ga4", [str(tmp_path / "ga4.jsonl")], preset="ga4"))
    for name, rows in (("segment", 3), ("ga4", 2)):
        values = [row["value"] for row in events_of(tmp_path / name)]
        assert (len(values), sum(value or 0 for value in values)) == (rows, 9.0)


def test_every_product_of_an_order_that_was_mended_is_kept(tmp_path: Path):
    call = {
        "type": "track",
        "event": "Order Completed",
        "messageId": "m1",
        "timestamp": "2024-01-01T11:00:00Z",
    }
    order = {"order_id": "o1", "products": [{"sku": "A", "price": 4}, {"sku": "B", "price": 5}]}
    seen = {**call, "event": "Product Viewed", "userId": "u1", "messageId": "m2"}
    (tmp_path / "calls.jsonl").write_text("\n".join(map(json.dumps, ({**call, "properties": order}, seen))))
    assert ingest(tmp_path / "log", [str(tmp_path / "calls.jsonl")], preset="segment").quarantined == 2
    quarantine.export(tmp_path / "log", tmp_path / "mend.csv")
    frame = pd.read_csv(tmp_path / "mend.csv", dtype=str)
    frame.assign(userId="u1").to_csv(tmp_path / "mend.csv", index=False)
    again = summed(quarantine.rerun(tmp_path / "log", tmp_path / "mend.csv"))
    assert (again.kept, again.duplicates) == (2, 0)
    assert sum(row["value"] or 0 for row in events_of(tmp_path / "log")) == 9.0


GA4 = [
    {"event_timestamp": 1704103200000000, "event_name": "page_view", "user_pseudo_id": "1.2", "user_id": None, "platform": "WEB",
     "event_params": [{"key": "ga_session_id", "value": {"string_value": None, "int_value": 77}}, {"key": "page_location", "value": {"string_value": "https://x.org/", "int_value": None}}],
     "device": {"category": "mobile"}, "traffic_source": {"medium": "cpc", "name": "spring"}, "ecommerce": {"transaction_id": None, "purchase_revenue": None}, "items": []},
    {"event_timestamp": 1704103260000000, "event_name": "purchase", "user_pseudo_id": "1.2", "user_id": None, "platform": "WEB",
     "event_params": [{"key": "ga_session_id", "value": {"string_value": None, "int_value": 77}}], "device": {"category": "mobile"},
     "traffic_source": {"medium": "cpc", "name": "spring"}, "ecommerce": {"transaction_id": "t1", "purchase_revenue": 9.0},
     "items": [{"item_id": "A", "price": 2.0, "quantity": 2}, {"item_id": "B", "price": 5.0, "quantity": 1}]},
]  # fmt: skip


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_ga4(tmp_path: Path, form: str):
    path = tmp_path / ("a.jsonl" if form == "json" else "a.parquet")
    if form == "json":
        path.write_text(
            "\n".join(json.dumps({**row, "event_timestamp": str(row["event_timestamp"])}) for row in GA4)
        )
    else:
        pq.write_table(pa.Table.from_pylist(GA4), path)
    summary = summed(ingest(tmp_path / "log", [str(path)], preset="ga4"))
    assert summary.rows_read == 3
    rows = events_of(tmp_path / "log")
    assert short(
        rows, "customer", "time", "event", "session", "channel", "order", "product", "value", "device"
    ) == [
        ("1.2", "2024-01-01T10:00:00+00:00", "page_view", "1.2.77", "cpc", None, None, None, "mobile"),
        ("1.2", "2024-01-01T10:01:00+00:00", "purchase", "1.2.77", "cpc", "t1", "A", 4.0, "mobile"),
        ("1.2", "2024-01-01T10:01:00+00:00", "purchase", "1.2.77", "cpc", "t1", "B", 5.0, "mobile"),
    ]
    assert rows[0]["page"] == "https://x.org/"


def test_online_retail(tmp_path: Path, shared_data: Path):
    source = str(shared_data / "online_retail" / "online_retail.parquet")
    summary = summed(ingest(tmp_path / "log", [source], preset="online-retail"))
    assert (summary.rows_read, summary.quarantined, summary.customers) == (541_909, 135_080, 4_372)
    assert summary.reasons == {"no customer": 135_080}
    assert (summary.first[:16], summary.last[:16]) == ("2010-12-01T08:26", "2011-12-09T12:50")
    rows = pd.DataFrame(events_of(tmp_path / "log"))
    paid = rows[(rows.quantity > 0) & (rows.value > 0)]
    assert (len(paid), paid.customer.nunique(), paid.order.nunique()) == (397_884, 4_338, 18_532)
    assert round(paid.value.sum(), 2) == 8_911_407.90
    refunds = rows[rows.event == "refund"]
    assert refunds.order.str.startswith("C").all()
    assert (refunds.value <= 0).all()
    aside = quarantine.rows(tmp_path / "log")
    orders = [json.loads(row)["InvoiceNo"] for row in aside["row"].to_pylist()]
    # Published: 9,288 cancellation lines, 25,900 invoices
    assert len(refunds) + sum(order.startswith("C") for order in orders) == 9_288
    assert len({*rows.order, *orders}) == 25_900


def test_online_retail_without_its_repeated_lines(tmp_path: Path, shared_data: Path):
    source = str(shared_data / "online_retail" / "online_retail.parquet")
    summary = summed(ingest(tmp_path / "log", [source], preset="online-retail", dedupe_rows=True))
    # Published: 5,268 exact duplicate lines. 43 of them have no customer: a line is found to be double before it is
    # found to be unusable, so those are no longer in the quarantine.
    assert (summary.rows_read, summary.duplicates, summary.quarantined) == (541_909, 5_268, 135_080 - 43)


def test_aggregated_paths(tmp_path: Path, shared_data: Path):
    source = str(shared_data / "channel_attribution" / "pathdata.csv.gz")
    summary = summed(ingest(tmp_path / "log", [source], preset="aggregated-paths"))
    counts = {event.name: event.count for event in summary.events}
    assert counts["purchase"] == 19_785
    assert summary.customers - counts["purchase"] == 68_602
    log = open_sealed(tmp_path / "log")
    channels, events = log.names("channel").to_list(), log.names("event").to_list()
    first = dict.fromkeys(channels, 0)
    last = dict.fromkeys(channels, 0)
    for index in range(log.blocks):
        block = log.read(index, ("customer", "time", "event", "channel"))
        bought = np.flatnonzero(block["event"] == events.index("purchase"))
        for row in bought:
            first[channels[block["channel"][block.starts[block.owner[row]]]]] += 1
            last[channels[block["channel"][row - 1]]] += 1
    assert (first["alpha"], last["alpha"]) == (6_308, 8_447)  # REFERENCE.md, attribution


def test_paths_with_a_decimal_comma_or_half_a_journey(tmp_path: Path):
    (tmp_path / "a.csv").write_text(
        'path,conversions,value,nulls\na > b,2,"10,50",1\nc,1.5,"3,00",0\nd,1,much,0\n'
    )
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")], preset="aggregated-paths"))
    assert summary.quarantined == 2
    assert sum(row["value"] or 0 for row in events_of(tmp_path / "log")) == 10.5


def test_paths_without_journeys_are_quarantined(tmp_path: Path):
    (tmp_path / "a.csv").write_text(
        "path,total_conversions,total_conversion_value,total_null\na > b,2,10,1\nc,0,0,0\n,1,1,1\n"
    )
    summary = summed(ingest(tmp_path / "log", [str(tmp_path / "a.csv")], preset="aggregated-paths"))
    assert (summary.kept, summary.reasons) == (8, {"no customer": 2})
    assert sum(row["value"] or 0 for row in events_of(tmp_path / "log")) == 10
