"""Activities' effects: the simulated company's planted truths, cases by hand, and a plain-Python oracle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wayfare as wf
from tests.analyses.cuts import in_blocks
from wayfare.analyses.value_chain import _effect_tables
from wayfare.analyses.value_chain.activity_effects import ActivityEffectsResult, activity_effects
from wayfare.demo import Company, journey, records
from wayfare.demo.orders import Orders
from wayfare.demo.season import DAY, micros
from wayfare.demo.simulate import batches, population
from wayfare.domain.value_chain import Activity, Performance, Primary, Turn, ValueChain

START = pd.Timestamp("2024-01-02")
JOURNEY = wf.JourneyMap(**journey())
COLUMNS = ("customer", "time", "event", "order", "value", "score", "channel")


def activity(
    name, start="purchase", end="delivery", measure="lead_time", at_most=None, within=None, turns=()
):
    performance = Performance(measure=measure, start=start, end=end, at_most=at_most, within=within)
    return Activity(id=name, text=f"the {name}", performance=performance if start else None, turns=turns)


def chain_of(*activities):
    return ValueChain(name="value-chain", primary=Primary(outbound_logistics=activities))


def study_of(rows, *activities, **column):
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).assign(**column)
    extra = {name: name for name in frame.columns if name not in ("customer", "time", "event")}
    log = wf.read_events(frame, customer="customer", time="time", event="event", **extra)
    return wf.Study(log, JOURNEY, documents={"value-chain": chain_of(*activities)})


def row(result, name, outcome="repurchase", table="effects"):
    return next(
        r
        for r in result.tables[table].to_pylist()
        if r["activity"] == name and r.get("outcome", outcome) == outcome
    )


# The simulated company.

COMPANY = Company(customers=12_000, seed=3)
TARGET_HOURS = 24 * COMPANY.promised_days
COMPANYS = (
    activity("roast", end="refund", measure="defect", at_most=0.02, within="14d"),
    activity(
        "delivery",
        at_most=TARGET_HOURS,
        within="21d",
        turns=(Turn(since=COMPANY.delay_start, text="a slower carrier", segment=("carrier=north_post",)),),
    ),
    activity("support", "delivery", "support_contact", measure="defect", within="7d"),
    activity("shop", "product_view", "cart"),
)


@pytest.fixture(scope="module")
def company():
    table = pa.Table.from_batches(list(records(COMPANY)))
    names = ("channel", "order", "value", "score", "carrier", "question_kind")
    log = wf.read_events(table, customer="customer", time="time", event="event", **{n: n for n in names})
    return wf.Study(log, JOURNEY, documents={"value-chain": chain_of(*COMPANYS)})


@pytest.fixture(scope="module")
def result(company):
    return activity_effects(company)


def ordered_again(company: Company) -> tuple[int, float]:
    """Of first parcels that were late: how many customers had not ordered when that was known, and the share that did then."""
    came = risk = 0
    horizon = 90 * DAY
    for number, size in enumerate(batches(company)):
        orders: Orders = population(company, number, size)[1]
        own = size - sum(int(size * share) for share in company.referral_shares)
        kept = np.flatnonzero(~orders.lost & (orders.customer < own))
        kept = kept[np.lexsort((orders.time[kept], orders.customer[kept]))]
        customer, time = orders.customer[kept], orders.time[kept]
        first = np.append(True, customer[1:] != customer[:-1])
        never = np.iinfo(np.int64).max
        following = np.append(np.where(customer[1:] == customer[:-1], time[1:], never), never)
        late = first & (orders.delivery_days[kept] > company.promised_days)
        known = time + int(company.promised_days * DAY)
        chosen = late & (following > known) & (known + horizon <= micros(company.end))
        risk += int(chosen.sum())
        came += int((following[chosen] <= known[chosen] + horizon).sum())
    return risk, came / risk


def test_the_slow_delivery_comes_first_and_the_interval_holds_the_truth(result):
    # The same customers with parcels that put nobody off: what lateness did to them, from the simulation's own record.
    missed, late = ordered_again(COMPANY)
    _, punctual = ordered_again(replace(COMPANY, late_repurchase_factor=1.0))
    first = result.effects.to_pylist()[0]
    assert (first["activity"], first["outcome"]) == ("delivery", "repurchase")
    assert first["low"] < punctual - late < first["high"]
    assert first["low"] > 0
    assert first["p_adjusted"] < 0.01
    # They are among those compared; referred customers and whoever bought in a store first come on top.
    assert missed < first["missed"] < 1.5 * missed
    assert first["money"] == pytest.approx(first["ever_missed"] * first["effect"] * first["worth"])
    assert first["ever_missed"] > first["missed"]
    assert 0 < first["money_low"] < first["money"] < first["money_high"]
    said = result.findings[0]
    assert said.text.startswith("The delivery: over 96 hours in 1")
    assert "points less often than like customers (95% interval" in said.text
    assert f"would be worth EUR {first['money']:,.0f}" in said.text
    assert said.money == first["money"]


def test_satisfaction_falls_with_late_parcels(result):
    delivery = row(result, "delivery", "satisfaction")
    assert delivery["low"] > 0
    # A point of ten lost for two days: so much of the scale from 0 to 1 each hour.
    dose = row(result, "delivery", "satisfaction", "dose")
    assert dose["low"] < -COMPANY.score_per_day / 10 / 24 < dose["high"]


def test_the_slower_carrier_shows_as_a_change_against_the_other(result):
    change = row(result, "delivery", "satisfaction", "turns")
    truth = -COMPANY.score_per_day * (COMPANY.delivery_days_slow - COMPANY.delivery_days) / 10
    assert change["low"] < truth < change["high"] < 0
    assert change["pre_trend_low"] < 0 < change["pre_trend_high"]
    assert change["since"] == "2025-02-03"
    assert row(result, "delivery", "repurchase", "turns")["high"] < 0


def test_how_well_the_companys_delivery_does(company, result):
    row_of = row(result, "delivery", table="performance")
    days = (
        pa.Table.from_batches(list(records(COMPANY)))
        .to_pandas()
        .query("event == 'delivery'")["delivery_days"]
    )
    assert row_of["median"] == pytest.approx(24 * days.median(), rel=0.03)
    assert row_of["missed_share"] == pytest.approx((days > COMPANY.promised_days).mean(), abs=0.01)
    assert row_of["missed_share_low"] < row_of["missed_share"] < row_of["missed_share_high"]
    assert company.log.ends


def test_it_is_labelled_and_drawn(result):
    assert any(warning.startswith("Observational") for warning in result.warnings)
    assert "delivery → next order" in result.chart().svg()
    assert ActivityEffectsResult.from_dict(result.to_dict()).to_json() == result.to_json()


# By hand.


def parcels(late_orders=10, other_orders=30, size=40, **extra):
    """Customers who order alike; half of the parcels take 72 hours and half 24; some of each half order on day 30."""
    rows = []
    for number in range(2 * size):
        late, name = number < size, f"c{number:03d}"
        at = START + pd.Timedelta(minutes=number)
        rows.append((name, at, "purchase", f"o{name}", 50.0, None, "web"))
        came = at + pd.Timedelta(hours=72 if late else 24)
        rows.append((name, came, "delivery", f"o{name}", None, None, "web"))
        if number % size < (late_orders if late else other_orders):
            rows.append((name, at + pd.Timedelta(days=30), "purchase", f"p{name}", 80.0, None, "web"))
        rows += extra.get("more", lambda *_: [])(name, at, came, late)
    rows.append(("z", START + pd.Timedelta(days=300), "product_view", None, None, None, "web"))
    return rows


def test_an_effect_by_hand():
    found = activity_effects(study_of(parcels(), activity("delivery", at_most=48)))
    late = row(found, "delivery")
    assert (late["outcome_met"], late["outcome_missed"], late["effect"]) == (0.75, 0.25, 0.5)
    # One stratum: √(.75 · .25 / 39 · 2) on each side, 1.96 times.
    half = 1.959964 * np.sqrt(2 * 0.75 * 0.25 / 39)
    assert late["high"] - late["effect"] == pytest.approx(
        half * np.sqrt(39 / 40 * 40 / 39 * 40 / 40), rel=0.02
    )
    assert (late["customers"], late["missed"], late["matched"]) == (80, 40, 40)
    # 40 late × .5 × 80 each; all who come back order 80, so that the interval is that of the effect.
    assert late["money"] == pytest.approx(1_600)
    assert late["money_high"] == pytest.approx(40 * 80 * late["high"])
    did = row(found, "delivery", table="performance")
    assert (did["occurrences"], did["without_end"]) == (80, 40)
    assert did["missed_share"] == 0.5
    assert did["median"] == pytest.approx(48, rel=0.01)
    assert did["p90"] == pytest.approx(72, rel=0.01)
    assert did["measure"] == "lead_time"


def test_without_a_target_the_slower_half_is_compared():
    late = row(activity_effects(study_of(parcels(), activity("delivery"))), "delivery")
    assert late["effect"] == 0.5
    assert late["missed"] == 40
    assert "no target" in late["note"]


def test_the_dose_by_hand():
    # 48 hours more cost half the orders, whichever way the line is drawn.
    dose = row(
        activity_effects(study_of(parcels(), activity("delivery", at_most=48))), "delivery", table="dose"
    )
    assert dose["per_hour"] == pytest.approx(-0.5 / 48)
    assert dose["customers"] == 80


def test_who_ordered_again_before_it_was_known_is_not_compared():
    def more(name, at, _came, late):
        return (
            [(name, at + pd.Timedelta(hours=40), "purchase", f"q{name}", 10.0, None, "web")] if late else []
        )

    late = row(activity_effects(study_of(parcels(more=more), activity("delivery", at_most=48))), "delivery")
    assert late["effect"] is None
    assert late["customers"] == 40
    assert late["note"] == "too few to say: of 40 customers 0 missed it, 0 of them with like ones"


def test_a_window_that_is_not_over_counts_for_nothing():
    rows = [*parcels()[:-1], ("z", START + pd.Timedelta(days=91), "product_view", None, None, None, "web")]
    assert (
        row(activity_effects(study_of(rows, activity("delivery", at_most=48))), "delivery")["customers"] == 0
    )


def test_a_parcel_ends_the_run_of_its_own_order():
    # The first order is bought in a store and never delivered; the next one's parcel is not its.
    rows = [
        ("a", START, "purchase", "o1", 10.0, None, "web"),
        ("a", START + pd.Timedelta(hours=5), "purchase", "o2", 10.0, None, "web"),
        ("a", START + pd.Timedelta(hours=30), "delivery", "o2", None, None, "web"),
        ("z", START + pd.Timedelta(days=300), "product_view", None, None, None, "web"),
    ]
    did = row(activity_effects(study_of(rows, activity("delivery"))), "delivery", table="performance")
    assert did["occurrences"] == 1
    assert did["median"] == pytest.approx(25, rel=0.01)
    assert did["without_end"] == 1


def test_waiting_without_an_end_has_missed_and_a_defect_is_an_end():
    rows = []
    for number in range(80):
        name, at = f"c{number}", START + pd.Timedelta(minutes=number)
        rows.append((name, at, "support_contact", None, None, None, "web"))
        if number < 40:
            rows.append((name, at + pd.Timedelta(hours=3), "answer", None, None, None, "web"))
        if number < 30 or 40 <= number < 50:
            rows.append((name, at + pd.Timedelta(days=20), "purchase", f"o{name}", 20.0, None, "web"))
    rows.append(("z", START + pd.Timedelta(days=300), "product_view", None, None, None, "web"))
    asked = [activity("reply", "support_contact", "answer", "first_response", at_most=24, within="7d"),
             activity("fault", "support_contact", "answer", "defect", within="7d")]  # fmt: skip
    found = activity_effects(study_of(rows, *asked))
    reply, fault = row(found, "reply", "conversion"), row(found, "fault", "conversion")
    assert (reply["effect"], reply["missed"]) == (0.5, 40)
    assert fault["effect"] == pytest.approx(-0.5)
    assert row(found, "reply", table="performance")["missed_share"] == 0.5
    assert row(found, "fault", table="performance")["missed_share"] == 0.5
    assert row(found, "reply")["note"].startswith("too few to say")
    assert reply["worth"] == 20


def test_scores_are_brought_to_a_scale_from_0_to_1_and_referrals_are_steps():
    def more(name, _at, came, late):
        number = int(name[1:])
        given = [(name, came + pd.Timedelta(days=1), "survey_answer", None, None, (2.0 if late else 5.0) - number % 2, "web")]  # fmt: skip
        if not late and number % 2:
            given.append((name, came + pd.Timedelta(days=3), "referral_invite", None, None, None, "web"))
        return given

    found = activity_effects(study_of(parcels(more=more), activity("delivery", at_most=48)))
    # Scores 1 or 2 against 4 or 5 on a scale from 1 to 5: .125 against .875.
    assert row(found, "delivery", "satisfaction")["effect"] == pytest.approx(0.75)
    assert row(found, "delivery", "referral")["effect"] == 0.5
    assert row(found, "delivery", "satisfaction")["money"] is None


def test_an_order_is_not_compared_with_itself():
    paid = activity("paid", "cart", "purchase", "waiting")
    found = activity_effects(study_of(parcels(), activity("checkout", "delivery", "purchase"), paid))
    assert "one thing" in row(found, "checkout")["note"]
    assert row(found, "checkout")["effect"] is None


def changed(segment=("channel=web",), effect=True):
    """Two hundred first orders in each of twelve months, half by web; of those by web fewer come back from July on."""
    rows = []
    for month in range(12):
        for number in range(200):
            web = number % 2 == 0
            name, at = f"m{month}c{number}", pd.Timestamp(2024, month + 1, 1) + pd.Timedelta(hours=number)
            channel = "web" if web else "store"
            rows.append((name, at, "purchase", f"o{name}", 10.0, None, channel))
            # By web 60 of 100 before, 30 after; in the store 50 throughout.
            back = (60 if month < 6 or not effect else 30) if web else 50
            if number // 2 < back:
                rows.append((name, at + pd.Timedelta(days=20), "purchase", f"p{name}", 10.0, None, channel))
    rows.append(("z", pd.Timestamp(2025, 6, 1), "product_view", None, None, None, "store"))
    turn = Turn(since="2024-07-01", text="parcels by another carrier", segment=segment)
    return study_of(rows, activity("delivery", turns=(turn,)))


def test_a_change_against_those_whom_it_did_not_reach():
    found = row(activity_effects(changed(), within="30d"), "delivery", table="turns")
    # June's first orders are waited for into July and left out; all others: (.3 − .6) − (.5 − .5), the returns themselves
    # being orders of a customer (one more in the month, not the first of it).
    assert found["effect"] == pytest.approx(-0.3, abs=1e-9)
    assert found["low"] < -0.3 < found["high"] < 0
    assert found["pre_trend"] == pytest.approx(0, abs=1e-9)
    assert (found["customers_before"], found["customers_after"]) == (500, 600)
    assert "not (yet) reached" in found["method"]


def test_a_change_that_reached_everybody_is_before_and_after_and_says_so():
    found = row(activity_effects(changed(segment=()), within="30d"), "delivery", table="turns")
    assert found["effect"] == pytest.approx(0.4 - 0.55)
    assert found["method"] == "before and after"
    assert found["note"].startswith("it reached everybody")


def test_a_turn_of_an_unknown_column_says_why():
    found = row(activity_effects(changed(segment=("carrier=x",))), "delivery", table="turns")
    assert found["effect"] is None
    assert "no column 'carrier'" in found["note"]


# An oracle.


def random_rows(seed, customers=120):
    rng = np.random.default_rng(seed)
    events = ["purchase", "delivery", "product_view", "survey_answer", "referral_invite", "refund"]
    rows = []
    for number in range(customers):
        at = START + pd.Timedelta(days=float(rng.uniform(0, 60)))
        channel = str(rng.choice(["web", "store"]))
        for _ in range(rng.integers(1, 12)):
            event = str(rng.choice(events, p=[0.3, 0.25, 0.15, 0.1, 0.1, 0.1]))
            order = f"o{rng.integers(0, 4)}-{number}" if event in ("purchase", "delivery", "survey_answer") and rng.random() < 0.7 else None  # fmt: skip
            value = float(rng.integers(5, 50)) if event == "purchase" else None
            score = float(rng.integers(0, 11)) if event == "survey_answer" else None
            rows.append((f"c{number:03d}", at, event, order, value, score, channel))
            at += pd.Timedelta(seconds=int(rng.integers(1, 12 * 86_400)))
    return rows


class Oracle:
    """The definitions of the docstring, customer by customer."""

    def __init__(self, rows, start, end, target, within, window, *, defect):
        self.rows, self.window = sorted(rows, key=lambda r: (r[0], r[1])), pd.Timedelta(days=window)
        self.start, self.end, self.defect = start, end, defect
        self.target, self.within = pd.Timedelta(hours=target), pd.Timedelta(days=within)
        self.ends = max(r[1] for r in rows)
        self.ever = {"conversion": 0, "repurchase": 0}
        self.known = {"conversion": [], "repurchase": [], "referral": [], "satisfaction": []}
        for name in sorted({r[0] for r in rows}):
            self.customer([r for r in self.rows if r[0] == name])

    def orders(self, mine):
        found: dict[str, list] = {}
        for number, r in enumerate(mine):
            if r[2] == "purchase":
                found.setdefault(r[3] or f"at {r[1]}", [r[1], 0.0, number])[1] += r[4]
        return sorted(found.values(), key=lambda o: o[2])

    def runs(self, mine, orders):
        starts = [o[2] for o in orders] if self.start == "purchase" else [n for n, r in enumerate(mine) if r[2] == self.start]  # fmt: skip
        for n in starts:
            begin, own = mine[n][1], mine[n][3]
            ends = [(m, r) for m, r in enumerate(mine) if m > n and r[2] == self.end]
            fits = [(m, r) for m, r in ends if own is None or r[3] is None or r[3] == own]
            at = next(iter(fits), None)
            if at is not None and at[1][1] - begin > self.within:
                at = None
            if begin + self.within <= self.ends and (at is not None or self.defect):
                missed = at is not None if self.defect else at[1][1] - begin > self.target
                yield n, begin, at, missed

    def customer(self, mine):
        orders = self.orders(mine)
        runs = list(self.runs(mine, orders))
        before = {n: sum(o[0] <= begin for o in orders) for n, begin, _, _ in runs}
        month = {n: begin.to_period("M") for n, begin, _, _ in runs}
        landmark = self.within if self.defect else self.target
        referrals = [[r[1]] for r in mine if r[2] == "referral_invite"]
        for outcome, whose, aims in (
            ("conversion", [r for r in runs if before[r[0]] == 0], orders),
            ("repurchase", [r for r in runs if before[r[0]] > 0], orders),
            ("referral", runs, referrals),
        ):
            if outcome in self.ever:
                harmed = [
                    missed and not any(begin < aim[0] <= begin + landmark for aim in aims)
                    for _, begin, _, missed in whose
                ]
                self.ever[outcome] += any(harmed)
            for n, begin, _, missed in whose[:1]:
                since = begin + landmark
                later = [aim for aim in aims if aim[0] > begin]
                if since + self.window > self.ends or (later and later[0][0] <= since):
                    continue
                within = [aim for aim in later if aim[0] <= since + self.window]
                money = sum(aim[1] for aim in within) if outcome != "referral" else 0.0
                self.add(outcome, mine, month[n], before[n], missed, float(bool(within)), money)
        for n, begin, at, missed in runs[:1]:
            since = at[1][1] if at else begin
            place = at[0] if at else max(m for m, r in enumerate(mine) if r[1] == begin)
            own = mine[n][3]
            answers = [r for m, r in enumerate(mine) if m > place and r[2] == "survey_answer" and (own is None or r[3] in (None, own))]  # fmt: skip
            if answers and answers[0][1] <= since + self.window <= self.ends:
                self.add("satisfaction", mine, month[n], before[n], missed, answers[0][5] / 10, 0.0)

    def add(self, outcome, mine, month, before, missed, y, money):
        stratum = (mine[0][6], str(month), int(before).bit_length())
        self.known[outcome].append((stratum, missed, y, money))

    def effect(self, outcome):
        """Customers, missed, matched, effect, money."""
        given = self.known[outcome]
        n = matched = 0
        total = 0.0
        for stratum in sorted({g[0] for g in given}):
            bad = [g[2] for g in given if g[0] == stratum and g[1]]
            good = [g[2] for g in given if g[0] == stratum and not g[1]]
            n += len(bad)
            if bad and good:
                matched += len(bad)
                total += len(bad) * (np.mean(good) - np.mean(bad))
        effect = total / matched if matched else None
        back = [g[3] for g in given if g[2]]
        money = self.ever[outcome] * effect * np.mean(back) if effect is not None and back and outcome in ("conversion", "repurchase") else None  # fmt: skip
        return len(given), n, matched, effect, money


@pytest.mark.parametrize(
    ("start", "end", "measure"),
    [("purchase", "delivery", "lead_time"), ("product_view", "delivery", "lead_time"), ("product_view", "refund", "defect")],
)  # fmt: skip
@given(seed=st.integers(0, 10_000))
@settings(max_examples=6)
def test_it_says_what_the_definitions_say(start, end, measure, seed):
    rows = random_rows(seed)
    asked = activity("it", start, end, measure, at_most=72 if measure != "defect" else None, within="10d")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_effect_tables, "TOO_FEW", 1)
        found = activity_effects(study_of(rows, asked), within="20d")
    oracle = Oracle(rows, start, end, 72, 10, 20, defect=measure == "defect")
    for outcome in ("conversion", "repurchase", "referral", "satisfaction"):
        here = row(found, "it", outcome)
        customers, missed, matched, effect, money = oracle.effect(outcome)
        assert (here["customers"], here["missed"], here["matched"]) == (customers, missed, matched), outcome
        if here["effect"] is not None:
            assert here["effect"] == pytest.approx(effect, abs=1e-9), outcome
            assert here["money"] == (money if money is None else pytest.approx(money, abs=1e-9)), outcome


# Edges.


def rounded(table):
    return [
        {key: float(f"{v:.9g}") if isinstance(v, float) else v for key, v in row.items()}
        for row in table.to_pylist()
    ]


def test_where_blocks_are_cut_does_not_matter():
    study = study_of(random_rows(4), *COMPANYS[:1], activity("delivery", at_most=72), activity("shop", "product_view", "delivery"))  # fmt: skip
    whole = activity_effects(study)
    for customers in (1, 7):
        cut = activity_effects(replace(study, log=in_blocks(study.log, customers), _results={}))
        for name, table in whole.tables.items():
            assert rounded(cut.tables[name]) == rounded(table)
    turns = changed()
    cut = activity_effects(replace(turns, log=in_blocks(turns.log, 111), _results={}), within="30d")
    assert row(cut, "delivery", table="turns")["effect"] == pytest.approx(-0.3, abs=1e-9)


def test_without_a_value_chain_it_says_how_to_start_one():
    study = study_of(parcels())
    found = activity_effects(replace(study, documents={}))
    assert found.effects.num_rows == 0
    assert "wayfare documents DIR new value_chain" in found.findings[0].text
    assert found.chart() is None


def test_an_empty_log_and_events_that_it_lacks():
    study = study_of(parcels(), activity("delivery", at_most=48), activity("lab", "tested", "passed"))
    assert row(activity_effects(study), "lab")["note"] == "the log has no event tested"
    empty = study_of(parcels()[:0], activity("delivery", turns=(Turn(since="2024-01-01", text="x"),)))
    found = activity_effects(empty)
    assert row(found, "delivery")["effect"] is None
    found.to_json()
    one = activity_effects(study_of(parcels()[:1], activity("delivery", at_most=48)))
    assert one.findings[0].text == "Too few to say what the performance of 1 activity goes along with."


def test_a_chain_that_measures_nothing():
    found = activity_effects(study_of(parcels(), Activity(id="x", text="x")))
    assert "gives" not in found.findings[0].text
    assert found.findings[0].text.startswith("No activity of the value chain says how well it does")


def test_it_asks_for_one_pass(monkeypatch):
    study = changed()
    passes = []
    fold_all = type(study.log).fold_all
    monkeypatch.setattr(type(study.log), "fold_all", lambda *a, **k: passes.append(1) or fold_all(*a, **k))
    activity_effects(study)
    assert len(passes) == 1
