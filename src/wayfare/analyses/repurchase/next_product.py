"""What each customer buys next: the same again, something new, something dearer, several at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analyses._observed import whole_histories
from wayfare.analyses.repurchase._basket_lines import Bought, basket_lines, bought
from wayfare.analyses.repurchase._cross_sell import Leads, leads
from wayfare.analyses.repurchase._offers import bulk, cross_sell, up_sell
from wayfare.analyses.repurchase._product_models import ENOUGH, Trial, trial
from wayfare.analyses.repurchase._product_rows import known, product_rows
from wayfare.analyses.repurchase._said import order_lines, seen_of, warnings_of
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.parameters import Property
from wayfare.domain.words import counted
from wayfare.errors import InvalidParameter
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.intervals import z_of
from wayfare.stats.recommenders import recommend
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class NextProductResult(Result):
    """What each customer is likely to buy next, and what could be offered beside it."""

    products: Annotated[
        pa.Table,
        Columns(
            customer="who has bought something",
            rank="place among the customer's products: first what is likely, then at most one offer of each other sort",
            product="what",
            score="what the recommender gives it; for offers what speaks for them (see the description)",
            kind="`repeat`: had before; `new`: not had, but others of its kind; `cross_sell`: of a kind never had; "
            "`up_sell`: a dearer one of the kind; `bulk`: several at once",
            reason="why, in words",
            chance="how often a product at this place was in the held-out order; for cross-sell, how often a repeat order "
            "held the kind; null where too few to say",
            price="what one of it costs on average; null where the log has no values",
            gain="money that it adds if it is taken; null where no price is known",
        ),
    ]
    models: Annotated[
        pa.Table,
        Columns(
            model="the recommender",
            recall="share of the held-out basket among the first ten products (a third of all where there are 30 or fewer)",
            low="lower end of the recall's 95% interval",
            high="upper end",
            recall_repeat="the same of what the customer had bought before",
            recall_explore="the same of what was new to the customer",
            ndcg="normalised discounted cumulative gain of the same products",
            n="customers whose last basket was held out",
            chosen="whether it makes the list of products",
        ),
    ]
    cross_sell: Annotated[
        pa.Table,
        Columns(
            category_from="the kind that a customer has had (the product, where the log has no column `category`)",
            category_to="the kind not had yet",
            customers="customers who had the one, not yet the other, and ordered again",
            lift="how many times as often the other is first bought at a repeat order, as without the one before; null under "
            "ten first purchases on either side",
            low="lower end of the lift's 95% interval",
            high="upper end",
            rate="first purchases of the other a repeat order, after the one",
        ),
    ]

    def draw(self) -> Picture | None:
        """Each recommender's recall on the baskets held out."""
        if not self.models.num_rows or max(self.models["n"].to_pylist()) < ENOUGH:
            return None
        return _recalls(self)


@analysis
def next_product(
    study: Study, *, k: int = 5, item: Property | None = None, customers: int | None = None
) -> NextProductResult:
    """What does each customer buy next, and what else could be offered?

    Six recommenders are fitted without the last order of customers with three orders or more, and the one with the highest
    recall on those orders (the simplest of equals) makes the list: most popular; personal frequency; the same with popularity
    for ties; decayed frequency with what is popular of late; item neighbours (cosine); TIFU-KNN (Hu et al. 2020, up to 50,000
    customers). Repeat purchases are easy to guess and new ones hard, so recall is told apart for both (Li et al. 2023). Held-out
    orders of different customers lie at different times, so that a forecast of a coming season is harder than this. Under
    30 such customers it is *too few to say*, and personal frequency is used.

    After the first `k` come offers. *Cross-sell*: the kind that those had so far most raise, where the lift is beyond 1
    for sure; score and chance are first purchases a repeat order. *Up-sell*: the most similar product (cosine over customers)
    of the kind of the customer's likeliest product, 1.1 to 2.5 times as dear, had by five customers who had both; needs a column `category`. *Bulk*: what is in at least
    four orders and half of them, at most 60 days apart; the score is that share, the gain two more of the usual quantity,
    bought now instead of later. That an offer fits does not say that making it changes anything: see `opportunities`.

    Args:
        k: How many likely products are named for each customer.
        item: The column that says what is bought; `product` unless given.
        customers: Names only the products of this many customers, those with the most orders; of all unless given.
    """
    if k < 1 or (customers is not None and customers < 1):
        raise InvalidParameter("Give 1 or more.", where="k" if k < 1 else "customers")
    column = item or "product"
    if column not in study.log.schema:
        return _nothing(
            f"The log has no column {column!r}: what customers buy next can't be said. Ingest order lines with it."
        )
    study = whole_histories(study)
    fold, orders = basket_lines(study, column), order_lines(study)
    found, read = study.fold_all([fold, orders])
    seen, lines = seen_of(study, orders, read), bought(study, fold, found)
    warnings = warnings_of(study, seen)
    if not len(lines.customers):
        return _nothing(
            f"No order line with a {column} and a value above zero yet: what customers buy next can't be said.",
            warnings,
        )
    if not seen.one_currency:
        lines = replace(lines, price=np.full(len(lines.price), np.nan))
    return replace(_answer(study, lines, k, _most_orders(lines, customers)), warnings=warnings)


def _most_orders(lines: Bought, customers: int | None) -> NDArray[np.int64]:
    if customers is None or customers >= len(lines.customers):
        return np.arange(len(lines.customers))
    return np.sort(np.argsort(-lines.orders, kind="stable")[:customers])


