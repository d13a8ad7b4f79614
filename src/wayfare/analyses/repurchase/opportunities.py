"""The list that a team acts on: whom to contact with what, when, and what it should add."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._observed import whole_histories
from wayfare.analyses._order_days import last_moment
from wayfare.analyses.repurchase._actions import (
    LEAVE,
    Fit,
    Rows,
    best_per_customer,
    fits_of,
    reasons,
    rows_of,
    why_left,
    within_budget,
)
from wayfare.analyses.repurchase._book import Book, book_of
from wayfare.analyses.repurchase._contact_facts import contact_facts, facts_of
from wayfare.analyses.repurchase._effects import Effect, effects_of
from wayfare.analyses.repurchase._opportunity_words import bars_of, findings_of
from wayfare.analyses.repurchase._product_rows import known, one_dictionary
from wayfare.analyses.repurchase._said import order_lines, seen_of, warnings_of
from wayfare.analyses.repurchase.forecast import forecast
from wayfare.analyses.repurchase.next_product import next_product
from wayfare.analyses.repurchase.repurchase_points import repurchase_points
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import Share
from wayfare.errors import InvalidParameter
from wayfare.histories.calendar import local_days
from wayfare.result import Columns, Result, table
from wayfare.stats.intervals import z_of
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class OpportunitiesResult(Result):
    """Whom to contact with what, when, by which channel, and what it should add; with a group held out to measure it."""

    observational: ClassVar[str] = (
        "what customers do unasked is forecast from the log; what an action adds to it is a stated prior unless its basis says measured."
    )

    opportunities: Annotated[
        pa.Table,
        Columns(
            rank="place by the money added after the contact's cost; customers left alone come last",
            customer="who",
            action="what to do: win back, remind, cross-sell, up-sell, bundle, loyalty reward, ask for a referral, thank or leave alone",
            when="the day of the contact; null for those left alone",
            channel="by which channel; null where the log does not say",
            product="about which product; null where none in particular",
            expected_value="money added by the action, before the contact's cost; null where no value is known",
            low="the same at the lower end of the action's effect",
            high="at the upper end",
            basis="what the number rests on, in words: who says how large the effect is, and its range; null for those left alone",
            holdout="true: do not contact, so that the effect can be measured against those contacted",
            cost="of the contact",
            extra_orders="orders added (offers taken, or new customers, for such actions)",
            base="what the effect multiplies: orders, offers or asks expected without the action",
            reason="why this customer and action",
        ),
    ]
    actions: Annotated[
        pa.Table,
        Columns(
            action="what to do",
            listed="customers on the list with it",
            contacted="of these, customers to contact",
            held_out="of these, customers held out",
            expected_value="money that contacting should add; null where no value is known",
            low="the same at the lower end of the effect, for all of them at once",
            high="at the upper end",
            cost="of the contacts",
            effect_low="lower end of the effect",
            effect="its likeliest value",
            effect_high="its upper end",
            of="what the effect is a share of",
            basis="`prior` or `measured`",
            source="who says so",
            detectable="smallest share by which the chance of an order must rise for this holdout to show it (80% power, 5% level); "
            "null where groups are too small or the effect is not on orders",
        ),
    ]
    totals: Annotated[
        pa.Table,
        Columns(
            customers="who have ordered",
            left_alone="of these, customers without a contact",
            contacts="contacts to make",
            held_out="contacts not made, to measure against",
            expected_value="money that the contacts should add; null where no value is known",
            low="the same at the lower end of all effects",
            high="at their upper end",
            cost="of the contacts",
            holdout="the share of customers held out",
            salt="what the assignment is keyed with: the same salt and share hold out the same customers in every run",
        ),
    ]

    def draw(self) -> Picture | None:
        """What each action should add, with its interval."""
        rows = [row for row in self.actions.to_pylist() if row["contacted"] and row["expected_value"]]
        return bars_of(rows, self.findings[0].text) if rows else None


@analysis
def opportunities(
    study: Study,
    *,
    budget: float | None = None,
    cost_per_contact: float | None = None,
    contacts: int = 1,
    margin: Share = 1.0,
    ahead: Duration = Duration.parse("30d"),
    holdout: Share = 0.1,
    salt: str | None = None,
    effects: tuple[str, ...] = (),
    measured: tuple[str, ...] = (),
) -> OpportunitiesResult:
    """Whom should we contact with what, when, and what would it add?

    What customers do unasked comes from `forecast`, `repurchase_points` (the window) and `next_product`; what an action adds is
    the value at stake times the action's effect. An effect is what an experiment of yours showed (`measured`), else your own
    prior (`effects`), else a stated prior, wide on purpose: nothing here was measured by the log. The table `actions` shows each
    with its source. A customer gets the actions that add most after their cost, at most `contacts`; where there is a budget,
    rows that add most for each unit of cost come first. Low and high are those of the effect alone; for a sum over customers
    they hold for all at once, as the doubt about an effect is shared.

    *Remind*, *cross-sell*, *up-sell* and *bundle* fit customers whose window is open or opens within `ahead`; *win back* those
    whose window has passed; *loyalty reward* the tenth worth most with five orders or more; *ask for a referral* those who have
    recommended or gave one of the best scores; *thank* those who ordered in the last 14 days. Who had a refund, return,
    complaint or cancellation in the last 30 days, or has left in all likelihood (chance under 5%), is left alone.

    Who is held out is drawn by a hash (BLAKE2b) of `salt` and customer: as good as at random, and the same in every later run
    and on new data, so that the assignment needs no file; the budget's line is the same for them. Later `holdout_effect`
    compares the orders of both groups, and writes what it finds as `measured` takes it.

    Args:
        budget: What all contacts together may cost; no limit unless given.
        cost_per_contact: What one contact costs, in place of the actions' own costs.
        contacts: How many contacts one customer may get.
        margin: The share of an order's value that is left after what it costs to fill it.
        ahead: How far ahead contacts are planned.
        holdout: The share of customers who are not contacted, to measure against.
        salt: What the draw is keyed with; the study's name unless given. Another one gives another group.
        effects: Your own priors as action=low:mid:high, such as remind=0.01:0.03:0.06 for a chance to order that rises by 1% to 6%.
        measured: What experiments of yours showed, written likewise; see `holdout_effect`.
    """
    _check(budget, contacts)
    said = effects_of(effects, measured, cost_per_contact)
    whole = whole_histories(study)
    fold, lines = contact_facts(whole), order_lines(whole)
    met, read = whole.fold_all([fold, lines])
    facts = facts_of(whole.log, fold, met)
    points, expected, products = (
        study.result(repurchase_points),
        study.result(forecast),
        study.result(next_product),
    )
    book = book_of(points.tables["due"], expected.tables["customers"], products.tables["products"], facts)
    today = int(local_days(np.array([last_moment(whole.log)]), study.zone)[0])
    salt = study.name if salt is None else salt
    held = held_out(book.customer, salt, holdout)
    plan = _plan(book, said, today, round(ahead.days), contacts, margin, budget, held)
    actions = _actions(plan)
    return OpportunitiesResult(
        opportunities=_table(plan),
        actions=actions,
        totals=_totals(plan, actions, holdout, salt),
        findings=findings_of(
            study.currency if plan.by_money else None, len(plan.book), plan.extra_orders, actions
        ),
        warnings=(*warnings_of(whole, seen_of(whole, lines, read)), *_unforecast(book)),
    )


def _unforecast(book: Book) -> list[str]:
    if not len(book) or not np.isnan(book.p_alive).all():
        return []
    said = "There is no forecast of each customer (see `forecast`): chances are those of the windows alone, "
    return [f"{said}a loyalty reward can't be valued, and an order counts as the mean of all."]


def _check(budget: float | None, contacts: int) -> None:
    if contacts < 1:
        raise InvalidParameter(
            f"{contacts} contacts a customer are none.", where="contacts", hint="Give 1 or more."
        )
    if budget is not None and budget < 0:
        raise InvalidParameter(f"A budget can't be {budget:g}.", where="budget", hint="Give 0 or more.")


def held_out(customers: pa.Array, salt: str, share: float) -> NDArray[np.bool_]:
    """Who is held out: the first 8 bytes of BLAKE2b of `salt:customer`, read as a number from 0 to 1, below the share."""
    if share >= 1:
        return np.ones(len(customers), dtype=bool)
    start, names = f"{salt}:".encode(), customers.cast(pa.binary()).to_pylist()
    digests = b"".join([hashlib.blake2b(start + name, digest_size=8).digest() for name in names])
    return np.frombuffer(digests, dtype=">u8") < np.uint64(share * 2**64)


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is to be done: the rows to act on by rank, and why others are left alone."""

    book: Book
    effects: dict[str, Effect]
    fits: dict[str, Fit]
    rows: Rows
    held: NDArray[np.bool_]
    left: NDArray[np.int64]
    left_because: pa.DictionaryArray
    by_money: bool

    @property
    def extra_orders(self) -> float:
        """What all contacts should add in orders."""
        return float(self.rows.orders[~self.held[self.rows.buyer]].sum())


