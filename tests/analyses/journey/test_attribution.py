"""Attribution: published figures, a case by hand, and a plain-Python oracle over random histories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.analyses.journey.attribution import MODELS, AttributionResult
from wayfare.charts.picture import VegaPicture
from wayfare.errors import InvalidParameter, UnknownName

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2024-01-01")


def read(rows, columns=("customer", "time", "event", "channel", "value")):
    frame = pd.DataFrame(rows, columns=list(columns))
    extra = {name: name for name in columns[3:]}
    return wf.read_events(frame, customer="customer", time="time", event="event", **extra)


def credited(result, model, column="conversions"):
    rows = result.credit.to_pylist()
    return {row["channel"]: row[column] for row in rows if row["model"] == model}


@pytest.fixture(scope="module")
def journeys(shared_data):
    """The published paths, one customer a journey: its touches an hour apart, then the conversion if it had one."""
    paths = pd.read_csv(shared_data / "channel_attribution" / "pathdata.csv.gz", sep=None, engine="python")
    touches = [np.array(path.split(" > ")) for path in paths["path"]]
    won, lost = paths["total_conversions"].to_numpy(int), paths["total_null"].to_numpy(int)
    value = paths["total_conversion_value"].to_numpy() / np.maximum(won, 1)
    which = np.repeat(np.arange(len(paths)), won + lost)
    converts = np.arange(which.size) - np.repeat(np.cumsum(won + lost) - won - lost, won + lost) < won[which]
    length = np.array([len(path) for path in touches])
    flat, first = np.concatenate(touches), np.concatenate([[0], np.cumsum(length)])
    rows = length[which] + converts
    journey = np.repeat(np.arange(which.size), rows)
    position = np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows)
    ends = position == length[which][journey]
    place = np.where(ends, 0, first[which[journey]] + position)
    frame = pd.DataFrame(
        {
            "customer": journey.astype(str),
            "time": START + pd.to_timedelta(position, unit="h"),
            "event": np.where(ends, "purchase", "touch"),
            "channel": np.where(ends, None, flat[np.minimum(place, flat.size - 1)].astype(object)),
            "value": np.where(ends, value[which[journey]], np.nan),
        }
    )
    return wf.read_events(
        frame, customer="customer", time="time", event="event", channel="channel", value="value"
    )


# channel_attribution, order 1, exact closed form: shared/REFERENCE.md.
EFFECTS = {
    "alpha": 0.558399, "iota": 0.405835, "eta": 0.349026, "beta": 0.264039, "theta": 0.206010, "lambda": 0.134022,
    "epsilon": 0.062639, "zeta": 0.039811, "kappa": 0.028663, "gamma": 0.017880, "delta": 0.000482, "mi": 0.000180,
}  # fmt: skip


def test_channel_attribution_has_its_published_figures(journeys):
    result = wf.attribution(journeys)
    assert credited(result, "first")["alpha"] == 6308
    assert credited(result, "last")["alpha"] == 8447
    assert credited(result, "linear")["alpha"] == pytest.approx(7574.72, abs=0.005)
    effects = credited(result, "markov", "removal_effect")
    assert {channel: round(effect, 6) for channel, effect in effects.items()} == EFFECTS
    markov = credited(result, "markov")
    # The reference rounds iota's 3884.6147 up.
    for channel, expected in {"alpha": 5344.95, "iota": 3884.62, "kappa": 274.36}.items():
        assert markov[channel] == pytest.approx(expected, abs=0.006)
    paths = {row["kind"]: row["paths"] for row in result.paths.to_pylist()}
    assert (paths["converted"], paths["untouched"], paths["not converted"]) == (19_785, 0, 68_602)


def test_each_model_shares_all_conversions_and_all_value(journeys):
    result = wf.attribution(journeys)
    for model in MODELS:
        assert sum(credited(result, model).values()) == pytest.approx(19_785, abs=1e-6)
        assert sum(credited(result, model, "value").values()) == pytest.approx(74_802.97, abs=0.01)
    assert set(credited(result, "shapley", "standard_error").values()) == {0.0}


def test_last_touch_overvalues_alpha_in_the_finding_and_its_interval_holds_the_gap(journeys):
    result = wf.attribution(journeys)
    gap = {row["channel"]: row for row in result.gaps.to_pylist()}["alpha"]
    assert gap["difference"] == pytest.approx(8447 - 5344.95, abs=0.01)
    assert gap["low"] < gap["difference"] < gap["high"]
    assert "gives alpha 3,102 conversions" in result.findings[0].text
    # Credit that moves from one channel to another is nothing won or lost, so that it does not rank with what is.
    assert result.findings[0].money is None


BY_HAND = [
    # Two orders: paths search > mail > mail and social; then a null path of one search.
    ("a", START, "visit", "search", None),
    ("a", START + 7 * DAY, "visit", "mail", None),
    ("a", START + 14 * DAY, "visit", "mail", None),
    ("a", START + 14 * DAY, "purchase", "mail", 60.0),
    ("a", START + 20 * DAY, "visit", "social", None),
    ("a", START + 21 * DAY, "purchase", None, 40.0),
    ("a", START + 300 * DAY, "visit", "search", None),
    # No touch within 90 days of the order.
    ("b", START, "visit", "search", None),
    ("b", START + 200 * DAY, "purchase", None, 10.0),
]


def test_paths_by_hand():
    result = wf.attribution(read(BY_HAND))
    assert credited(result, "first") == {"search": 1, "social": 1, "(none)": 1, "mail": 0}
    assert credited(result, "last") == {"mail": 1, "social": 1, "(none)": 1, "search": 0}
    assert credited(result, "last", "value") == {"mail": 60, "social": 40, "(none)": 10, "search": 0}
    linear = credited(result, "linear")
    assert linear["search"] == pytest.approx(1 / 3)
    assert linear["mail"] == pytest.approx(2 / 3)
    assert credited(result, "u_shaped")["mail"] == pytest.approx(0.2 + 0.4)
    # Weights 1/4, 1/2 and 1 at two, one and no half-lives of seven days.
    assert credited(result, "time_decay")["search"] == pytest.approx(1 / 7)
    # Without mail or social one of two conversions is lost, and so is mail's when search, before it, is gone.
    effects = credited(result, "markov", "removal_effect")
    assert {name: effects[name] for name in ("mail", "search", "social")} == pytest.approx(
        {"mail": 0.5, "search": 0.5, "social": 0.5}
    )
    paths = {row["kind"]: (row["paths"], row["value"]) for row in result.paths.to_pylist()}
    assert paths == {
        "converted": (3, 110.0),
        "untouched": (1, 10.0),
        "not converted": (1, None),
        "open": (1, None),
    }


def test_only_first_conversions_leave_later_touches_out():
    result = wf.attribution(read(BY_HAND), scope="first", models=("linear",))
    assert credited(result, "linear") == pytest.approx({"mail": 2 / 3, "search": 1 / 3, "(none)": 1})


def test_touches_of_one_visit_collapse():
    result = wf.attribution(read(BY_HAND), collapse="8d", models=("linear",))
    assert credited(result, "linear") == pytest.approx({"mail": 0.5, "search": 0.5, "social": 1, "(none)": 1})


def test_another_conversion_and_chosen_touches():
    rows = [
        ("a", START, "view", "search", None),
        ("a", START + DAY, "ad", "mail", None),
        ("a", START + 2 * DAY, "signup", "mail", None),
        ("a", START + 3 * DAY, "view", "mail", None),
    ]
    result = wf.attribution(read(rows), conversion="signup", events=("view",), models=("first", "last"))
    assert credited(result, "last") == {"search": 1, "mail": 0}


def test_what_follows_a_purchase_by_nature_is_no_touch():
    rows = [
        ("a", START, "visit", "search", None),
        ("a", START + DAY, "purchase", "search", 5.0),
        ("a", START + 2 * DAY, "refund", "search", -5.0),
        ("a", START + 3 * DAY, "purchase", "search", 5.0),
    ]
    assert credited(wf.attribution(read(rows)), "last") == {"search": 1, "(none)": 1}


def test_cost_a_conversion_and_return():
    columns = ("customer", "time", "event", "channel", "value", "cost")
    rows = [
        ("a", START, "visit", "paid", None, 2.0),
        ("a", START + DAY, "purchase", None, 30.0, None),
        ("b", START, "visit", "paid", None, 4.0),
        ("c", START, "visit", "free", None, None),
        ("c", START + DAY, "purchase", None, 10.0, None),
    ]
    result = wf.attribution(read(rows, columns), models=("last",))
    found = {row["channel"]: row for row in result.credit.to_pylist()}
    assert (found["paid"]["cost"], found["paid"]["cost_per_conversion"], found["paid"]["return"]) == (6, 6, 5)
    assert np.isnan(found["free"]["cost"])


histories = st.lists(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(["purchase", "red", "green", "blue", "none"])),
        min_size=1,
        max_size=9,
    ),
    min_size=1,
    max_size=8,
)


def oracle(customers, lookback, every):
    """Each path as (channels with ages in days, value or None): one loop over the rows of each customer."""
    paths = []
    for number, history in enumerate(customers):
        touches, orders = [], 0
        for day, what in sorted(history, key=lambda row: row[0]):
            if what == "purchase":
                if every or orders == 0:
                    paths.append(([(c, day - d) for d, c in touches if day - d <= lookback], 1.0 + number))
                orders += 1
                touches = []
            elif what != "none":
                touches.append((day, what))
        if touches and (every or orders == 0):
            last = touches[-1][0]
            paths.append(([(c, last - d) for d, c in touches if last - d <= lookback], None))
    return paths


def shares(path, model):
    n = len(path)
    if model == "first":
        return [1.0 if i == 0 else 0.0 for i in range(n)]
    if model == "last":
        return [1.0 if i == n - 1 else 0.0 for i in range(n)]
    if model == "linear":
        return [1 / n] * n
    if model == "u_shaped":
        return [0.4] + [0.2 / (n - 2)] * (n - 2) + [0.4] if n > 2 else [1 / n] * n
    weights = [0.5 ** (age / 7) for _, age in path]
    return [weight / sum(weights) for weight in weights]


@settings(max_examples=40)
@given(histories, st.sampled_from([5, 20, 90]), st.booleans())
def test_every_rule_is_that_of_a_plain_loop_however_blocks_are_cut(customers, lookback, every):
    rows = []
    for number, history in enumerate(customers):
        days = {}
        for day, what in history:  # one order a day, so that each purchase row is an order
            if not (what == "purchase" and days.get(day)):
                rows.append((f"c{number}", START + day * DAY, what, day))
                days[day] = days.get(day) or what == "purchase"
    if not rows:
        return
    kept = [[(d, w) for c, _, w, d in rows if c == f"c{number}"] for number in range(len(customers))]
    log = read(
        [
            (
                c,
                t,
                "purchase" if w == "purchase" else "visit",
                None if w in ("purchase", "none") else w,
                1.0 + int(c[1:]),
            )
            for c, t, w, _ in rows
        ]
    )
    study = wf.Study(log, wf.JourneyMap())
    options = {"lookback": f"{lookback}d", "scope": "every" if every else "first"}
    whole = wf.attribution(study, **options)
    parts = wf.attribution(replace(study, log=in_blocks(log, 2)), **options)
    paths = oracle(kept, lookback, every)
    for model in ("first", "last", "linear", "u_shaped", "time_decay"):
        conversions, value = {}, {}
        for path, worth in paths:
            if worth is not None:
                named = (
                    zip([c for c, _ in path], shares(path, model), strict=True) if path else [("(none)", 1.0)]
                )
                for channel, share in named:
                    conversions[channel] = conversions.get(channel, 0.0) + share
                    value[channel] = value.get(channel, 0.0) + share * worth
        for result in (whole, parts):
            found = {k: v for k, v in credited(result, model).items() if v > 0}
            assert found == pytest.approx({k: v for k, v in conversions.items() if v > 0})
            assert sum(credited(result, model, "value").values()) == pytest.approx(sum(value.values()))
    assert sum(1 for _, worth in paths if worth is None) == whole.paths["paths"][2].as_py()
    assert whole.to_json() == parts.to_json()


def test_many_channels_are_sampled_and_the_rare_ones_joined():
    rng = np.random.default_rng(3)
    rows = []
    for customer in range(600):
        visited = [f"ch{int(channel**2 / 60):02d}" for channel in rng.integers(0, 60, rng.integers(1, 5))]
        rows += [
            (f"c{customer}", START + step * DAY, "visit", channel, None)
            for step, channel in enumerate(visited)
        ]
        if rng.random() < 0.4:
            rows.append((f"c{customer}", START + 10 * DAY, "purchase", None, 20.0))
    result = wf.attribution(read(rows), models=("linear", "shapley"))
    shapley, error = credited(result, "shapley"), credited(result, "shapley", "standard_error")
    assert len(shapley) == 41
    assert "(other)" in shapley
    assert sum(shapley.values()) == pytest.approx(sum(credited(result, "linear").values()))
    assert max(error.values()) > 0


@pytest.mark.parametrize("order", [1, 2, 3])
def test_markov_of_each_order_adds_up(journeys, order):
    result = wf.attribution(journeys, models=("markov",), order=order)
    assert sum(credited(result, "markov").values()) == pytest.approx(19_785)


@pytest.mark.parametrize(
    "rows",
    [[], [("a", START, "purchase", None, 5.0)], [("a", START, "visit", "mail", None)]],
    ids=["empty", "one order", "one touch"],
)
def test_next_to_nothing_is_too_few_to_say(rows):
    frame = pd.DataFrame(rows, columns=["customer", "time", "event", "channel", "value"])
    frame = frame.astype({"customer": "string", "event": "string", "channel": "string", "value": float})
    frame["time"] = pd.to_datetime(frame["time"])
    result = wf.attribution(
        wf.read_events(
            frame, customer="customer", time="time", event="event", channel="channel", value="value"
        )
    )
    assert "too few to say" in result.findings[0].text
    assert AttributionResult.from_dict(result.to_dict()).to_dict() == result.to_dict()
    result.chart()


def test_channels_that_earn_alike_are_named_no_more_often_than_chance_allows():
    # 15 channels drawn alike: naming any of them is a false alarm; at 5% by Holm, at most 5 of 40 logs (binomial, p = .95).
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = []
        for customer in range(200):
            time = START
            for _ in range(rng.integers(1, 8)):
                time += pd.Timedelta(hours=float(rng.exponential(72)))
                order = rng.random() < 0.25
                rows.append(
                    (
                        f"{customer}",
                        time,
                        "purchase" if order else "visit",
                        None if order else f"c{rng.integers(15):02}",
                        1.0,
                    )
                )
        result = wf.attribution(read(rows), models=("last",))
        alarms += "agree on every channel" not in result.findings[0].text
    assert alarms <= 5


def test_money_spent_without_a_conversion_is_told_and_never_lost():
    columns = ("customer", "time", "event", "channel", "value", "cost")
    rows = []
    for i in range(40):
        rows += [
            (f"{i}", START, "visit", "old", None, 2.0),
            (f"{i}", START + 100 * DAY, "visit", "mail", None, None),
        ]
        rows += [
            (f"{i}", START + 101 * DAY, "purchase", None, 5.0, None),
            (f"n{i}", START, "visit", "ads", None, 1.0),
        ]
    result = wf.attribution(read(rows, columns))
    # 40 touches of 2 each came too early to count, and 40 of 1 each led to nothing: 80 and 40 spent.
    assert credited(result, "markov") == {"mail": 40, "ads": 0, "old": 0}
    assert credited(result, "markov", "cost") == {
        "mail": pytest.approx(np.nan, nan_ok=True),
        "ads": 40,
        "old": 80,
    }
    told = [finding for finding in result.findings if "cost" in finding.text]
    assert [finding.text for finding in told] == [
        "old cost EUR 80 and earned no conversion by the Markov model."
    ]
    assert told[0].money == 80


def test_a_log_without_channels_says_so():
    frame = pd.DataFrame(
        {"customer": ["a", "a"], "time": [START, START + DAY], "event": ["visit", "purchase"]}
    )
    result = wf.attribution(wf.read_events(frame, customer="customer", time="time", event="event"))
    assert credited(result, "last") == {"(none)": 1}
    assert "no column 'channel'" in result.findings[0].text
    assert np.isnan(credited(result, "last", "value")["(none)"])


def test_wrong_models_and_orders_are_named():
    log = read(BY_HAND)
    with pytest.raises(UnknownName, match="no attribution model 'lats'"):
        wf.attribution(log, models=("lats",))
    with pytest.raises(InvalidParameter, match="order of 4"):
        wf.attribution(log, order=4)


def test_the_picture_shows_both_views(journeys):
    picture = wf.attribution(journeys).chart()
    assert isinstance(picture, VegaPicture)
    assert "last 8,447 · Markov 5,345" in picture.svg()


def test_a_part_of_a_conversion_is_not_called_none():
    # 30 paths a > b > order, 270 of b alone without one. Of 300 visits of b a tenth convert; without a (a tenth of the
    # starts) .9 of that is left, without b nothing: effects .1 and 1, credit 30/11 = 2.7 and 300/11 = 27.3; last 0 and 30.
    rows = []
    for i in range(270):
        if i < 30:
            rows += [(f"{i}", START, "visit", "a", None), (f"{i}", START + DAY, "visit", "b", None)]
            rows += [(f"{i}", START + 2 * DAY, "purchase", None, 1.0)]
        rows += [(f"n{i}", START, "visit", "b", None)]
    result = wf.attribution(read(rows), models=("last", "markov"))
    assert credited(result, "markov") == {"a": pytest.approx(30 / 11), "b": pytest.approx(300 / 11)}
    assert result.findings[-1].text.startswith(
        "Last touch gives a 2.7 conversions (EUR 3) too few: 0 against 2.7 by"
    )