def _answer(study: Study, lines: Bought, k: int, who: NDArray[np.int64]) -> NextProductResult:
    tried = trial(lines)
    ranking = recommend(lines.baskets, tried.best, k, who)
    own = lines.baskets.summed()
    found = leads(lines)
    everybody = np.arange(len(lines.customers))
    usual = ranking if who.size == everybody.size else recommend(lines.baskets, tried.best, 1)
    now = study.log.ends // 86_400_000_000
    offers = cross_sell(lines, found), up_sell(lines, own, usual), bulk(lines, now)
    products = product_rows(lines, ranking, who, own, tried, *offers, study.currency)
    return NextProductResult(
        products=products,
        models=_models(tried),
        cross_sell=_pairs(lines, found),
        findings=_findings(lines, tried, found, offers[2].customer.size, offers[0].customer.size),
    )


def _models(tried: Trial) -> pa.Table:
    names, found = list(tried.found), list(tried.found.values())
    half = z_of(0.95) * np.array([f.error for f in found], dtype=float)
    recall = np.array([f.recall for f in found], dtype=float)
    return table(
        model=pa.array(names, pa.string()),
        recall=known(recall),
        low=known(np.maximum(recall - half, 0)),
        high=known(np.minimum(recall + half, 1)),
        **{
            n: known(np.array([getattr(f, n) for f in found], dtype=float))
            for n in ("recall_repeat", "recall_explore", "ndcg")
        },
        n=np.array([f.n for f in found], dtype=np.int64),
        chosen=pa.array([name == tried.best for name in names], pa.bool_()),
    )


def _pairs(lines: Bought, found: Leads) -> pa.Table:
    one, other = np.nonzero(found.customers > 0)
    names = np.array(lines.categories, dtype=object)[found.kinds]
    lift = found.lift[one, other]
    by = sorted(range(len(one)), key=lambda i: (-np.nan_to_num(lift[i]), names[one[i]], names[other[i]]))
    one, other = one[by], other[by]
    return table(
        category_from=pa.array(names[one], pa.string()),
        category_to=pa.array(names[other], pa.string()),
        customers=found.customers[one, other],
        **{n: known(getattr(found, n)[one, other]) for n in ("lift", "low", "high", "rate")},
    )


def _findings(lines: Bought, tried: Trial, found: Leads, steady: int, crossing: int) -> tuple[Finding, ...]:
    said = [_how_well(tried)]
    sure = np.where(np.nan_to_num(found.low) > 1, found.lift, 0.0)
    if sure.any():
        one, other = np.unravel_index(np.argmax(sure), sure.shape)
        names = [lines.categories[kind] for kind in found.kinds]
        said.append(
            Finding(
                f"Who has bought {names[one]} comes to {names[other]} {found.lift[one, other]:.1f} times as often as others (95% interval "
                f"{found.low[one, other]:.1f}–{found.high[one, other]:.1f}); {crossing:,} customers have a kind ahead of them that "
                "what they bought leads to.",
                customers=crossing,
            )
        )
    if steady:
        said.append(
            Finding(
                f"{counted(steady, 'customer')} {'buys' if steady == 1 else 'buy'} one product at so steady a pace that several at once make sense.",
                customers=steady,
            )
        )
    return tuple(said)


def _how_well(tried: Trial) -> Finding:
    n = max((its.n for its in tried.found.values()), default=0)
    if n < ENOUGH:
        return Finding(
            "Too few to say how well the next order can be guessed: "
            f"{counted(n, 'customer')} {'has' if n == 1 else 'have'} three orders or more."
        )
    best = tried.found[tried.best]
    parts = [
        f"{share:.0%} of what they {said}"
        for share, said in ((best.recall_repeat, "had before"), (best.recall_explore, "had not"))
        if share == share  # noqa: PLR0124 - nan where no basket holds any
    ]
    return Finding(
        f"{'The likeliest product' if tried.at == 1 else f'The {tried.at} likeliest products'} of each customer "
        f"{'holds' if tried.at == 1 else 'hold'} {best.recall:.0%} of the next order, measured on the last order of "
        f"{n:,} customers: {' and '.join(parts)}.",
        customers=n,
    )


def _nothing(said: str, warnings: tuple[str, ...] = ()) -> NextProductResult:
    empty = {
        name: table(**{column: pa.array([], _TYPES.get(column, pa.float64())) for column in columns})
        for name, columns in NextProductResult.columns().items()
    }
    return NextProductResult(**empty, findings=(Finding(said),), warnings=warnings)


_TEXT = ("customer", "product", "kind", "reason", "model", "category_from", "category_to")
_TYPES = (
    {name: pa.string() for name in _TEXT}
    | {name: pa.int64() for name in ("rank", "n", "customers")}
    | {"chosen": pa.bool_()}
)


def _recalls(result: NextProductResult) -> Picture:
    from wayfare.charts.plots import bars

    rows = result.models.to_pylist()
    chosen = next(row["model"] for row in rows if row["chosen"])
    return bars(
        result.models, "recall", "model", low="low", high="high", percent=True, highlight=chosen, title=result.findings[0].text,
        subtitle="Share of the held-out order among the products that each recommender names, with 95% intervals; the chosen one in blue.",
        note=f"n = {rows[0]['n']:,} customers with three orders or more; the last one held out.",
    )  # fmt: skip
