"""Who answered, and what would the answer be if everybody had?

Answers are counted by cell: a combination of attributes known of every customer. Weights bring the cells to
their shares of the customer base (Holt & Smith 1979, JRSS A 142). What the attributes don't know stays biased.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wayfare.errors import InvalidParameter
from wayfare.stats.intervals import Floats, Numbers
from wayfare.stats.proportions import wilson


@dataclass(frozen=True, slots=True, eq=False)
class PostStratification:
    """What each cell's answers weigh, and what the weighting costs.

    Attributes:
        weight: Of one answer, by cell; the mean over answers is 1; 0 in a cell that is not in the base.
        empty: Which cells of the base hold no answer, by cell: nothing is known of them.
        covered: The share of the customer base in cells that hold an answer.
        n: How many answers count: those in cells of the base.
        design_effect: By how much the variance grows for the weights, n·Σw²/(Σw)² (Kish 1965, Survey Sampling).
        effective_n: n / design_effect.
    """

    weight: Floats
    empty: npt.NDArray[np.bool_]
    covered: float
    n: float
    design_effect: float
    effective_n: float

    def effective(self, counts: Numbers) -> Any:
        """Weighted sums over the cells that add up to the effective n: ready for any interval of counts.

        `counts` has one cell a row: (cells,) or (cells, ...); so promoters by cell become effective
        promoters, and `nps`, `wilson` or `mean_of_answers` take them as they are.

        Raises:
            InvalidParameter: there is not one row a cell.
        """
        table = np.asarray(counts, dtype=float)
        if table.ndim == 0 or table.shape[0] != self.weight.size:
            raise InvalidParameter(
                f"Counts of shape {table.shape} don't fit {self.weight.size} cells.",
                where="counts",
                hint="Give one row a cell.",
            )
        if not self.n:
            return np.zeros(table.shape[1:])[()]
        return np.tensordot(self.weight / self.design_effect, table, axes=(0, 0))[()]


def post_stratify(answered: Numbers, base: Numbers) -> PostStratification:
    """What should an answer of each cell weigh, so that the cells count as in the customer base?

    Args:
        answered: How many answered, by cell.
        base: How many customers there are, by cell.

    Returns:
        A `PostStratification`; NaN design effect without an answer. Cells with customers and no answer are
        left out and named in `empty`: the result speaks for the `covered` share only.

    Raises:
        InvalidParameter: a count is negative, the arrays differ in length, or the base is empty.
    """
    n, customers = _cells(answered, base)
    if not customers.sum():
        raise InvalidParameter("The customer base is empty.", where="base", hint="Give its cells' sizes.")
    usable = (n > 0) & (customers > 0)
    weight = np.zeros(n.size)
    weight[usable] = customers[usable] / n[usable]
    total = float(n[usable].sum())
    weight = weight * (total / customers[usable].sum()) if total else weight
    effect = float((n * weight**2).sum() / total) if total else float("nan")
    return PostStratification(
        weight=weight,
        empty=(n == 0) & (customers > 0),
        covered=float(customers[usable].sum() / customers.sum()),
        n=total,
        design_effect=effect,
        effective_n=total / effect if total else 0.0,
    )


@dataclass(frozen=True, slots=True, eq=False)
class ResponseBias:
    """How those who answered differ from those who were there to answer, by one attribute.

    Attributes:
        answered_share: Each level's share of those who answered.
        base_share: Its share of the customer base.
        response_rate: The share of the level's customers that answered.
        low: The lower bound of the response rate (Wilson).
        high: The upper bound.
        p: Of equal response rates in all levels (Pearson's χ²); NaN where there is nothing to compare.
        representativity: 1 where all levels answer alike, 0 at worst: the R-indicator, 1 − 2 × the standard
            deviation of the response rate over customers (Schouten, Cobben & Bethlehem 2009).
        total_shift: Which share of the answers would have to change level to look like the base.
    """

    answered_share: Floats
    base_share: Floats
    response_rate: Floats
    low: Floats
    high: Floats
    p: float
    representativity: float
    total_shift: float


def response_bias(answered: Numbers, base: Numbers, confidence: float = 0.95) -> ResponseBias:
    """Who answers more than others, and by how much?

    Args:
        answered: How many customers answered, by level of the attribute.
        base: How many there are, those who answered among them.
        confidence: That of the response rates' intervals.

    Raises:
        InvalidParameter: more answered than there are, a count is negative, or the lengths differ.
    """
    n, customers = _cells(answered, base)
    if (n > customers).any():
        level = int(np.argmax(n - customers))
        raise InvalidParameter(
            f"In level {level} {n[level]:g} answered of {customers[level]:g} customers.",
            where="answered",
            hint="Count customers, not answers, and give the whole customer base.",
        )
    rate = wilson(n, customers, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates, overall = n / customers, n.sum() / customers.sum()
        shares, base_shares = n / n.sum(), customers / customers.sum()
        spread = np.nansum(base_shares * (rates - overall) ** 2)
    return ResponseBias(
        answered_share=shares,
        base_share=base_shares,
        response_rate=rates,
        low=np.asarray(rate.low),
        high=np.asarray(rate.high),
        p=_p_of_equal_rates(n, customers),
        representativity=float(1 - 2 * np.sqrt(spread)) if customers.sum() else float("nan"),
        total_shift=float(np.abs(shares - base_shares).sum() / 2),
    )


def _p_of_equal_rates(n: Floats, customers: Floats) -> float:
    from scipy.special import chdtrc

    there = customers > 0
    n, customers = n[there], customers[there]
    if n.size < 2 or not 0 < n.sum() < customers.sum():
        return float("nan")
    overall = n.sum() / customers.sum()
    statistic = ((n - customers * overall) ** 2 / (customers * overall * (1 - overall))).sum()
    return float(chdtrc(n.size - 1, statistic))


def _cells(answered: Numbers, base: Numbers) -> tuple[Floats, Floats]:
    n, customers = np.asarray(answered, dtype=float), np.asarray(base, dtype=float)
    if n.ndim != 1 or n.shape != customers.shape:
        raise InvalidParameter(
            f"Answers in {n.shape} and customers in {customers.shape} cells don't fit together.",
            where="answered, base",
            hint="Give one count a cell in each.",
        )
    if not ((n >= 0).all() and (customers >= 0).all()):
        raise InvalidParameter("A count is negative or missing.", where="answered, base")
    return n, customers
