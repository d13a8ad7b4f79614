"""What can't be said, and why: the sentences that all re-purchase analyses share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wayfare.analyses._order_days import Buyers, last_moment, span
from wayfare.histories.block import Block
from wayfare.histories.calendar import local_days
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, orders_of
from wayfare.histories.stages import StageMap
from wayfare.study import Study

_STRAY_DAYS, _STRAY_SHARE = 180, 0.01
_MISSING = 0.05


@dataclass(frozen=True, eq=False)
class Seen:
    """The orders that everything rests on, as far as anything may be odd about them.

    Attributes:
        currencies: Order rows by currency, where the log has a column of that name.
        valued: Orders with a value.
        unvalued: Orders without one.
        worth: What the values add up to.
        negative: Orders of less than nothing, passed over.
        daily: Orders by day from `origin` to the log's last (days,).
        origin: The log's first day, since 1970.
    """

    currencies: dict[str, int]
    valued: int
    unvalued: int
    worth: float
    negative: int
    daily: NDArray
    origin: int

    @property
    def one_currency(self) -> bool:
        """Whether money can be added up."""
        return len(self.currencies) <= 1


@dataclass(frozen=True)
class OrderLines(Fold[dict[str, Any]]):
    """The order rows by day, value and currency: what `Seen` needs where nobody asks for order days.

    Attributes:
        stages: Which events are orders.
        zone: Whose days are meant.
        origin: The log's first day, since 1970.
        now: Its last.
    """

    stages: StageMap
    zone: str
    origin: int
    now: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of orders, and the currency."""
        return (*ORDER_COLUMNS, "currency")

    def scan(self, block: Block) -> dict[str, Any]:
        """The order rows of one block, counted."""
        rows = np.flatnonzero(self.stages.is_order(block))
        value = block["value"][rows] if block.has("value") else np.full(len(rows), np.nan)
        day = np.clip(local_days(block["time"][rows], self.zone), self.origin, self.now) - self.origin
        below = bool((value < 0).any())
        return {
            "daily": np.bincount(day, minlength=self.now - self.origin + 1),
            "valued": int((~np.isnan(value)).sum()),
            "unvalued": int(np.isnan(value).sum()),
            "worth": float(np.nansum(value)),
            "negative": int((orders_of(block, self.stages).value < 0).sum()) if below else 0,
            "currencies": _counted(block, rows),
        }


def _counted(block: Block, rows: NDArray) -> dict[int, int]:
    if not block.has("currency") or block["currency"].dtype.kind != "i":
        return {}
    codes = block["currency"][rows]
    found, counts = np.unique(codes[codes >= 0], return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def order_lines(study: Study) -> OrderLines:
    """The fold for a study."""
    return OrderLines(study.stages, study.zone, *span(study))


def seen_of(study: Study, fold: OrderLines, found: dict[str, Any]) -> Seen:
    """The fold's answer with names."""
    names = study.log.names("currency") if found["currencies"] else None
    currencies = {names[code]: rows for code, rows in found["currencies"].items()} if names else {}
    counted = {name: found[name] for name in ("valued", "unvalued", "worth", "negative", "daily")}
    return Seen(currencies=currencies, origin=fold.origin, **counted)


def warnings_of(study: Study, orders: Buyers | Seen) -> tuple[str, ...]:
    """What is odd about the orders that everything rests on."""
    seen = _seen_by(orders) if isinstance(orders, Buyers) else orders
    said = [*_no_orders(study), *_money(seen), *_dates(study, seen)]
    if seen.negative:
        said.append(f"{seen.negative:,} orders add up to less than nothing and are passed over as refunds.")
    return tuple(said)


def _seen_by(buyers: Buyers) -> Seen:
    days, repeats = (int(part[:, -1].sum()) if len(buyers) else 0 for part in (buyers.days, buyers.valued))
    valued = repeats + int((~np.isnan(buyers.first_value)).sum())
    worth = float(buyers.repeat_value[:, -1].sum() + np.nansum(buyers.first_value)) if len(buyers) else 0.0
    return Seen(
        buyers.currencies,
        valued,
        days - valued,
        worth,
        buyers.negative,
        buyers.daily["orders"],
        buyers.origin,
    )


def _no_orders(study: Study) -> list[str]:
    if any(study.stages.orders) or not study.log.facts.rows:
        return []
    return ["No event of the log is an order: name that of an order under `orders:` in the journey map."]


def _money(seen: Seen) -> list[str]:
    orders = seen.valued + seen.unvalued
    if not orders:
        return []
    if not seen.one_currency:
        held = ", ".join(f"{name} {rows:,}" for name, rows in sorted(seen.currencies.items()))
        problem = f"Orders are in several currencies ({held} rows): money can't be added up and is left out."
        return [f"{problem} Convert the values before ingesting them."]
    if not seen.valued:
        return ["No order has a value: who orders again can be said, what it is worth can't."]
    if not seen.worth > 0 and not seen.negative:
        return ["Every order has the value 0: who orders again can be said, what it is worth can't."]
    if seen.unvalued >= _MISSING * orders:
        return [
            f"{seen.unvalued / orders:.0%} of the orders have no value: sums leave them out, means are those of the others."
        ]
    return []


def _dates(study: Study, seen: Seen) -> list[str]:
    said = []
    end = last_moment(study.log)
    last = seen.origin + len(seen.daily) - 1
    if (
        study.log.facts.last is not None
        and not study.log.facts.simulated
        and end > datetime.now(UTC).timestamp() * 1e6
    ):
        said.append(f"The log ends on {_day(last)}, after today: rows dated ahead make everybody look silent. "
                    "Correct them, or leave them out with `until`.")  # fmt: skip
    days = np.flatnonzero(seen.daily)
    gaps = np.diff(np.append(days, len(seen.daily) - 1))
    if len(days) and gaps.max(initial=0) >= _STRAY_DAYS:
        place = int(np.argmax(gaps))
        after = int(seen.daily[days[place] + 1 :].sum())
        if after <= _STRAY_SHARE * seen.daily.sum():
            said.append(f"After {_day(seen.origin + int(days[place]))} no order came for {int(gaps[place]):,} days, though the log "
                        f"goes on to {_day(last)}: if later rows are misdated, leave them out with `until`.")  # fmt: skip
    return said


def _day(number: int) -> str:
    return str(np.datetime64(int(number), "D"))
