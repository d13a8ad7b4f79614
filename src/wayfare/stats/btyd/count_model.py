"""Models of how many orders a customer places: their covariates, their predictions, and what they must state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

from wayfare.errors import BadInput, InvalidParameter
from wayfare.stats.btyd.covariates import read_covariates
from wayfare.stats.btyd.fitting import Objective
from wayfare.stats.btyd.model import Model, Problem
from wayfare.stats.btyd.quadrature import legendre_nodes
from wayfare.stats.btyd.summary import (
    Floats,
    Indices,
    Rows,
    distinct_rows,
    fewer_rows,
    groups_within,
    read_rows,
    repeaters,
    rows_of,
)

Theta = tuple[Any, ...]
GivenAlive = Callable[[Theta, Floats, Floats, Any], Floats]


class CountModel(Model):
    """A model of frequency, recency and age.

    A model states `_log_likelihood` (of each row, with its slopes in the natural parameters), `_alive`, and for
    a customer who is alive `_orders` (expected in a time), `_buys` (the chance of one or more), `_wait` (the
    time in which that chance reaches a share) and `_simulate`; and `_count` of a new customer.

    Attributes:
        rate_scaled: The parameters that covariates of the purchase rate multiply by exp(sign · γ'z).
        dropout_scaled: Those that covariates of the drop-out multiply.
    """

    rate_scaled: ClassVar[Mapping[str, int]] = {}
    dropout_scaled: ClassVar[Mapping[str, int]] = {}

    def fit(self, summary: Any, *, rate: Any = None, dropout: Any = None) -> Self:
        """Fit by maximum likelihood on the distinct rows of the summary.

        Args:
            summary: A table with `frequency, recency, age` and optionally `weight`; see `Rows`.
            rate: Covariates of the purchase rate, one row a customer: a matrix or a table of named columns.
            dropout: Covariates of the drop-out.

        Raises:
            BadInput: nobody has bought twice, or a value is impossible.
        """
        rows = read_rows(summary)
        rate_names, rate_values = self._read_covariates(rate, rows, "rate")
        drop_names, drop_values = self._read_covariates(dropout, rows, "dropout")
        if repeaters(rows) == 0:
            raise BadInput(
                "No customer has bought twice, so there is no pace of re-purchase to fit.",
                where="summary",
                hint="Wait for repeat orders, or take a longer record.",
            )
        distinct, first = fewer_rows(rows, *rate_values.T, *drop_values.T)
        problem = self._problem_of(distinct, rate_values[first], drop_values[first])
        if rate_names or drop_names:
            # The plain optimum with no effect of any covariate is where the search starts.
            plain = self._optimum(self._problem_of(distinct, *(np.zeros((first.size, 0)),) * 2)).point
            start = np.concatenate((plain, np.zeros(len(rate_names) + len(drop_names))))
            problem = replace(problem, start=start)
        return self._solve(problem, rate_names, drop_names)

    def predict_alive(self, summary: Any, *, rate: Any = None, dropout: Any = None) -> Floats:
        """The chance that each customer will ever order again, as far as the model goes: P(alive)."""
        theta, rows = self._read(summary, rate, dropout)
        return self._alive(theta, rows)

    def predict_orders(self, summary: Any, horizon: Any, *, rate: Any = None, dropout: Any = None) -> Floats:
        """How many orders each customer is expected to place within `horizon` from the end of the record.

        Args:
            summary: As in `fit`.
            horizon: A time, or one a customer, in the unit of the ages.
            rate: Covariates, where the model was fitted with them.
            dropout: Covariates, where the model was fitted with them.
        """
        theta, rows = self._read(summary, rate, dropout)
        return self._alive(theta, rows) * self._given_alive(self._orders, theta, rows, _time(horizon))

    def predict_buy(self, summary: Any, horizon: Any, *, rate: Any = None, dropout: Any = None) -> Floats:
        """The chance that each customer places one order or more within `horizon`."""
        theta, rows = self._read(summary, rate, dropout)
        return self._alive(theta, rows) * self._given_alive(self._buys, theta, rows, _time(horizon))

    def predict_next(
        self, summary: Any, quantiles: Sequence[float], *, rate: Any = None, dropout: Any = None
    ) -> Floats:
        """By when will each customer have ordered again, with each of these chances?

        Returns:
            Times from the end of the record, shape (customers, quantiles); infinite where the chance that the
            customer ever orders again is below the quantile.
        """
        wanted = np.asarray(quantiles, dtype=float)
        if not ((wanted >= 0) & (wanted <= 1)).all():
            raise InvalidParameter(
                "A quantile is no share.", where="quantiles", hint="Give numbers from 0 to 1."
            )
        theta, rows = self._read(summary, rate, dropout)
        alive = self._alive(theta, rows)
        times = np.full((rows.age.size, wanted.size), np.inf)
        for place, quantile in enumerate(wanted):
            reached = np.flatnonzero(alive > quantile)
            own = tuple(np.broadcast_to(value, rows.age.shape)[reached] for value in theta)
            share = quantile / alive[reached]
            times[reached, place] = self._wait(own, rows.frequency[reached], rows.age[reached], share)
        return times

    def predict_discounted(
        self, summary: Any, rate_of_discount: float, horizon: float, *, rate: Any = None, dropout: Any = None
    ) -> Floats:
        """Expected orders within `horizon`, each worth exp(−discount · time) of one today (DERT).

        Integrated by parts: e^(−δH)·E[Y(H)] + δ·∫ e^(−δu) E[Y(u)] du. A horizon of 30/δ stands for ever.
        """
        theta, rows = self._read(summary, rate, dropout)
        nodes, weights = legendre_nodes(40)
        stretch = np.log1p(horizon / self._pace(rows))
        times = self._pace(rows) * np.expm1(stretch * nodes)
        weights = (
            weights
            * stretch
            * (times + self._pace(rows))
            * rate_of_discount
            * np.exp(-rate_of_discount * times)
        )

        def discounted(own: Theta, x: Floats, age: Floats, end: Any) -> Floats:
            total = np.exp(-rate_of_discount * end) * self._orders(own, x, age, end)
            for time, weight in zip(times, weights, strict=True):
                total = total + weight * self._orders(own, x, age, np.asarray(time))
            return total

        return self._alive(theta, rows) * self._given_alive(
            discounted, theta, rows, np.asarray(float(horizon))
        )

    def expected_new(self, t: Any) -> Any:
        """How many repeat orders a new customer is expected to place within `t` after the first: E[X(t)]."""
        times = np.atleast_1d(_time(t))
        nobody = np.zeros(times.size)
        rows = rows_of(nobody, nobody, nobody, np.ones(times.size))
        theta = self._theta()
        expected = self._alive(theta, rows) * self._orders(theta, nobody, nobody, times)
        return expected if np.ndim(t) else float(expected[0])

    def p_count(self, n: Any, t: Any) -> Any:
        """The chance that a new customer places exactly `n` repeat orders within `t` after the first."""
        counts, times = np.broadcast_arrays(np.asarray(n, dtype=float), _time(t))
        shares = self._count(self._theta(), np.atleast_1d(counts), np.atleast_1d(times))
        return shares if counts.ndim else float(shares[0])

    def total_draws(
        self, summary: Any, horizon: float, *, draws: int, seed: int, method: str = "laplace"
    ) -> Floats:
        """Totals of orders within `horizon` that could come: the parameters drawn, chance added.

        The spread by chance is that of simulated customers at the fitted parameters, taken as normal.
        """
        theta, rows = self._read(summary, None, None)
        kinds, _ = distinct_rows(rows)
        rng = np.random.default_rng(seed)
        expected = self._alive(theta, kinds) * self._given_alive(self._orders, theta, kinds, _time(horizon))
        trials = max(8, min(64, 400_000 // kinds.age.size))
        apart = [(self._simulate(theta, kinds, horizon, rng) - expected) ** 2 for _ in range(trials)]
        by_chance = np.sqrt(kinds.weight @ np.mean(apart, axis=0))
        table = {name: getattr(kinds, name) for name in ("frequency", "recency", "age")}
        models = (self.at(draw) for draw in self.draws(draws, seed, method))
        totals = np.array([kinds.weight @ model.predict_orders(table, horizon) for model in models])
        return np.maximum(totals + by_chance * rng.standard_normal(draws), 0.0)

    def simulate(self, summary: Any, horizon: float, seed: int) -> Floats:
        """Orders within `horizon` that each customer might place: one draw each at the fitted parameters."""
        theta, rows = self._read(summary, None, None)
        return self._simulate(theta, rows, horizon, np.random.default_rng(seed))

    def _log_likelihood(self, theta: Theta, rows: Rows) -> tuple[Floats, tuple[Any, ...]]:
        raise NotImplementedError

    def _totals(self, theta: Theta, rows: Rows) -> tuple[float, list[float]]:
        """What `_log_likelihood` adds up to, where all rows share the parameters."""
        values, slopes = self._log_likelihood(theta, rows)
        return float(rows.weight @ values), [float(np.sum(rows.weight * slope)) for slope in slopes]

    def _alive(self, theta: Theta, rows: Rows) -> Floats:
        raise NotImplementedError

    def _orders(self, theta: Theta, x: Floats, age: Floats, horizon: Any) -> Floats:
        raise NotImplementedError

    def _buys(self, theta: Theta, x: Floats, age: Floats, horizon: Any) -> Floats:
        raise NotImplementedError

    def _wait(self, theta: Theta, x: Floats, age: Floats, share: Floats) -> Floats:
        raise NotImplementedError

    def _simulate(self, theta: Theta, rows: Rows, horizon: float, rng: np.random.Generator) -> Floats:
        raise NotImplementedError

    def _count(self, theta: Theta, n: Floats, t: Floats) -> Floats:
        raise NotImplementedError

    def _pace(self, rows: Rows) -> float:
        """A time within which expected orders grow about linearly."""
        return float(np.mean(rows.age)) / 4 + 1e-3

    def _read(self, summary: Any, rate: Any, dropout: Any) -> tuple[Theta, Rows]:
        rows, known = read_rows(summary), self._known
        found = [
            self._read_covariates(values, rows, kind)
            for values, kind in ((rate, "rate"), (dropout, "dropout"))
        ]
        for (names, _), wanted in zip(found, (known.rate, known.dropout), strict=True):
            if len(names) != len(wanted):
                raise InvalidParameter(
                    f"The model was fitted with the covariates {list(wanted)}, {list(names)} are given.",
                    where="covariates",
                    hint="Give predictions the covariates of the fit, as rate= and dropout=.",
                )
        return self._theta(found[0][1], found[1][1]), rows

    def _theta(self, rate: Floats | None = None, dropout: Floats | None = None) -> Theta:
        return self._theta_at(self._known.point, rate, dropout)

    def _theta_at(self, point: Floats, rate: Floats | None, dropout: Floats | None) -> Theta:
        size = len(self.names)
        logs: list[Any] = list(point[:size])
        used = size
        for values, scaled in ((rate, self.rate_scaled), (dropout, self.dropout_scaled)):
            if values is None or values.shape[1] == 0:
                continue
            effect = values @ point[used : used + values.shape[1]]
            used += values.shape[1]
            for name, sign in scaled.items():
                logs[self.names.index(name)] = logs[self.names.index(name)] + sign * effect
        return tuple(np.exp(value) for value in logs)

    def _read_covariates(self, values: Any, rows: Rows, kind: str) -> tuple[tuple[str, ...], Floats]:
        if values is None:
            return (), np.zeros((rows.age.size, 0))
        if not (self.rate_scaled if kind == "rate" else self.dropout_scaled):
            raise InvalidParameter(f"{type(self).__name__} takes no covariates of the {kind}.", where=kind)
        return read_covariates(values, rows.age.size, kind)

    def _problem_of(self, rows: Rows, rate: Floats, dropout: Floats) -> Problem:
        unit = np.log(max(float(np.sum(rows.weight * rows.age)) / rows.customers, 1e-9))
        in_time = np.array([unit if name in self.in_time else 0.0 for name in self.names])
        further = np.zeros(rate.shape[1] + dropout.shape[1])
        start = np.concatenate((np.log(self.first_guess) + in_time, further))

        def weighted(weight: Floats) -> Objective:
            own = rows.weighing(weight)
            return lambda point: self._objective(point, own, rate, dropout)

        def part(chosen: Indices, weight: Floats) -> Problem:
            some = rows_of(rows.frequency[chosen], rows.recency[chosen], rows.age[chosen], weight)
            return self._problem_of(some, rate[chosen], dropout[chosen])

        return Problem(weighted, rows.weight, start, np.concatenate((in_time, further)), part)

    def _objective(self, point: Floats, rows: Rows, rate: Floats, dropout: Floats) -> tuple[float, Floats]:
        theta = self._theta_at(point, rate, dropout)
        if not rate.shape[1] and not dropout.shape[1]:
            total, slope = self._totals(theta, rows)
            return total, np.array(slope) * np.array(theta)
        values, slopes = self._log_likelihood(theta, rows)
        by_log = [rows.weight * slope * value for slope, value in zip(slopes, theta, strict=True)]
        gradient = [float(np.sum(slope)) for slope in by_log]
        for covariates, scaled in ((rate, self.rate_scaled), (dropout, self.dropout_scaled)):
            if covariates.shape[1]:
                effect = sum(sign * by_log[self.names.index(name)] for name, sign in scaled.items())
                gradient.extend((covariates.T @ effect).tolist())
        return float(rows.weight @ values), np.array(gradient)

    def _given_alive(self, function: GivenAlive, theta: Theta, rows: Rows, horizon: Any) -> Floats:
        """`function` once for each distinct frequency, age and horizon: recency matters to P(alive) alone."""
        varying = [value for value in (*theta, horizon) if np.ndim(value)]
        first, group = groups_within(rows.level, rows.levels.size, rows.age, *varying)
        own = tuple(value[first] if np.ndim(value) else value for value in theta)
        end = horizon[first] if np.ndim(horizon) else horizon
        return function(own, rows.frequency[first], rows.age[first], end)[group]


def _time(value: Any) -> Any:
    times = np.asarray(value, dtype=float)
    if not (times >= 0).all():
        raise InvalidParameter(
            "A horizon is negative or missing.", where="horizon", hint="Give a time of 0 or more."
        )
    return times
