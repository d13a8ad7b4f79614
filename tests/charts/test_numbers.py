from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from wayfare.charts.numbers import intervals_of, is_number, kind_of, kinds_of, money, short, shown, shown_row


@pytest.mark.parametrize(
    "column, kind",
    [
        ("of_first", "share"), ("of_first_low", "share"), ("probability_high", "share"), ("rate", "share"), ("drop_off", "share"),
        ("repeat_rate", "share"), ("end_share", "share"), ("share_of_all", "share"), ("median_seconds", "seconds"),
        ("from_previous_seconds", "seconds"), ("median_days_to_next", "days"), ("value", "money"), ("revenue", "money"),
        ("average_order_value", "money"), ("p", "p"), ("p_adjusted", "p"), ("customers", "plain"), ("conversions", "plain"),
        ("mean_score", "plain"), ("average_value_per_customer", "money"), ("repurchase_rate_90d", "share"), ("year", "code"), ("step", "plain"), ("path", "plain"),
    ],
)  # fmt: skip
def test_a_columns_name_says_its_unit(column, kind):
    assert kind_of(column) == kind


@pytest.mark.parametrize(
    "column, value, text",
    [
        ("of_first", 0.4123, "41.2%"),
        ("of_first", 1.0, "100%"),
        ("of_first", 0.0004, "0.04%"),
        ("rate", 3.5, "3.5"),
        ("customers", 12345, "12,345"),
        ("customers", None, "–"),
        ("rate", float("nan"), "–"),
        ("value", 9400.4, "EUR 9,400"),
        ("value", 12.5, "EUR 12.50"),
        ("value", -12.5, "−EUR 12.50"),
        ("median_seconds", 90 * 60, "1.5 hours"),
        ("median_days_to_next", 12.0, "12 days"),
        ("difference", -0.0312, "−0.0312"),
        ("p", 0.00001, "<0.001"),
        ("p", 0.04, "0.040"),
        ("score", float("inf"), "∞"),
        ("complete", True, "yes"),
        ("cohort", date(2024, 5, 1), "2024-05-01"),
        ("time", datetime(2024, 5, 1, 12, 30, tzinfo=UTC), "2024-05-01 12:30 UTC"),
        ("path", ["a", "b"], "a, b"),
        ("event", "<b>-x", "<b>-x"),
    ],
)
def test_a_value_is_written_in_its_columns_unit(column, value, text):
    assert shown(column, value, "EUR") == text


def test_an_interval_is_in_the_unit_of_the_column_before_it():
    assert kinds_of(["cohort", "rate", "low", "high"])["high"] == "share"
    assert kinds_of(["channel", "value", "low"])["low"] == "money"
    assert kinds_of(["conversion_others", "lift", "lift_low"])["lift_low"] == "points"
    assert kinds_of(["support", "lift"])["lift"] == "plain"


@pytest.mark.parametrize(
    ("columns", "ends"),
    [
        (["a", "a_low", "a_high", "rate", "low", "high", "n"], {"a": ("a_low", "a_high"), "rate": ("low", "high")}),
        (["n", "rate", "other", "rate_low", "rate_high"], {"rate": ("rate_low", "rate_high")}),
        (["median_days", "median_low", "median_high"], {"median_days": ("median_low", "median_high")}),
        (["effect_low", "effect", "effect_high"], {"effect": ("effect_low", "effect_high")}),
        (["seen", "worth", "left", "worth_low", "worth_high"], {"worth": ("worth_low", "worth_high")}),
        (["low", "high"], {}),
        (["change", "change_low"], {}),
        (["slow", "allow", "allhigh"], {}),
    ],
)  # fmt: skip
def test_which_columns_are_the_ends_of_which_interval(columns, ends):
    assert intervals_of(columns) == ends


def test_the_ends_of_an_interval_are_in_the_unit_of_what_they_bound():
    assert kinds_of(["median_days", "median_low", "median_high"])["median_low"] == "days"
    assert kinds_of(["repurchase_lift", "repurchase_low", "repurchase_high"])["repurchase_high"] == "points"


def test_a_whole_number_is_never_a_share():
    assert [shown("repurchase_matched", n) for n in (0, 1, 56)] == ["0", "1", "56"]


def test_a_scorecards_numbers_are_in_the_unit_of_their_metric():
    row = {"metric": "repeat_rate", "period": "2024-05", "value": 0.25, "low": 0.2, "high": 0.3, "n": 1200}
    assert shown_row(row, "EUR") == ["repeat_rate", "2024-05", "25%", "20%", "30%", "1,200"]
    assert shown_row({**row, "metric": "refunds", "value": -310.0, "kind": "money"}, "EUR")[2] == "−EUR 310"
    assert shown_row({"metric": "orders", "value": 470, "low": 428.5, "high": 514.5, "kind": "count"})[
        1:4
    ] == ["470", "428", "514"]
    assert shown_row({"metric": "repeat_rate", "change": -0.021}, "EUR") == ["repeat_rate", "−2.1 points"]
    assert shown_row({**row, "metric": "orders", "value": 310, "low": None, "high": None}, "EUR")[2:5] == [
        "310",
        "–",
        "–",
    ]


def test_counts_in_few_characters():
    assert [short(n) for n in (0, 940, 9_999, 12_345, 999_999, 4_123_456)] == [
        "0",
        "940",
        "9,999",
        "12.3k",
        "1M",
        "4.12M",
    ]


def test_numbers_stand_to_the_right():
    assert [is_number(value) for value in (1, 1.5, True, "1", None)] == [True, True, False, False, False]
    assert money(100, "EUR") == "EUR 100"