def _plan(
    book: Book, effects: dict[str, Effect], today: int, ahead: int, contacts: int, margin: float, budget: float | None,
    held: NDArray[np.bool_],
) -> _Plan:  # fmt: skip
    fits = fits_of(book, today, ahead)
    by_money = bool((~np.isnan(book.order_value)).any())
    rows = best_per_customer(rows_of(fits, effects, margin, by_money), contacts)
    kept = within_budget(rows, held, budget)
    wanted, cut = np.ones(len(book), dtype=bool), np.zeros(len(book), dtype=bool)
    cut[rows.buyer[~kept]] = True
    rows = rows.keep(kept)
    rows = rows.keep(np.lexsort((rows.action, rows.buyer, -rows.net)))
    wanted[rows.buyer] = False
    because = why_left(book, today, ahead, wanted, cut)
    return _Plan(book, effects, fits, rows, held, np.flatnonzero(wanted), because, by_money)


def _table(plan: _Plan) -> pa.Table:
    rows, book, left = plan.rows, plan.book, plan.left
    names = [*plan.effects, LEAVE]
    when, product = _whens(plan)
    buyer = np.concatenate([rows.buyer, left])
    action = np.concatenate([rows.action, np.full(left.size, len(plan.effects))])
    acted = action < len(plan.effects)
    basis = pa.array([effect.in_words for effect in plan.effects.values()])
    nothing, unknown = np.zeros(left.size), np.full(left.size, np.nan)
    money = {name: np.concatenate([getattr(rows, name), nothing]) if plan.by_money else np.full(len(buyer), np.nan)
             for name in ("mid", "low", "high")}  # fmt: skip
    return table(
        rank=np.arange(1, len(buyer) + 1),
        customer=book.customer.take(pa.array(buyer)),
        action=pa.DictionaryArray.from_arrays(pa.array(action.astype(np.int32)), pa.array(names)),
        when=_days(np.concatenate([when, unknown])),
        channel=book.channel.take(pa.array(buyer, mask=~acted)),
        product=pa.concat_arrays([product, pa.nulls(left.size, pa.string())]),
        expected_value=known(money["mid"]),
        low=known(money["low"]),
        high=known(money["high"]),
        basis=pa.DictionaryArray.from_arrays(pa.array(action.astype(np.int32), mask=~acted), basis),
        holdout=plan.held[buyer],
        cost=np.concatenate([rows.cost, nothing]),
        extra_orders=np.concatenate([rows.orders, nothing]),
        base=known(np.concatenate([rows.base, unknown])),
        reason=one_dictionary([reasons(plan.fits, rows, list(plan.effects)), plan.left_because]),
    )


