"""Drivers of satisfaction and of what customers do: planted weights, joins by hand, and the peers' figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.analyses.satisfaction._ratings import Ratings
from wayfare.errors import InvalidParameter, UnknownName
from wayfare.study import Study

START = datetime(2024, 1, 1, tzinfo=UTC)


def log_of(rows: list[tuple]) -> wf.Log:
    """A log from (customer, days after the start, event[, question, score, kind])."""
    names = ["customer", "days", "event", "question", "score", "question_kind"]
    frame = pd.DataFrame([(*row, *[None] * (6 - len(row))) for row in rows], columns=names)
    frame["time"] = [START + timedelta(days=d) for d in frame.pop("days")]
    frame["score"] = frame["score"].astype(float)
    kept = {name: name for name in frame.columns if name not in ("customer", "time", "event")}
    return wf.read_events(frame, customer="customer", time="time", event="event", **kept)


def rated(ratings: np.ndarray, names: list[str], kind: str = "rating") -> list[tuple]:
    """A customer a row, who gives each question the score of its column at one moment."""
    return [
        (f"c{number}", 1.0, "survey_answer", name, score, kind)
        for number, row in enumerate(ratings)
        for name, score in zip(names, row, strict=True)
    ]


def planted(n: int = 600, weights: tuple[float, ...] = (0.8, 0.4, 0.0)) -> np.ndarray:
    rng = np.random.default_rng(5)
    x = rng.integers(1, 11, (n, len(weights))).astype(float)
    overall = x @ np.array(weights) + rng.normal(0, 1, n)
    return np.column_stack([x, overall])


def test_planted_weights_come_back_in_both_decompositions():
    # Independent drivers of equal variance: the shares of what is explained are w² over their sum: .8, .2 and 0.
    result = wf.drivers(log_of(rated(planted(), ["a", "b", "c", "overall"])), draws=200)
    found = {row["driver"]: row for row in result.drivers.to_pylist()}
    assert [found[name]["share"] for name in "abc"] == pytest.approx([0.8, 0.2, 0.0], abs=0.04)
    for row in found.values():
        assert row["johnson"] == pytest.approx(row["lmg"], abs=0.01)
        assert row["johnson_low"] <= row["johnson"] <= row["johnson_high"]
        assert row["low"] <= row["lmg"] <= row["high"]
    assert sum(row["johnson"] for row in found.values()) == pytest.approx(result.fit["r_squared"][0].as_py())
    assert result.findings[0].text.startswith("a goes with overall satisfaction most")


def test_ecsi_agrees_with_all_orders_of_entering(shared_data):
    # LMG by its definition: the mean gain of R² over all orders of entering, each R² from its own regression.
    frame = pd.read_csv(shared_data / "satisfaction_ecsi" / "mobi.csv")
    names = ["PERQ1", "PERQ2", "PERQ3", "PERQ4"]
    result = wf.drivers(
        log_of(rated(frame[[*names, "CUSA1"]].to_numpy(float), [*names, "CUSA1"])), overall="CUSA1", draws=200
    )
    expected = _lmg_by_definition(frame[names].to_numpy(float), frame["CUSA1"].to_numpy(float))
    found = {row["driver"]: row["lmg"] for row in result.drivers.to_pylist()}
    assert [found[name] for name in names] == pytest.approx(expected, abs=1e-9)
    assert result.drivers["n"][0].as_py() == 250


def _lmg_by_definition(x: np.ndarray, y: np.ndarray) -> list[float]:
    from itertools import permutations

    def r_squared(columns: tuple[int, ...]) -> float:
        design = np.column_stack([np.ones(len(y)), x[:, list(columns)]])
        rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        return 1 - float(rest @ rest) / float(((y - y.mean()) ** 2).sum())

    orders = list(permutations(range(x.shape[1])))
    gains = np.zeros(x.shape[1])
    for order in orders:
        for place, driver in enumerate(order):
            gains[driver] += r_squared(order[: place + 1]) - r_squared(order[:place])
    return list(gains / len(orders))


def test_satisfaction_of_ecsi_is_its_published_mean(shared_data):
    # shared/data/README.md: CUSA1 mean 7.988.
    frame = pd.read_csv(shared_data / "satisfaction_ecsi" / "mobi.csv")
    names = ["CUSA1", "PERQ1", "CUSA2"]
    result = wf.drivers(log_of(rated(frame[names].to_numpy(float), names)), overall="CUSA2", draws=100)
    assert {row["driver"]: row["performance"] for row in result.drivers.to_pylist()}[
        "CUSA1"
    ] == pytest.approx(7.988)


def test_a_driver_that_only_hurts_is_told_from_one_that_only_pleases():
    rng = np.random.default_rng(3)
    x = rng.integers(1, 11, (2000, 2)).astype(float)
    overall = 7 - 2 * (x[:, 0] <= 3) + 2 * (x[:, 1] >= 8) + rng.normal(0, 0.5, 2000)
    result = wf.drivers(log_of(rated(np.column_stack([x, overall]), ["must", "wow", "overall"])), draws=200)
    found = {row["driver"]: row for row in result.contrast.to_pylist()}
    assert found["must"]["penalty"] == pytest.approx(-2, abs=0.2)
    assert found["wow"]["reward"] == pytest.approx(2, abs=0.2)
    assert found["must"]["asymmetry"] < -0.8 < 0.8 < found["wow"]["asymmetry"]
    assert any("must hurts more when it is bad" in f.text for f in result.findings)


def test_ordering_again_is_explained_only_where_the_horizon_is_over():
    rng = np.random.default_rng(8)
    score = rng.integers(1, 11, (400, 2)).astype(float)
    rows = rated(score, ["service", "price"])
    comes_back = rng.random(400) < score[:, 0] / 12
    rows += [(f"c{n}", 20.0, "purchase") for n in np.flatnonzero(comes_back)]
    late = [
        (f"late{n}", 195.0, "survey_answer", q, 5.0, "rating")
        for n in range(50)
        for q in ("service", "price")
    ]
    result = wf.drivers(log_of([*rows, *late, ("end", 200.0, "visit")]), outcome="repurchase", draws=200)
    fit = result.fit.to_pylist()[0]
    assert (fit["n"], fit["left_out"]) == (400, 50)
    assert result.drivers["driver"].to_pylist()[0] == "service"
    assert result.drivers["correlation"][0].as_py() > 0.4


def test_a_score_that_leaks_the_outcome_is_warned_of():
    rows = rated(np.array([[1.0, 3.0], [5.0, 3.0], [1.0, 4.0], [5.0, 5.0]] * 30), ["leak", "other"])
    rows += [(f"c{n}", 5.0, "purchase") for n in range(120) if n % 2]
    result = wf.drivers(log_of([*rows, ("end", 200.0, "visit")]), outcome="repurchase", draws=100)
    assert any(w.startswith("leak all but tells ordering again") for w in result.warnings)


def test_experiences_are_drivers_where_nothing_else_was_rated():
    rng = np.random.default_rng(1)
    met = rng.random(300) < 0.5
    score = np.where(met, 4, 8) + rng.integers(-1, 2, 300)
    rows = [(f"c{n}", 0.0, "support_contact" if met[n] else "newsletter_open") for n in range(300)]
    rows += [(f"c{n}", 1.0, "survey_answer", "overall", float(score[n]), "csat") for n in range(300)]
    result = wf.drivers(log_of(rows), experiences=["support_contact"], draws=100)
    assert result.drivers["driver"].to_pylist() == ["support_contact"]
    assert result.drivers["correlation"][0].as_py() < -0.8
    # Who met the one did not meet the other: one of them says it all, and that is said.
    both = wf.drivers(log_of(rows), draws=100)
    assert both.drivers.num_rows == 1
    assert any(w.startswith("Left out") for w in both.warnings)


def test_the_simulated_company_gives_its_planted_order():
    import pyarrow as pa

    from wayfare.demo import Company, records

    company = Company(customers=6_000, seed=3)
    frame = pa.Table.from_batches(list(records(company)))
    columns = {name: name for name in frame.column_names if name not in ("customer", "time", "event")}
    log = wf.read_events(frame, customer="customer", time="time", event="event", **columns)
    result = wf.drivers(log, draws=200)
    assert result.drivers["driver"].to_pylist()[:3] == ["taste", "delivery", "price"]
    found = {row["driver"]: row for row in result.drivers.to_pylist()}
    # Independent drivers of like variance: shares go as the squares of the planted weights.
    squares = np.square(company.driver_weights)
    shares = [found[name]["share"] for name in ("taste", "delivery", "price", "service", "shop")]
    assert shares == pytest.approx(squares / squares.sum(), abs=0.08)


def test_people_who_stay_anonymous_count_for_satisfaction_and_nothing_else():
    table, names = planted(300), ["a", "b", "c", "overall"]
    study = Study(log_of(rated(table[:100], names)), anonymous=log_of(rated(table[100:], names)))
    assert wf.drivers(study, draws=100).drivers["n"][0].as_py() == 300
    apart = Study(log_of([("z", 0.0, "visit")]), anonymous=log_of(rated(table, names)))
    assert wf.drivers(apart, draws=100).drivers["n"][0].as_py() == 300
    assert wf.drivers(apart, outcome="repurchase").drivers.num_rows == 0


def test_too_few_and_unknown_names():
    log = log_of(rated(planted(20), ["a", "b", "c", "overall"]))
    result = wf.drivers(log)
    assert "Too few to say what moves overall satisfaction: 20 complete answers" in result.findings[0].text
    assert result.drivers.num_rows == 0
    with pytest.raises(UnknownName, match="overal"):
        wf.drivers(log, overall="overal")
    with pytest.raises(UnknownName, match="'z'"):
        wf.drivers(log, questions=["z"])
    with pytest.raises(InvalidParameter, match="10 draws"):
        wf.drivers(log, draws=10)


def test_why_there_is_no_contrast_is_said():
    # Two values a question: nobody rates in between.
    table = np.array([[1.0, 2.0], [2.0, 5.0], [1.0, 3.0], [2.0, 4.0]] * 30)
    result = wf.drivers(log_of(rated(table, ["a", "overall"])), draws=100)
    assert (result.drivers.num_rows, result.contrast.num_rows) == (1, 0)
    assert result.warnings[0].startswith("No penalty and reward can be told: No driver has low, middle")


def test_nothing_beyond_chance_is_said_so():
    rng = np.random.default_rng(2)
    result = wf.drivers(
        log_of(rated(rng.integers(1, 11, (200, 3)).astype(float), ["a", "b", "overall"])), draws=100
    )
    assert result.findings[0].text.startswith(
        "The drivers explain nothing of overall satisfaction beyond chance"
    )


ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 40), st.sampled_from(["x", "y", "overall", "visit", "purchase"]), st.integers(1, 5)),
    min_size=1, max_size=30, unique_by=lambda row: (row[0], row[1]),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_the_table_of_ratings_against_plain_python(rows):
    named = [
        (
            f"c{c}",
            float(d),
            *((e,) if e in ("visit", "purchase") else ("survey_answer", e, float(s), "rating")),
        )
        for c, d, e, s in rows
    ]
    named += [("z", 0.0, "survey_answer", q, 1.0, "rating") for q in ("x", "y", "overall")]
    named += [("z", 0.5, "visit"), ("z", 0.6, "purchase")]
    log = log_of(named)
    code = {q: log.code("question", q) for q in ("x", "y", "overall")}
    day = 86_400_000_000
    fold = Ratings(
        log.code("event", "survey_answer"), code["overall"], (code["x"], code["y"]), (log.code("event", "visit"),),
        10 * day, 5 * day, Study(log).stages, (), log.ends,
    )  # fmt: skip
    expected = sorted(_by_hand(named, log.ends / day - START.timestamp() / 86_400))
    for cut in (log, in_blocks(log, 2)):
        found = cut.fold(fold)
        table = np.column_stack(
            [np.concatenate(found[n]) for n in ("ratings", "experiences", "satisfaction", "repurchase")]
        )
        assert sorted(_plain(table)) == expected


def _plain(table: np.ndarray) -> list[tuple]:
    return [tuple(-1.0 if np.isnan(v) else float(v) for v in row) for row in table]


def _by_hand(rows: list[tuple], end: float) -> list[tuple]:
    """Of each customer and day with an answer: last x and y within 10 days, a visit within 10, overall that day, order in 5."""
    found = []
    for customer in {row[0] for row in rows}:
        mine = sorted((row for row in rows if row[0] == customer), key=lambda row: row[1])
        answers = [row for row in mine if row[2] == "survey_answer"]
        for day in {int(row[1]) for row in answers}:
            at = max(row[1] for row in answers if int(row[1]) == day)
            last = [
                next((r[4] for r in reversed(answers) if r[3] == q and 0 <= at - r[1] <= 10), -1.0)
                for q in ("x", "y")
            ]
            met = float(any(r[2] == "visit" and 0 <= at - r[1] <= 10 for r in mine))
            whole = [r[4] for r in answers if r[3] == "overall" and int(r[1]) == day]
            again = float(any(r[2] == "purchase" and 0 < r[1] - at <= 5 for r in mine))
            found.append((*last, met, whole[-1] if whole else -1.0, again if at + 5 <= end + 1e-9 else -1.0))
    return found
