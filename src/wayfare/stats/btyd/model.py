"""What every re-purchase model has in common: fitting, errors, draws of the parameters, saving and loading."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from wayfare.errors import BadInput, InvalidParameter, NotReady
from wayfare.stats.btyd.boundary import Limit, boundary_sentence
from wayfare.stats.btyd.fitting import Objective, Optimum, covariance_of, maximise
from wayfare.stats.btyd.summary import Floats

# Log-parameters stay in this range around their scale; what runs to its end has no finite optimum.
_LOWEST, _HIGHEST = np.log(1e-5), np.log(1e5)
_METHODS = ("laplace", "bootstrap")
# From this many distinct rows on, a fit on this many customers drawn at random comes first.
_MANY, _SOME = 60_000, 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a fit has found; all that a saved model consists of.

    Attributes:
        point: The log-parameters, then the coefficients of covariates.
        covariance: Of the point.
        log_likelihood: Without the penalty.
        customers: How many customers were fitted on.
        boundary: What the data can't tell, in words, or None.
        rate: The names of the covariates of the purchase rate.
        dropout: The names of the covariates of the drop-out.
    """

    point: Floats
    covariance: Floats
    log_likelihood: float
    customers: float
    boundary: str | None
    rate: tuple[str, ...] = ()
    dropout: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A likelihood ready to be maximised.

    Attributes:
        objective: For a weight a row the function to maximise.
        weight: How many customers each row stands for.
        start: The first guess of the point.
        scale: The scale of each coordinate: the log of the time unit, where it is one in time.
        part: The same problem for some of the rows.
    """

    objective: Callable[[Floats], Objective]
    weight: Floats
    start: Floats
    scale: Floats
    part: Callable[[npt.NDArray[np.intp], Floats], Problem] | None = None


class Model:
    """The base of the re-purchase models; a model adds its likelihood and its conditional expectations.

    Args:
        penalty: A weak pull of the log-parameters towards their first guess, as the precision of a normal
            prior: what to use where a parameter runs to its boundary. 0 gives maximum likelihood.
    """

    names: ClassVar[tuple[str, ...]]
    first_guess: ClassVar[tuple[float, ...]]
    in_time: ClassVar[frozenset[str]] = frozenset()
    limits: ClassVar[tuple[Limit, ...]] = ()

    def __init__(self, *, penalty: float = 0.0) -> None:
        if not penalty >= 0:
            raise InvalidParameter(
                f"A penalty of {penalty} can't be used.", where="penalty", hint="Give 0 or more."
            )
        self.penalty = penalty
        self._fitted: Fitted | None = None
        self._problem: Problem | None = None

    @property
    def params_(self) -> dict[str, float]:
        """The fitted parameters, and the coefficients of covariates, by name."""
        return dict(zip(self._all_names(), self._natural(self._known.point).tolist(), strict=True))

    @property
    def standard_errors_(self) -> dict[str, float]:
        """The standard errors of `params_`, by the delta method from those of the log-parameters."""
        known = self._known
        slope = self._natural(known.point)
        slope[len(self.names) :] = 1.0
        errors = slope * np.sqrt(np.diag(known.covariance))
        return dict(zip(self._all_names(), errors.tolist(), strict=True))

    @property
    def log_likelihood_(self) -> float:
        """The log-likelihood at the optimum, summed over the customers."""
        return self._known.log_likelihood

    @property
    def aic_(self) -> float:
        """Akaike's criterion, 2k − 2 ln L."""
        return 2 * self._known.point.size - 2 * self.log_likelihood_

    @property
    def bic_(self) -> float:
        """Schwarz's criterion, k ln n − 2 ln L, with n the customers."""
        return float(self._known.point.size * np.log(self._known.customers) - 2 * self.log_likelihood_)

    @property
    def boundary_(self) -> str | None:
        """What these data can't tell the model, in words; None where every parameter is identified."""
        return self._known.boundary

    def draws(self, count: int, seed: int, method: str = "laplace") -> Floats:
        """Parameters that the data could as well have come from, one draw a row, in the order of `params_`.

        Args:
            count: How many draws.
            seed: Of the random numbers.
            method: `laplace`, normal in the log-parameters, or `bootstrap`, refitted on resampled customers.

        Raises:
            NotReady: a bootstrap of a model that was loaded and not fitted.
        """
        if method not in _METHODS:
            raise InvalidParameter(f"There is no method {method!r}.", where="method", allowed=_METHODS)
        rng = np.random.default_rng(seed)
        if method == "bootstrap":
            return np.array([self._natural(self._refit(rng)) for _ in range(count)])
        known = self._known
        values, vectors = np.linalg.eigh(known.covariance)
        noise = rng.standard_normal((count, known.point.size)) * np.sqrt(np.maximum(values, 0.0))
        return np.array([self._natural(point) for point in known.point + noise @ vectors.T])

    def at(self, params: Mapping[str, float] | Floats) -> Self:
        """This model with other parameters, such as a draw or those of a paper; its errors are forgotten."""
        names = self._all_names()
        values = [params[name] for name in names] if isinstance(params, Mapping) else list(params)
        point = np.array(values, dtype=float)
        if point.size != len(names) or not (point[: len(self.names)] > 0).all():
            raise InvalidParameter(
                f"{values} are no parameters of {type(self).__name__}.", where="params", allowed=names
            )
        point[: len(self.names)] = np.log(point[: len(self.names)])
        old = self._fitted or Fitted(point, np.zeros((point.size, point.size)), np.nan, np.nan, None)
        other = copy.copy(self)
        other._problem = None
        other._fitted = replace(
            old, point=point, covariance=np.zeros_like(old.covariance), log_likelihood=np.nan
        )
        return other

    def to_json(self) -> str:
        """The fitted model as JSON text."""
        known = self._known
        return json.dumps(
            {
                "model": type(self).__name__,
                "penalty": self.penalty,
                "params": self.params_,
                "point": known.point.tolist(),
                "covariance": known.covariance.tolist(),
                "log_likelihood": known.log_likelihood,
                "customers": known.customers,
                "boundary": known.boundary,
                "rate": list(known.rate),
                "dropout": list(known.dropout),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote.

        Raises:
            BadInput: the text is something else.
        """
        try:
            saved = json.loads(text)
            if saved["model"] != cls.__name__:
                raise BadInput(f"This is a {saved['model']}, not a {cls.__name__}.", where="model")
            model = cls(penalty=saved["penalty"])
            model._fitted = Fitted(
                np.array(saved["point"], dtype=float),
                np.array(saved["covariance"], dtype=float),
                float(saved["log_likelihood"]),
                float(saved["customers"]),
                saved["boundary"],
                tuple(saved["rate"]),
                tuple(saved["dropout"]),
            )
        except (ValueError, KeyError, TypeError) as problem:
            raise BadInput(f"This is no saved {cls.__name__}.", hint="Give the text of to_json.") from problem
        return model

    def __repr__(self) -> str:
        if self._fitted is None:
            return f"{type(self).__name__}(not fitted)"
        return f"{type(self).__name__}({', '.join(f'{k}={v:.6g}' for k, v in self.params_.items())})"

    @property
    def _known(self) -> Fitted:
        if self._fitted is None:
            raise NotReady(
                f"This {type(self).__name__} has not been fitted.", hint="Call fit(summary) first."
            )
        return self._fitted

    def _all_names(self) -> tuple[str, ...]:
        known = self._fitted
        if known is None:
            return self.names
        return (*self.names, *(f"rate_{n}" for n in known.rate), *(f"dropout_{n}" for n in known.dropout))

    def _natural(self, point: Floats) -> Floats:
        size = len(self.names)
        return np.concatenate((np.exp(point[:size]), point[size:]))

    def _solve(self, problem: Problem, rate: tuple[str, ...] = (), dropout: tuple[str, ...] = ()) -> Self:
        """Fit the problem and remember what was found."""
        optimum = self._optimum(problem)
        objective = problem.objective(problem.weight)
        log_likelihood = optimum.value if self.penalty == 0 else objective(optimum.point)[0]
        covariance = covariance_of(optimum)
        size = len(self.names)
        names = (*self.names, *(f"rate_{name}" for name in rate), *(f"dropout_{name}" for name in dropout))
        boundary = boundary_sentence(self.limits, names, size, objective, optimum, covariance, _box(problem))
        customers = float(problem.weight.sum())
        self._problem = problem
        self._fitted = Fitted(optimum.point, covariance, log_likelihood, customers, boundary, rate, dropout)
        return self

    def _optimum(self, problem: Problem) -> Optimum:
        customers = float(problem.weight.sum())
        objective = self._penalised(problem.objective(problem.weight), problem.start)
        if problem.part is None or problem.weight.size < _MANY:
            return maximise(objective, problem.start, *_box(problem), customers)
        # The customers drawn at random, by where they come among all.
        drawn = np.sort(np.random.default_rng(0).random(_SOME)) * customers
        rows, times = np.unique(
            np.searchsorted(np.cumsum(problem.weight), drawn, side="right").clip(max=problem.weight.size - 1),
            return_counts=True,
        )
        some = self._optimum(problem.part(rows, times.astype(float)))
        near = some.information * (customers / _SOME)
        return maximise(objective, some.point, *_box(problem), customers, near)

    def _refit(self, rng: np.random.Generator) -> Floats:
        problem, point = self._problem, self._known.point
        if problem is None:
            raise NotReady(
                "A loaded model holds no data to resample.", hint="Fit it again, or use laplace draws."
            )
        customers = round(problem.weight.sum())
        weight = rng.multinomial(customers, problem.weight / problem.weight.sum()).astype(float)
        objective = self._penalised(problem.objective(weight), problem.start)
        return maximise(objective, point, *_box(problem), customers).point

    def _penalised(self, objective: Objective, centre: Floats) -> Objective:
        penalty = self.penalty
        if penalty == 0:
            return objective

        def pulled(point: Floats) -> tuple[float, Floats]:
            value, gradient = objective(point)
            away = point - centre
            return value - penalty / 2 * float(away @ away), gradient - penalty * away

        return pulled


def _box(problem: Problem) -> tuple[Floats, Floats]:
    return problem.scale + _LOWEST, problem.scale + _HIGHEST
