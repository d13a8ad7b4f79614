from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from tests.analyses.kano.shoppers import START, read, rows_of, shoppers
from tests.analyses.kano.surveys import pair_rows
from wayfare.errors import InvalidParameter

ASKED = {
    "delivery": {"M": 150, "O": 60, "I": 60, "A": 30},
    "price": {"O": 150, "M": 60, "A": 60, "I": 30},
    "surprise": {"A": 150, "O": 60, "I": 90},
    "gift wrap": {"A": 120, "I": 180},
}


def with_kano(frame: pd.DataFrame) -> pd.DataFrame:
    rows = [row for feature, counts in ASKED.items() for row in pair_rows(feature, counts, time="2024-06-01")]
    asked = pd.DataFrame(rows)
    asked["time"] = pd.to_datetime(asked["time"])
    return pd.concat([frame, asked], ignore_index=True)


@pytest.fixture(scope="module")
def log():
    return read(with_kano(shoppers(1500)))


@pytest.fixture(scope="module")
def result(log):
    return wf.kano_priorities(log, costs=("delivery=10000", "surprise=5000"))


def test_must_haves_come_first_then_satisfiers_then_delighters(result):
    rows = result.priorities.to_pylist()
    assert [(row["rank"], row["feature"], row["category"], row["basis"]) for row in rows] == [
        (1, "delivery", "M", "asked"), (2, "price", "O", "asked"), (3, "surprise", "A", "asked"),
        (4, "gift wrap", "I", "asked"), (5, "logo", "I", "derived"),
    ]  # fmt: skip
    assert rows[3]["unhappy"] is None
    assert rows[3]["note"].startswith("nobody rated it")
    assert result.findings[0].text.startswith("Delivery comes first: it is a must-have, and ")
    assert result.findings[0].money == rows[0]["value_at_stake"]


def test_the_value_at_stake_is_that_of_a_plain_count(result):
    """Unhappy × difference × worth, by pandas; bands of orders before as the docstring says."""
    frame = shoppers(1500)
    wide = frame[frame["event"] == "survey_answer"].pivot_table(
        index="customer", columns="question", values="score"
    )
    asked = frame[frame["event"] == "survey_answer"].groupby("customer")["time"].first()
    orders = frame[frame["event"] == "purchase"].assign(asked=lambda f: f["customer"].map(asked))
    before = (
        orders[orders["time"] <= orders["asked"]].groupby("customer").size().reindex(wide.index, fill_value=0)
    )
    later = orders[
        (orders["time"] > orders["asked"]) & (orders["time"] <= orders["asked"] + pd.Timedelta(days=90))
    ]
    value = later.groupby("customer")["value"].sum().reindex(wide.index)
    band = pd.cut(before, [-1, 0, 1, 3, 99], labels=False)
    unhappy = wide["delivery"] <= 2
    gap, weights = 0.0, 0
    for number in set(band):
        here = band == number
        if min((here & unhappy).sum(), (here & ~unhappy).sum()) >= 5:
            weight = (here & unhappy).sum()
            gap += weight * (value[here & ~unhappy].notna().mean() - value[here & unhappy].notna().mean())
            weights += weight
    row = rows_of(result.priorities, "feature")[("delivery",)]
    assert row["unhappy"] == unhappy.sum()
    assert row["rated"] == len(wide)
    assert row["repurchase_difference"] == pytest.approx(gap / weights)
    assert row["value_at_stake"] == pytest.approx(unhappy.sum() * gap / weights * value.mean())
    assert row["value_per_cost"] == pytest.approx(row["value_at_stake"] / 10_000)
    assert row["repurchase_difference_low"] > 0.2
    assert row["value_at_stake_low"] < row["value_at_stake"] < row["value_at_stake_high"]


def test_margin_takes_its_part(log, result):
    half = wf.kano_priorities(log, margin=0.5)
    a, b = (rows_of(r.priorities, "feature")[("delivery",)]["value_at_stake"] for r in (result, half))
    assert b == pytest.approx(a / 2)


