"""What the contacts of an earlier list added: those contacted against those held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wayfare.analyses._observed import whole_histories
from wayfare.analyses._order_days import Buyers, buyers_of, order_days, span
from wayfare.analyses.repurchase import _holdout_tables as tables
from wayfare.analyses.repurchase._said import warnings_of
from wayfare.analyses.repurchase.opportunities import opportunities
from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import Duration
from wayfare.domain.parameters import Day, Share
from wayfare.errors import InvalidParameter
from wayfare.result import Columns, Result
from wayfare.study import Study


@dataclass(frozen=True, kw_only=True)
class HoldoutEffectResult(Result):
    """What contacting added, by action: an experiment, as chance alone decided who was held out."""

    effects: Annotated[
        pa.Table,
        Columns(
            action="what was to be done; `all` for the whole list",
            contacted="customers on the list who were to be contacted",
            held_out="customers on it who were not",
            ordered="share of those contacted who ordered in the time after",
            ordered_held_out="the same share of those held out",
            rise="how much larger the first share is, as a part of the second; null under ten who ordered in either group",
            rise_low="lower end of its 95% interval (logarithmic, Katz et al. 1978)",
            rise_high="upper end",
            orders="mean order days of those contacted in the time after",
            orders_held_out="of those held out",
            value="mean value of what those contacted ordered; null where money can't be added up",
            value_held_out="of those held out",
            added="money added a customer contacted: the difference of the two",
            added_low="lower end of its 95% interval (Welch)",
            added_high="upper end",
            measured="what was found, as the parameter `measured` of opportunities takes it; null under ten who ordered in either "
            "group, and for actions whose effect is on something else than orders",
        ),
    ]

    def draw(self) -> Picture | None:
        """The shares that ordered, contacted and held out."""
        return tables.shares(self.effects.to_pylist(), self.findings[0].text)


@analysis
def holdout_effect(
    study: Study,
    *,
    at: Day,
    within: Duration = Duration.parse("60d"),
    budget: float | None = None,
    cost_per_contact: float | None = None,
    contacts: int = 1,
    margin: Share = 1.0,
    ahead: Duration = Duration.parse("30d"),
    holdout: Share = 0.1,
    salt: str | None = None,
    effects: tuple[str, ...] = (),
    measured: tuple[str, ...] = (),
) -> HoldoutEffectResult:
    """What did contacting the customers of an earlier list add, against those held out?

    The list of `opportunities` is made again as it was on the morning of `at`, from the log up to then: give every other
    parameter as it was given then. Chance alone decided who was held out, so what the others ordered more in the time
    `within` after it is what the contacts added, whether every message arrived or not. If nobody acted on the list the
    groups differ by chance alone. Customers added to the log since, or histories corrected, can change the list a little.

    With several contacts a customer, an action's row holds what all contacts of its customers added.

    Args:
        at: The day of the list.
        within: How long orders are counted, from that day on.
        budget: As it was for the list; so with all that follow.
        cost_per_contact: What one contact cost.
        contacts: How many contacts one customer could get.
        margin: The share of an order's value that was left.
        ahead: How far ahead contacts were planned.
        holdout: The share of customers who were not contacted.
        salt: What the draw was keyed with; the study's name unless given.
        effects: The priors of then.
        measured: The measured effects of then.
    """
    whole = whole_histories(study)
    first, now = span(whole)
    days = max(round(within.days), 1)
    day = int(np.datetime64(at, "D").astype(np.int64))
    if not whole.log.facts.rows:
        raise InvalidParameter("The log is empty.", where="at", hint="Ingest the histories first.")
    if not first <= day <= now:
        raise InvalidParameter(
            f"The log holds nothing on {at}.",
            where="at",
            hint=f"Give a day from {_day(first)} to {_day(now)}.",
        )
    asked = {"budget": budget, "cost_per_contact": cost_per_contact, "contacts": contacts, "margin": margin, "ahead": ahead,
             "holdout": holdout, "salt": salt, "effects": effects, "measured": measured}  # fmt: skip
    listed = whole.where(until=_day(day)).result(opportunities, **asked)
    buyers = _after(whole, day, days)
    groups = _groups(listed.tables["opportunities"], buyers)
    kinds = {row["action"]: row["of"] for row in listed.tables["actions"].to_pylist()}
    found = tables.effects(groups, kinds)
    seen = min(days, now - day + 1)
    return HoldoutEffectResult(
        effects=found,
        findings=tables.findings(found, study.currency, day, seen, days),
        warnings=warnings_of(whole, buyers),
    )


def _day(number: int) -> Any:
    return np.datetime64(int(number), "D").item()


def _after(study: Study, day: int, days: int) -> Buyers:
    """What was ordered in the days from `day` on."""
    later = study.where(since=_day(day), until=_day(day + days))
    fold = order_days(later, ())
    return buyers_of(later, fold, later.fold(fold))


def _groups(listed: pa.Table, buyers: Buyers) -> dict[str, tables.Groups]:
    """Those on the list by action, and all of them, each once."""
    place = pc.index_in(listed["customer"].combine_chunks().cast(pa.string()), value_set=buyers.names)
    there = pc.is_valid(place).to_numpy(zero_copy_only=False)
    row = pc.fill_null(place, 0).to_numpy(zero_copy_only=False)

    def of(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(there, values[row], 0.0) if len(values) else np.zeros(len(there))

    orders = of(buyers.days[:, -1].astype(float)) if len(buyers) else of(np.zeros(0))
    money = of(buyers.total) if buyers.has_values or not len(buyers) else np.full(len(there), np.nan)
    held = listed["holdout"].to_numpy(zero_copy_only=False)
    action = np.asarray(listed["action"].cast(pa.string()).to_pylist(), dtype=object)
    names = [name for name in dict.fromkeys(action.tolist()) if name != tables.LEAVE]
    masks = {name: action == name for name in names}
    once = np.zeros(len(action), dtype=bool)
    acted = np.flatnonzero(action != tables.LEAVE)
    customer = listed["customer"].combine_chunks().cast(pa.string()).take(pa.array(acted)).dictionary_encode()
    once[acted[np.unique(np.asarray(customer.indices), return_index=True)[1]]] = True
    return {
        name: tables.Groups(
            orders[mask & ~held], orders[mask & held], money[mask & ~held], money[mask & held]
        )
        for name, mask in {tables.ALL: once, **masks}.items()
    }
