"""Personas: planted ones are found and named, alike customers stay one group, outcomes are counted and never leak."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.analyses.satisfaction.personas import PersonasResult, personas
from wayfare.errors import InvalidParameter, UnknownName

DAY = pd.Timedelta("1D")
START = pd.Timestamp("2024-01-01", tz="UTC")
KINDS = {
    # share, hours, weekend, device mobile, touchpoints with their chances, orders again after the window
    "evening": (0.5, (18, 23), 0.2, 0.9, {"product_view": 0.7, "search": 0.2, "coupon_used": 0.1}, 0.2),
    "store": (0.3, (10, 16), 0.6, 0.1, {"store_visit": 0.8, "product_view": 0.1, "support_chat": 0.1}, 0.6),
    "reader": (0.2, (6, 9), 0.1, 0.5, {"newsletter_open": 0.7, "recipe_read": 0.3}, 0.4),
}


def simulated(customers: int, *, alike: bool = False, seed: int = 3, visits: float = 6) -> pd.DataFrame:
    """Customers of three kinds (*simulated*): visits in 80 days, an order for all, another for some after day 100."""
    rng = np.random.default_rng(seed)
    rows = []
    for c in range(customers):
        kind = str(rng.choice(list(KINDS), p=[k[0] for k in KINDS.values()]))
        start = START + rng.integers(0, 100) * DAY
        again = KINDS[kind][5]
        for visit in range(2 + rng.poisson(visits)):
            if alike:  # what a visit is like hangs on the visit, and not on who comes
                kind = str(rng.choice(list(KINDS), p=[k[0] for k in KINDS.values()]))
            _, (early, late), weekend, mobile, chances, _ = KINDS[kind]
            day = rng.integers(0, 80) if visit else 0
            day += (5 - (start + day * DAY).weekday()) % 7 if rng.random() < weekend else 0
            at = start + int(min(day, 85)) * DAY + pd.Timedelta(hours=int(rng.integers(early, late)))
            device = "mobile" if rng.random() < mobile else "desktop"
            channel = "app" if device == "mobile" else "web"  # goes with the device: no evidence of groups
            events = rng.choice(list(chances), 1 + rng.poisson(1), p=list(chances.values()))
            rows += [
                (f"c{c:04d}", at + pd.Timedelta(minutes=i), e, device, channel, None)
                for i, e in enumerate(events)
            ]
        rows.append((f"c{c:04d}", start + 20 * DAY, "purchase", None, None, 30.0))
        if rng.random() < again:
            rows.append((f"c{c:04d}", start + 100 * DAY, "purchase", None, None, 50.0))
    rows.append(("z_last", START + 400 * DAY, "product_view", "mobile", "app", None))
    return pd.DataFrame(rows, columns=["customer", "time", "event", "device", "channel", "value"])


def log_of(frame: pd.DataFrame, **columns: str) -> wf.Log:
    named = {"device": "device", "channel": "channel", "value": "value", **columns}
    return wf.read_events(frame, customer="customer", time="time", event="event", **named)


@cache
def frame() -> pd.DataFrame:
    return simulated(600)


@cache
def found() -> PersonasResult:
    return personas(log_of(frame()))


def truth(customers: int = 600, seed: int = 3) -> list[str]:
    """Which kind each customer is of, read off what only that kind does most."""
    own = {"store_visit": "store", "newsletter_open": "reader", "recipe_read": "reader"}
    kinds = simulated(customers, seed=seed).assign(kind=lambda f: f["event"].map(own))
    return kinds[kinds["customer"] != "z_last"].groupby("customer")["kind"].agg(
        lambda k: k.mode()[0] if k.notna().any() else "evening"
    ).tolist()  # fmt: skip


def assigned(result: PersonasResult) -> list[str]:
    table = result.to_pandas("customers")
    return table[table["customer"] != "z_last"].sort_values("customer")["persona"].tolist()


def test_planted_personas_are_found():
    result = found()
    assert result.personas.num_rows == 3
    assert adjusted_rand_score(truth(), assigned(result)) > 0.8
    cards = result.to_pandas()
    assert (cards["stability"] > 0.9).all()
    # Truth: shares of .5, .3 and .2, and .2, .6 and .4 of them order again.
    for share, card in zip([0.5, 0.3, 0.2], cards.itertuples(), strict=True):
        assert card.share_low - 0.03 < share < card.share_high + 0.03
    for rate, card in zip([0.2, 0.6, 0.4], cards.itertuples(), strict=True):
        assert card.low < rate < card.high
    chosen = result.to_pandas("models").query("chosen")
    assert chosen["k"].tolist() == [3]
    assert chosen["stability"].item() > 0.9


def test_they_are_called_by_what_they_do():
    # Store visitors come from 10 to 16, nine times of ten on the desktop (so the web); readers from 6 to 9, 10 % at weekends.
    assert found().personas["persona"].to_pylist() == [
        "Evening app browsers",
        "Afternoon web store visitors",
        "Morning weekday newsletter readers",
    ]


def test_traits_carry_their_evidence():
    traits = found().to_pandas("traits")
    store = found().personas["persona"][1].as_py()
    row = traits[(traits["persona"] == store) & (traits["trait"] == "store_visit")].iloc[0]
    assert row["kind"] == "behaviour"
    known = traits[traits["lift"].notna()]
    assert (known["low"] <= known["lift"]).all()
    assert (known["high"].fillna(np.inf) >= known["lift"]).all()
    assert ((known["low"] > 1) | (known["high"] < 1)).all()
    assert (known["lift"] * known["others"]).tolist() == pytest.approx(known["share_or_mean"].tolist())
    assert f"{row['share_or_mean']:.0%} of their steps on a visit" in row["evidence"]
    assert traits[traits["trait"] == "support_chat"]["kind"].tolist()[:1] == ["need"]
    assert traits[traits["trait"] == "coupon_used"]["kind"].tolist()[:1] == ["motivation"]
    assert set(traits["kind"]) <= {"behaviour", "preference", "need", "motivation", "attribute"}
    assert "store_visit" in found().personas["typical_path"][1].as_py()
    assert found().personas["favourite_touchpoint"][1].as_py() == "store_visit"


def test_alike_customers_are_one_group():
    # Here visits are of three kinds, and device and channel go together on each: habits of visits, not of customers.
    result = personas(log_of(simulated(600, alike=True)))
    assert result.personas["persona"].to_pylist() == ["All customers"]
    assert result.findings[0].text.startswith("No personas: customers don't fall into groups")
    assert result.traits.num_rows == 0
    assert set(assigned(result)) == {"All customers"}
    assert result.chart() is None


@pytest.mark.parametrize("permuted", ["later orders", "values", "first orders' customers"])
def test_outcomes_do_not_leak(permuted: str):
    changed = frame().copy()
    rng = np.random.default_rng(8)
    begun = changed.groupby("customer")["time"].transform("min")
    late = (changed["time"] - begun >= 90 * DAY) & (changed["event"] == "purchase")
    if permuted == "later orders":
        changed.loc[late, "customer"] = rng.permutation(changed.loc[late, "customer"])
        # an order may now lie within its new customer's window, or before it
        begun_at = frame().groupby("customer")["time"].min()
        changed.loc[late, "time"] = changed.loc[late, "customer"].map(begun_at) + 100 * DAY
    elif permuted == "values":
        changed["value"] = changed["value"] * rng.gamma(1, 2, len(changed))
    else:
        changed.loc[changed["event"] == "purchase", "event"] = "purchase"
        changed.loc[late, "event"] = "order_cancelled"
    again = personas(log_of(changed))
    assert assigned(again) == assigned(found())


def test_another_seed_finds_the_same():
    other = personas(log_of(frame()), seed=11)
    assert adjusted_rand_score(assigned(other), assigned(found())) > 0.95
    assert personas(log_of(frame())).to_dict() == found().to_dict()


def test_blocks_and_order_of_rows_do_not_matter():
    cut = personas(in_blocks(log_of(frame().sample(frac=1, random_state=1)), 50))
    assert assigned(cut) == assigned(found())
    assert cut.to_pandas()["value"].tolist() == pytest.approx(found().to_pandas()["value"].tolist())


def test_kept_as_an_attribute_they_are_segments_and_no_feature():
    log = log_of(frame()).with_attributes(found().customers.select(["customer", "persona"]))
    assert assigned(personas(log)) == assigned(found())
    name = found().personas["persona"][2].as_py()
    part = personas(log.where(f"persona={name}"))
    assert part.personas["customers"].to_pylist() == [found().personas["customers"][2].as_py()]


def test_customers_own_columns_make_personas():
    rng = np.random.default_rng(4)
    kind = rng.random(600) < 0.4
    flip = [kind ^ (rng.random(600) < 0.05) for _ in range(4)]
    known = pd.DataFrame(
        {
            "customer": [f"c{c:04d}" for c in range(600)],
            "town": np.where(flip[0], "Gent", "Breda"),
            "tier": np.where(flip[1], "gold", "blue"),
            "age": np.where(flip[2], 60, 25) + rng.normal(0, 3, 600),
            "member": flip[3],
        }
    )
    log = log_of(simulated(600, alike=True)).with_attributes(known)
    result = personas(log)
    assert result.personas.num_rows == 2
    assert adjusted_rand_score(kind, assigned(result)) > 0.8
    traits = result.to_pandas("traits")
    assert {"town: Gent", "tier: gold", "member: yes"} <= set(traits["trait"])
    assert set(traits[traits["trait"] == "tier: gold"]["kind"]) == {"attribute"}
    fewer = personas(log, without=("town", "tier", "age", "member"))
    assert fewer.personas.num_rows == 1


def test_answers_say_needs_and_motivations():
    rng = np.random.default_rng(6)
    kinds = truth()
    asked = pd.DataFrame(
        [
            (f"c{c:04d}", START + 250 * DAY, "survey_answer", q, "choice", a)
            for c, kind in enumerate(kinds)
            for q, a in (
                ("why_us", "price" if (kind == "evening") ^ (rng.random() < 0.1) else "advice"),
                ("need_most", "speed" if (kind == "store") ^ (rng.random() < 0.1) else "choice of goods"),
            )
        ],
        columns=["customer", "time", "event", "question", "question_kind", "answer"],
    )
    log = log_of(
        pd.concat([frame(), asked]), question="question", question_kind="question_kind", answer="answer"
    )
    traits = personas(log).to_pandas("traits")
    spoken = traits[traits["lift"] > 1].set_index("trait")["kind"].to_dict()
    assert spoken["why_us: price"] == "motivation"
    assert spoken["need_most: speed"] == "need"


def test_outcomes_by_hand():
    # Window and horizon of 10 days, log until day 40. Customers 0 to 11 order on day 2; 0 to 4 again on day 12 for
    # 60, 5 on day 25 (after the horizon), 6 on day 5 (within the window). 12 orders on day 15 alone, for 20. 13 starts on
    # day 30: its horizon is not over.
    rows = [(f"c{c:02d}", 0, "visit", None) for c in range(13)]
    rows += [(f"c{c:02d}", 2, "purchase", 40.0) for c in range(12)]
    rows += [(f"c{c:02d}", 12, "purchase", 60.0) for c in range(5)]
    rows += [("c05", 25, "purchase", 60.0), ("c06", 5, "purchase", 60.0), ("c12", 15, "purchase", 20.0)]
    rows += [("c13", 30, "visit", None), ("c13", 31, "purchase", 9.0), ("c13", 40, "visit", None)]
    table = pd.DataFrame(rows, columns=["customer", "day", "event", "value"])
    table["time"] = START + table["day"] * DAY
    log = wf.read_events(table, customer="customer", time="time", event="event", value="value")
    card = personas(log, window="10d", horizon="10d").personas.to_pylist()[0]
    assert (card["customers"], card["n_repurchase"], card["n_value"]) == (14, 12, 13)
    assert card["repurchase_rate"] == pytest.approx(5 / 12)
    assert card["value"] == pytest.approx((5 * 60 + 20) / 13)
    assert card["typical_path"] == "visit → purchase"


def test_findings_say_who_orders_again():
    said = [finding.text for finding in found().findings]
    assert said[0].startswith(
        "601 customers fall into 3 personas; the largest, “Evening app browsers”, are 50% of them."
    )
    assert re.search(
        r"Of those who ordered in their first \S+ \w+, \d+% of “Afternoon web store visitors”", said[1]
    )
    assert said[2].startswith("“Afternoon web store visitors” spend most after that: EUR ")
    alike = personas(log_of(frame().query("event != 'purchase' or value == 30")))
    assert "0% to 0% of each persona order again" in alike.findings[1].text
    assert alike.findings[1].text.endswith("they don't differ clearly.")


def test_too_few_customers():
    few = frame()[frame()["customer"] < "c0040"]
    result = personas(log_of(few))
    assert "Too few to say whether there are personas: 40 customers" in result.findings[0].text
    assert result.personas["customers"].to_pylist() == [40]


def test_the_picture_names_them_all():
    picture = found().chart()
    assert picture is not None
    for name in found().personas["persona"].to_pylist():
        assert name in picture.alt
        assert name.split()[0] in picture.svg()
    assert "Order again" in picture.svg()


@pytest.mark.parametrize(
    ("said", "error", "match"),
    [({"most": 0}, InvalidParameter, "most"), ({"without": ("colour",)}, UnknownName, "colour")],
)
def test_what_is_refused(said: dict[str, object], error: type[Exception], match: str):
    with pytest.raises(error, match=match):
        personas(log_of(frame()), **said)