def test_within_a_class_what_is_left_after_the_cost_decides(log):
    frame = with_kano(shoppers(1500))
    more = pair_rows("logo", {"M": 200, "I": 100}, time="2024-06-01")
    frame = pd.concat([frame, pd.DataFrame(more).assign(time=pd.Timestamp("2024-06-01"))], ignore_index=True)
    both = read(frame)
    first = wf.kano_priorities(both).priorities["feature"].to_pylist()[:2]
    dear = wf.kano_priorities(both, costs=("delivery=90000",)).priorities["feature"].to_pylist()[:2]
    assert (first, dear) == (["delivery", "logo"], ["logo", "delivery"])


def test_which_question_rates_a_feature(log):
    said = rows_of(wf.kano_priorities(log, ratings=("gift wrap=logo",)).priorities, "feature")
    assert said[("gift wrap",)]["question"] == "logo"
    assert ("logo",) not in said
    with pytest.raises(InvalidParameter) as error:
        wf.kano_priorities(log, ratings=("gift wrap=nothing",))
    assert "logo" in error.value.allowed


@pytest.mark.parametrize(
    "params",
    [{"costs": ("delivery",)}, {"costs": ("delivery=much",)}, {"costs": ("delivery=-3",)}, {"costs": ("delivery=nan",)},
     {"launches": ("surprise=soon",)}, {"places": ("surprise=nowhere",)}, {"launches": ("=2024-01-01",)}],
)  # fmt: skip
def test_what_is_stated_is_checked(log, params):
    with pytest.raises(InvalidParameter):
        wf.kano_priorities(log, **params)


# Launches