def _whens(plan: _Plan) -> tuple[NDArray[np.float64], pa.Array]:
    """The day and the product of each row to act on."""
    rows = plan.rows
    when = np.zeros(len(rows.buyer))
    parts, places = [pa.array([], pa.string())], [np.zeros(0, dtype=np.int64)]
    for number, name in enumerate(plan.effects):
        mine = np.flatnonzero(rows.action == number)
        when[mine] = plan.fits[name].when[rows.buyer[mine]]
        parts.append(plan.fits[name].product.take(pa.array(rows.buyer[mine])))
        places.append(mine)
    back = np.argsort(np.concatenate(places), kind="stable")
    return when, pa.concat_arrays(parts).take(pa.array(back))


def _days(numbers: NDArray[np.float64]) -> pa.Array:
    unknown = np.isnan(numbers)
    return pa.array(np.where(unknown, 0, numbers).astype(np.int64).astype("datetime64[D]"), mask=unknown)


def _actions(plan: _Plan) -> pa.Table:
    rows = [_action(plan, number, effect) for number, effect in enumerate(plan.effects.values())]
    left = dict.fromkeys(OpportunitiesResult.columns()["actions"]) | {
        "action": LEAVE, "listed": len(plan.left), "contacted": 0, "held_out": 0, "cost": 0.0,
    }  # fmt: skip
    text, whole = ("action", "of", "basis", "source"), ("listed", "contacted", "held_out")
    columns = {
        name: pa.array(
            [row[name] for row in (*rows, left)],
            pa.string() if name in text else pa.int64() if name in whole else pa.float64(),
        )
        for name in left
    }
    return table(**columns)


