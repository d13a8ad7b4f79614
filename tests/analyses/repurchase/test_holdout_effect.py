"""What contacting added: planted effects are found, none is found where nobody acted, and by hand."""

import hashlib
from datetime import date

import numpy as np
import pandas as pd
import pytest

import wayfare as wf
from tests.analyses.cuts import in_blocks
from tests.analyses.repurchase.shops import read, steady_shop
from wayfare.analyses.repurchase._effects import effects_of
from wayfare.errors import InvalidParameter
from wayfare.study import Study

AT = pd.Timestamp("2024-01-15")
ASKED = {"holdout": 0.5, "at": AT.date(), "within": "60d"}


@pytest.fixture(scope="module")
def shop() -> pd.DataFrame:
    return steady_shop(customers=1500, days=500, seed=11)


def acted_on(shop: pd.DataFrame, chance: float) -> Study:
    """The shop where each customer whom the list of `AT` says to contact orders once more with some chance in the 60 days after."""
    before = Study(read(shop, value="value")).where(until=AT.date())
    listed = wf.opportunities(before, holdout=0.5).to_pandas()
    told = listed[(listed["action"] != "leave alone") & ~listed["holdout"]]
    rng = np.random.default_rng(3)
    moved = told.loc[rng.random(len(told)) < chance, "customer"]
    extra = pd.DataFrame({"customer": moved, "value": 20.0, "event": "purchase",
                          "time": AT + pd.to_timedelta(rng.integers(1, 50, len(moved)), unit="D")})  # fmt: skip
    return Study(read(pd.concat([shop, extra]), value="value"))


def test_a_planted_effect_is_found(shop):
    result = wf.holdout_effect(acted_on(shop, 0.2), **ASKED)
    rows = {row["action"]: row for row in result.effects.to_pylist()}
    whole = rows["all"]
    # One more order, worth 20, for a fifth of those contacted.
    assert whole["added_low"] < 0.2 * 20 < whole["added_high"]
    before = wf.holdout_effect(Study(read(shop, value="value")), **ASKED).effects.to_pylist()[0]
    assert whole["orders"] - before["orders"] == pytest.approx(0.2, abs=0.05)
    assert whole["orders_held_out"] == before["orders_held_out"]
    assert whole["rise_low"] > 0
    assert "which may be chance" not in result.findings[0].text
    assert min(whole["contacted"], whole["held_out"]) > 300
    assert result.chart() is not None


def test_where_nobody_acted_nothing_is_found(shop):
    study = Study(read(shop, value="value"))
    results = [wf.holdout_effect(study, salt=f"draw {number}", **ASKED) for number in range(8)]
    wholes = [result.effects.to_pylist()[0] for result in results]
    # 95 % intervals: at most one of eight draws is expected to miss, and two are let pass.
    assert sum(row["rise_low"] < 0 < row["rise_high"] for row in wholes) >= 6
    chance = [row["added_low"] < 0 < row["added_high"] for row in wholes]
    assert sum(chance) >= 6
    assert chance == ["which may be chance" in result.findings[0].text for result in results]


def test_the_table_by_hand(shop):
    study = Study(read(shop, value="value"))
    listed = wf.opportunities(study.where(until=AT.date()), holdout=0.5).to_pandas()
    after = shop[(shop["time"] >= AT) & (shop["time"] < AT + pd.Timedelta(days=60))]
    days = after.groupby("customer")["time"].nunique()
    money = after.groupby("customer")["value"].sum()
    for row in wf.holdout_effect(study, **ASKED).effects.to_pylist():
        mine = (
            listed[listed["action"] == row["action"]]
            if row["action"] != "all"
            else listed[listed["action"] != "leave alone"]
        )
        for suffix, out in (("", False), ("_held_out", True)):
            who = mine.loc[mine["holdout"] == out, "customer"]
            assert row["held_out" if out else "contacted"] == len(who)
            if len(who):
                orders = np.array([days.get(name, 0) for name in who])
                assert row[f"ordered{suffix}"] == pytest.approx((orders > 0).mean())
                assert row[f"orders{suffix}"] == pytest.approx(orders.mean())
                assert row[f"value{suffix}"] == pytest.approx(np.mean([money.get(name, 0.0) for name in who]))
        if row["rise"] is not None:
            # Katz et al. (1978): the standard error of the logarithm of a ratio of shares.
            a, b, n, m = row["ordered"], row["ordered_held_out"], row["contacted"], row["held_out"]
            half = 1.959964 * np.sqrt((1 - a) / (a * n) + (1 - b) / (b * m))
            assert row["rise_low"] == pytest.approx(a / b * np.exp(-half) - 1, rel=1e-5)
            assert row["rise_high"] == pytest.approx(a / b * np.exp(half) - 1, rel=1e-5)


def test_what_it_found_can_be_handed_to_the_next_list(shop):
    study = acted_on(shop, 0.2)
    texts = [
        row["measured"] for row in wf.holdout_effect(study, **ASKED).effects.to_pylist() if row["measured"]
    ]
    assert texts
    known = effects_of((), tuple(texts), None)
    assert sum(effect.basis == "measured" for effect in known.values()) == len(texts)
    rows = wf.opportunities(study, measured=tuple(texts)).to_pandas()
    assert rows["basis"].str.startswith("measured by your experiment").any()


def test_several_contacts_count_a_customer_once(shop):
    study = Study(read(shop, value="value"))
    listed = wf.opportunities(study.where(until=AT.date()), holdout=0.5, contacts=3).to_pandas()
    acted = listed[listed["action"] != "leave alone"]
    assert acted["customer"].duplicated().any()
    whole = wf.holdout_effect(study, contacts=3, **ASKED).effects.to_pylist()[0]
    assert whole["contacted"] + whole["held_out"] == acted["customer"].nunique()


def test_too_little_to_say():
    frame = pd.DataFrame(
        {"customer": ["a"], "time": [pd.Timestamp("2024-01-01")], "event": "purchase", "value": 5.0}
    )
    result = wf.holdout_effect(read(frame, value="value"), at=date(2024, 1, 1))
    assert result.findings[0].text.startswith("Too few to say")
    assert result.effects.to_pylist()[0]["rise"] is None
    assert result.chart() is None
    with pytest.raises(InvalidParameter, match="log is empty"):
        wf.holdout_effect(read(frame.iloc[:0], value="value"), at=date(2024, 1, 1))


def test_a_day_outside_the_log(shop):
    with pytest.raises(InvalidParameter, match="holds nothing"):
        wf.holdout_effect(read(shop, value="value"), at=date(2030, 1, 1))


def test_the_draw_is_stated():
    digest = hashlib.blake2b(b"Study:c0001", digest_size=8).digest()
    frame = pd.DataFrame({"customer": ["c0001"], "time": [pd.Timestamp("2024-01-01")], "event": "purchase"})
    held = wf.opportunities(read(frame), holdout=0.5).opportunities["holdout"].to_pylist()
    assert held == [int.from_bytes(digest, "big") / 2**64 < 0.5]


def test_where_blocks_are_cut_and_what_json_says_do_not_change_it(shop):
    log = read(shop, value="value")
    result = wf.holdout_effect(log, **ASKED)
    cut = wf.holdout_effect(in_blocks(log, 500), **ASKED)
    assert cut.to_dict()["tables"] == result.to_dict()["tables"]
    assert type(result).from_dict(result.to_dict()).to_dict() == result.to_dict()