def launched(held_out: bool, lift: float = 0.2, customers: int = 1500, seed: int = 5) -> pd.DataFrame:
    """Everybody orders once; 30% order again within 30 days, before day 200 and held out; with it `lift` more."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 300, customers)
    out = rng.random(customers) < 0.3 if held_out else np.zeros(customers, dtype=bool)
    again = rng.random(customers) < 0.3 + lift * ((first >= 200) & ~out)
    names = np.array([f"c{i:04d}" for i in range(customers)])
    value = rng.gamma(8, 5, 2 * customers)
    days = np.concatenate([first, first[again] + rng.integers(1, 30, again.sum())])
    frame = pd.DataFrame({"customer": np.concatenate([names, names[again]]), "day": days, "event": "purchase",
                          "value": value[: len(days)], "group": np.concatenate([out, out[again]])})  # fmt: skip
    frame["group"] = np.where(frame["group"], "holdout", "treated")
    end = pd.DataFrame({"customer": ["zz"], "day": [400], "event": ["visit"]})
    frame = pd.concat([frame, end], ignore_index=True)
    return frame.assign(time=START + pd.to_timedelta(frame["day"], unit="D")).drop(columns="day")


LAUNCH = (START + pd.Timedelta(days=200)).date().isoformat()


def plain_launch(frame: pd.DataFrame, start: int, end: int, window: int, held_out: bool | None = None):
    """By a loop over customers: those whose first order of the stretch came, who ordered again, and for how much."""
    counts = []
    for _, mine in frame[frame["event"] == "purchase"].groupby("customer"):
        days = ((mine["time"] - START) / pd.Timedelta(days=1)).to_numpy()
        inside = days[(days >= start) & (days < end)]
        if not len(inside) or (held_out is not None and (mine["group"] == "holdout").any() != held_out):
            continue
        later = (days > inside.min()) & (days <= inside.min() + window)
        counts.append((later.any(), mine["value"].to_numpy()[later].sum()))
    return np.array(counts, dtype=float)


def test_before_and_after_a_launch():
    frame = launched(held_out=False)
    result = wf.kano_priorities(
        read(frame), launches=(f"surprise={LAUNCH}",), costs=("surprise=1000",), within="60d"
    )
    row = result.launches.to_pylist()[0]
    before, after = plain_launch(frame, 80, 140, 60), plain_launch(frame, 200, 260, 60)
    assert (row["customers_without"], row["customers_with"]) == (len(before), len(after))
    assert row["repurchase_without"] == pytest.approx(before[:, 0].mean())
    assert row["repurchase_change"] == pytest.approx(after[:, 0].mean() - before[:, 0].mean())
    assert row["repurchase_change_low"] < 0.2 < row["repurchase_change_high"]  # planted
    change = after[:, 1].mean() - before[:, 1].mean()
    error = np.sqrt(after[:, 1].var(ddof=1) / len(after) + before[:, 1].var(ddof=1) / len(before))
    assert row["value_change"] == pytest.approx(change)
    assert row["value_change_low"] == pytest.approx(change - 1.959964 * error)
    assert row["gain"] == pytest.approx(change * len(after))
    assert row["return_on_investment"] == pytest.approx((change * len(after) - 1000) / 1000)
    assert row["return_on_investment_low"] < row["return_on_investment"] < row["return_on_investment_high"]
    assert any(f.text.startswith(f"Since {LAUNCH} surprise has brought EUR ") for f in result.findings)


def test_against_those_held_out():
    frame = launched(held_out=True, customers=1500)
    log = read(frame)
    result = wf.kano_priorities(log, launches=(f"surprise={LAUNCH}",), holdout="group=holdout", within="60d")
    rows = rows_of(result.launches, "comparison")
    row = rows["holdout",]
    out, having = (
        plain_launch(frame, 200, 260, 60, held_out=True),
        plain_launch(frame, 200, 260, 60, held_out=False),
    )
    assert (row["customers_without"], row["customers_with"]) == (len(out), len(having))
    assert row["repurchase_change"] == pytest.approx(having[:, 0].mean() - out[:, 0].mean())
    assert row["repurchase_change_low"] < 0.2 < row["repurchase_change_high"]
    # Those held out stay out of the comparison with before.
    assert rows["before and after",]["customers_with"] == len(having)
    assert any("against those held out" in finding.text for finding in result.findings)
    cut = wf.kano_priorities(
        in_blocks(log, 97), launches=(f"surprise={LAUNCH}",), holdout="group=holdout", within="60d"
    )
    assert (
        cut.launches.column("customers_with").to_pylist()
        == result.launches.column("customers_with").to_pylist()
    )


def test_the_interval_of_a_launch_covers_the_planted_lift():
    covered = 0
    for seed in range(8):
        frame = launched(held_out=False, customers=600, seed=seed)
        row = wf.kano_priorities(read(frame), launches=(f"s={LAUNCH}",), within="60d").launches.to_pylist()[0]
        covered += row["repurchase_change_low"] < 0.2 < row["repurchase_change_high"]
    assert covered >= 6  # of 8 at 95% each: fewer has a chance of 0.6%


def test_a_launch_too_late_or_with_too_few():
    log = read(launched(held_out=False, customers=40))
    late = (START + pd.Timedelta(days=399)).date().isoformat()
    rows = wf.kano_priorities(
        log, launches=(f"late={late}", f"small={LAUNCH}"), within="60d"
    ).launches.to_pylist()
    assert rows[0]["note"] == "the window after it is not over yet"
    assert rows[1]["note"].startswith("under 30 customers")
    assert np.isnan(rows[1]["gain"]) or rows[1]["gain"] is None


# Where the next delighter belongs


def stay(counts: dict[str, list[tuple[str, float]]]) -> pd.DataFrame:
    rows = []
    for customer, steps in counts.items():
        for number, (event, score) in enumerate(steps):
            rows.append({"customer": customer, "time": START + pd.Timedelta(days=number), "event": event, "score": score,
                         "question": "mood" if event == "survey_answer" else None})  # fmt: skip
    return pd.DataFrame(rows)


def test_the_next_delighter_belongs_where_it_is_worst_and_none_is():
    nan, people = np.nan, {}
    for i in range(40):
        # Contentment 1 or 2 of 5 after a delivery, 4 after a product page; a third stop at the product page.
        people[f"a{i}"] = [("product_view", nan), ("survey_answer", 4.0), ("purchase", nan)]
        people[f"b{i}"] = [
            ("product_view", nan),
            ("purchase", nan),
            ("delivery", nan),
            ("survey_answer", 1.0 + i % 2),
        ]
        people[f"c{i}"] = [("product_view", nan)]
    people["z"] = [("ad_click", nan)] * 200
    frame = stay(people)
    log = read(frame)
    rows = rows_of(wf.kano_priorities(log).next_delighter, "stage")
    # (score − 1) / 4 on the scale from 1 to 5.
    assert rows["post_purchase",]["satisfaction"] == pytest.approx(0.125)
    assert rows["consideration",]["satisfaction"] == pytest.approx(0.75)
    assert rows["post_purchase",]["scores"] == rows["consideration",]["scores"] == 40
    assert rows["consideration",]["left"] == 40
    asked = pd.DataFrame(pair_rows("gift", {"A": 60, "I": 10}, time="2024-01-05")).assign(time=START)
    both = read(pd.concat([frame, asked], ignore_index=True))
    result = wf.kano_priorities(both, places=("gift=delivery",))
    rows = rows_of(result.next_delighter, "stage")
    assert rows["post_purchase",]["delighters"] == "gift"
    assert rows["post_purchase",]["rank"] is None
    assert rows["consideration",]["rank"] == 1
    assert "belongs at the stage consideration" in result.findings[-1].text
    unplaced = wf.kano_priorities(both)
    assert "say with `places` where gift is" in unplaced.findings[-1].text


def test_a_delighter_named_like_a_touchpoint_is_placed_there():
    asked = pd.DataFrame(pair_rows("Live Chat", {"A": 60}, time="2024-01-05")).assign(time=START)
    visits = pd.DataFrame({"customer": ["c00000"], "time": [START], "event": ["support_live_chat"]})
    named = pd.DataFrame(pair_rows("support live chat", {"A": 60}, time="2024-01-05")).assign(time=START)
    rows = wf.kano_priorities(read(pd.concat([asked, visits, named], ignore_index=True))).next_delighter
    assert "support live chat" in rows["delighters"].to_pylist()


def plain_mood(rows):
    """Of each stage: scores of answers by the last event before them; a loop over customers."""
    stages = {"product_view": "consideration", "delivery": "post_purchase"}
    found = {}
    for customer in {row["customer"] for row in rows}:
        last = None
        for row in sorted((r for r in rows if r["customer"] == customer), key=lambda r: r["time"]):
            if row["event"] != "survey_answer":
                last = row
            elif last is not None and last["event"] in stages:
                found.setdefault(stages[last["event"]], []).append(row["score"])
    return found


@given(seed=st.integers(0, 10_000))
@settings(max_examples=5)
def test_moods_against_a_plain_loop(seed):
    rng = np.random.default_rng(seed)
    rows = [
        {"customer": f"c{rng.integers(0, 9)}", "time": START + pd.Timedelta(minutes=i),
         "event": (event := str(rng.choice(["product_view", "delivery", "survey_answer"]))),
         "score": float(rng.integers(1, 6)) if event == "survey_answer" else np.nan}
        for i in range(40)
    ] + [{"customer": "s", "time": START, "event": "survey_answer", "score": s} for s in (1.0, 5.0)]  # fmt: skip
    expected = plain_mood(rows)
    for log in (read(pd.DataFrame(rows)), in_blocks(read(pd.DataFrame(rows)), 2)):
        found = rows_of(wf.kano_priorities(log).next_delighter, "stage")
        for stage in ("consideration", "post_purchase"):
            scores = expected.get(stage, [])
            assert found[stage,]["scores"] == len(scores)
            if scores:
                assert found[stage,]["satisfaction"] == pytest.approx((np.mean(scores) - 1) / 4)


def test_next_to_nothing():
    frame = pd.DataFrame({"customer": ["a"], "time": [START], "event": ["purchase"]})
    result = wf.kano_priorities(wf.read_events(frame, customer="customer", time="time", event="event"))
    assert result.priorities.num_rows == 0
    assert "too few to say" in result.findings[0].text
    assert result.chart() is None
    result.to_json()
