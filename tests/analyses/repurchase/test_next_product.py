"""What each customer buys next: by hand, by a plain oracle, on public baskets and on the simulated company."""

from collections import defaultdict

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.demo import SCHEMA, Company, journey, records
from wayfare.domain.journey import JourneyMap
from wayfare.errors import InvalidParameter
from wayfare.study import Study


def log_of(rows: list[tuple], **more: str) -> wf.Log:
    """Order lines as (customer, day, product, category, quantity, value)."""
    names = ["customer", "day", "product", "category", "quantity", "value"]
    frame = pd.DataFrame(rows, columns=names).assign(event="purchase")
    frame["time"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["day"], unit="D")
    columns = {name: name for name in ("product", "category", "quantity", "value")}
    return wf.read_events(frame, customer="customer", time="time", event="event", **columns, **more)


def shop(seed: int, customers: int = 150) -> list[tuple]:
    rng = np.random.default_rng(seed)
    kinds = {"beans": "coffee", "pods": "coffee", "mug": "ware", "pot": "ware", "syrup": "extras"}
    rows = []
    for customer in range(customers):
        usual = rng.choice(list(kinds))
        for number in range(rng.integers(1, 7)):
            bought = {usual} if rng.random() < 0.8 else set()
            bought |= set(rng.choice(list(kinds), rng.integers(1, 3)))
            rows += [
                (f"c{customer:03d}", number * 20 + rng.integers(0, 9), p, kinds[p], 1, 10.0)
                for p in sorted(bought)
            ]
    return rows


@pytest.fixture(scope="module")
def company() -> Study:
    table = pa.Table.from_batches(list(records(Company())), schema=SCHEMA)
    columns = {name: name for name in SCHEMA.names if name not in ("customer", "time", "event")}
    log = wf.read_events(table, customer="customer", time="time", event="event", **columns)
    return Study(log, JourneyMap(**journey()))


def test_by_hand():
    rows = [("ann", day, "beans", "coffee", 1, 8.0) for day in (0, 30, 60, 90)]
    rows += [
        ("ann", 90, "pods", "coffee", 1, 6.0),
        ("bob", 80, "pods", "coffee", 2, 12.0),
        ("bob", 85, "mug", "ware", 1, 9.0),
    ]
    rows += [("bob", 85, "gift", "extras", 1, 0.0)]
    result = wf.next_product(log_of(rows), k=2)
    shown = [
        (r["customer"], r["rank"], r["product"], r["kind"], r["reason"], r["price"])
        for r in result.products.to_pylist()
    ]
    assert shown == [
        ("ann", 1, "beans", "repeat", "In 4 of 4 orders.", 8.0),
        ("ann", 2, "pods", "repeat", "In 1 of 4 orders.", 6.0),
        ("ann", 3, "beans", "bulk", "In 100% of orders, about every 30 days: three at once would do.", 8.0),
        ("bob", 1, "pods", "repeat", "In 1 of 2 orders.", 6.0),
        ("bob", 2, "mug", "repeat", "In 1 of 2 orders.", 9.0),
    ]
    assert result.products["gain"].to_pylist()[2] == 16
    assert result.findings[0].text.startswith(
        "Too few to say how well the next order can be guessed: 1 customer has"
    )
    assert [row["n"] for row in result.models.to_pylist()] == [1] * 6


def test_personal_frequency_against_a_plain_loop():
    rows = shop(1)
    models = wf.next_product(log_of(rows)).to_pandas("models").set_index("model")
    orders = defaultdict(lambda: defaultdict(set))
    for customer, day, product, *_ in rows:
        orders[customer][day].add(product)
    recalls = []
    for theirs in orders.values():
        days = sorted(theirs)
        if len(days) < 3:
            continue
        counts = defaultdict(int)
        for day in days[:-1]:
            for product in theirs[day]:
                counts[product] += 1
        named = sorted(counts, key=lambda p: (-counts[p], p))[:1]  # a third of five products
        recalls.append(len(theirs[days[-1]] & set(named)) / len(theirs[days[-1]]))
    assert models.loc["personal", "n"] == len(recalls)
    assert models.loc["personal", "recall"] == pytest.approx(np.mean(recalls))
    spread = 1.959964 * np.std(recalls, ddof=1) / np.sqrt(len(recalls))
    assert models.loc["personal", "high"] == pytest.approx(np.mean(recalls) + spread, abs=1e-6)