def _action(plan: _Plan, number: int, effect: Effect) -> dict[str, Any]:
    mine = plan.rows.keep(plan.rows.action == number)
    held = plan.held[mine.buyer]
    told = mine.keep(~held)
    sums = {name: float(getattr(told, part).sum()) if plan.by_money else None
            for name, part in (("expected_value", "mid"), ("low", "low"), ("high", "high"))}  # fmt: skip
    return {
        "action": effect.action, "listed": len(mine.buyer), "contacted": len(told.buyer), "held_out": int(held.sum()), **sums,
        "cost": float(told.cost.sum()), "effect_low": effect.low, "effect": effect.mid, "effect_high": effect.high, "of": effect.of,
        "basis": effect.basis, "source": effect.source, "detectable": _detectable(mine.base, held) if effect.of == "next order" else None,
    }  # fmt: skip


def _totals(plan: _Plan, actions: pa.Table, holdout: float, salt: str) -> pa.Table:
    rows = [row for row in actions.to_pylist() if row["action"] != LEAVE]
    sums = {
        name: float(sum(row[name] for row in rows)) if plan.by_money else np.nan
        for name in ("expected_value", "low", "high")
    }
    return table(
        customers=[len(plan.book)],
        left_alone=[len(plan.left)],
        contacts=[sum(row["contacted"] for row in rows)],
        held_out=[sum(row["held_out"] for row in rows)],
        **{name: known(np.array([value])) for name, value in sums.items()},
        cost=[sum(row["cost"] for row in rows)],
        holdout=[float(holdout)],
        salt=[salt],
    )


def _detectable(base: NDArray[np.float64], held: NDArray[np.bool_]) -> float | None:
    """The relative rise of the mean chance that two groups of these sizes show with 80% power at the 5% level."""
    contacted, out = int((~held).sum()), int(held.sum())
    chance = float(base.mean()) if len(base) else 0.0
    if min(contacted, out) < 10 or not 0 < chance < 1:
        return None
    spread = np.sqrt(chance * (1 - chance) * (1 / contacted + 1 / out))
    return float((z_of(0.95) + z_of(0.6)) * spread / chance)