def test_the_best_on_the_orders_held_out_is_taken():
    models = wf.next_product(log_of(shop(2))).to_pandas("models")
    assert models["chosen"].sum() == 1
    assert models.loc[models["chosen"], "recall"].item() == models["recall"].max()


def test_what_leads_to_what_against_a_plain_loop():
    rows = shop(3)
    found = {
        (r["category_from"], r["category_to"]): r
        for r in wf.next_product(log_of(rows)).cross_sell.to_pylist()
    }
    orders = defaultdict(lambda: defaultdict(set))
    for customer, day, _, category, *_ in rows:
        orders[customer][day].add(category)
    for one, other in [("coffee", "ware"), ("extras", "coffee")]:
        risk, came, who = [0, 0], [0, 0], 0
        for theirs in orders.values():
            had, at_risk = set(), False
            for number, day in enumerate(sorted(theirs)):
                if number and other not in had:
                    risk[one in had] += 1
                    came[one in had] += other in theirs[day]
                    at_risk |= one in had
                had |= theirs[day]
            who += at_risk
        row = found[one, other]
        assert row["customers"] == who
        assert row["rate"] == pytest.approx(came[1] / risk[1])
        lift = (came[1] / risk[1]) / (came[0] / risk[0])
        assert row["lift"] == (pytest.approx(lift) if min(came) >= 10 else None)


def test_the_planted_grinder(company):
    result = wf.next_product(company)
    row = next(
        r
        for r in result.cross_sell.to_pylist()
        if (r["category_from"], r["category_to"]) == ("espresso", "grinder")
    )
    # truths.yaml: .08 after espresso and .02 after filter. Some espresso drinkers began with filter, so that kinds had
    # before are not the first coffee, and the ratio of 4 is watered down.
    assert 2.5 < row["low"] < row["high"] < 4.5
    offered = result.to_pandas().query("kind == 'cross_sell' and product == 'grinder_hand'")
    assert len(offered) > 3_000
    bought = set(
        zip(*(result.to_pandas().query("kind == 'repeat'")[c] for c in ("customer", "product")), strict=True)
    )
    assert not bought & set(zip(offered["customer"], offered["product"], strict=True))


def test_dearer_ones_are_of_the_same_kind():
    rows = [(f"c{n}", day, "beans", "coffee", 1, 10.0) for n in range(40) for day in (0, 20, 40)]
    rows += [(f"c{n}", 40, what, kind, 1, value) for n in range(20) for what, kind, value in
             [("reserve", "coffee", 15.0), ("pot", "ware", 15.0), ("crown", "coffee", 99.0)]]  # fmt: skip
    offers = wf.next_product(Study(log_of(rows), currency="CHF"), k=1).to_pandas().query("kind == 'up_sell'")
    assert sorted(offers["customer"]) == sorted(f"c{n}" for n in range(20, 40))
    assert set(offers["product"]) == {"reserve"}
    assert set(offers["reason"]) == {"Costs CHF 5.00 more than beans, and is bought by the same customers."}
    assert set(offers["gain"]) == {5.0}


def test_fewer_customers_named():
    result = wf.next_product(log_of(shop(4)), k=1, customers=10)
    everybody = wf.next_product(log_of(shop(4)), k=1)
    assert len(set(result.products["customer"].to_pylist())) == 10
    assert result.models == everybody.models
    named = set(result.products["customer"].to_pylist())
    assert [
        row for row in everybody.products.to_pylist() if row["customer"] in named
    ] == result.products.to_pylist()


def test_another_column_says_what_is_bought():
    result = wf.next_product(log_of(shop(4)), item="category", k=1)
    assert set(result.products["product"].to_pylist()) <= {"coffee", "ware", "extras"}
    with pytest.raises(InvalidParameter, match="1 or more"):
        wf.next_product(log_of(shop(4)), k=0)


def test_no_products():
    frame = pd.DataFrame({"customer": ["a"], "time": ["2024-01-01"], "event": ["purchase"]})
    result = wf.next_product(wf.read_events(frame, customer="customer", time="time", event="event"))
    assert "no column 'product'" in result.findings[0].text
    assert {name: table.num_rows for name, table in result.tables.items()} == {
        "products": 0,
        "models": 0,
        "cross_sell": 0,
    }


def test_block_cuts_change_nothing():
    log = log_of(shop(5))
    whole = wf.next_product(log).to_dict()["tables"]
    assert wf.next_product(in_blocks(log, 11)).to_dict()["tables"] == whole


@pytest.mark.slow
def test_online_retail(shared_data):
    frame = pd.read_parquet(shared_data / "online_retail" / "online_retail.parquet").dropna(
        subset="CustomerID"
    )
    frame["event"] = np.where(frame["InvoiceNo"].str.startswith("C"), "refund", "purchase")
    frame["value"], frame["CustomerID"] = (
        frame["Quantity"] * frame["UnitPrice"],
        frame["CustomerID"].astype(str),
    )
    log = wf.read_events(
        frame, customer="CustomerID", time="InvoiceDate", event="event", order="InvoiceNo", product="StockCode",
        quantity="Quantity", value="value",
    )  # fmt: skip
    models = wf.next_product(log).to_pandas("models").set_index("model")
    # REFERENCE.md, Re-purchase, next basket: customers with three invoices or more of lines with quantity and price
    assert (models["n"] == 2_010).all()
    assert models["recall"].max() >= 0.205
    assert models.loc["personal", "recall"] == pytest.approx(0.183, abs=0.002)
    assert models.loc["personal, popular first", "recall"] == pytest.approx(0.205, abs=0.002)
    assert models.loc["TIFU-KNN", "recall"] == pytest.approx(0.201, abs=0.002)


def complete_journey(shared_data):
    folder = shared_data / "complete_journey"
    lines = pd.read_parquet(folder / "transactions_sample.parquet").assign(event="purchase")
    kinds = pd.read_parquet(folder / "products.parquet")[["product_id", "product_type"]]
    return wf.read_events(
        lines.merge(kinds, on="product_id", how="left"), customer="household_id", time="transaction_timestamp", event="event",
        order="basket_id", product="product_id", quantity="quantity", value="sales_value", product_type="product_type",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.xfail(
    strict=True, reason="the published .150 needs whole baskets; the sample of lines holds .067"
)
def test_complete_journey_reaches_the_published_recall_by_product(shared_data):
    # REFERENCE.md: recall@10 .150, most popular .081, repeat share .395: five times as many repeats as hits of the most
    # popular. The sample's 75,000 lines, 1.6 a basket, leave .052 and .083 to .108, whatever counts as a basket (id, day,
    # week, month) and however many a customer must have (2, 3, 5, 10); nor does any other column give both figures
    # (product_type .142 and .217, product_category .264 and .349, by basket of customers with three). They seem to be
    # those of all lines, of which this is a part: a basket without most of its lines repeats little.
    assert wf.next_product(complete_journey(shared_data)).to_pandas("models")["recall"].max() >= 0.150


@pytest.mark.slow
def test_complete_journey_by_product_type(shared_data):
    log = complete_journey(shared_data)
    assert wf.next_product(log, item="product_type").to_pandas("models")["recall"].max() >= 0.150
    by_product = wf.next_product(log).to_pandas("models").set_index("model")
    assert by_product["recall"].idxmax() == "personal, popular first"
    assert by_product["recall"].max() > by_product.loc["personal", "recall"]
