"""What can't be said, and why: the sentences that all re-purchase analyses share."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from wayfare.analyses.repurchase._order_days import Buyers, last_moment
from wayfare.study import Study

_STRAY_DAYS, _STRAY_SHARE = 180, 0.01


def warnings_of(study: Study, buyers: Buyers) -> tuple[str, ...]:
    """What is odd about the orders that everything rests on."""
    said = [*_money(buyers), *_dates(study, buyers)]
    if buyers.negative:
        said.append(f"{buyers.negative:,} orders add up to less than nothing and are passed over as refunds.")
    return tuple(said)


def _money(buyers: Buyers) -> list[str]:
    if not len(buyers):
        return []
    if len(buyers.currencies) > 1:
        held = ", ".join(f"{name} {rows:,}" for name, rows in sorted(buyers.currencies.items()))
        problem = f"Orders are in several currencies ({held} rows): money can't be added up and is left out."
        return [f"{problem} Convert the values before ingesting them."]
    if not buyers.has_values:
        return ["No order has a value: who orders again can be said, what it is worth can't."]
    return []


def _dates(study: Study, buyers: Buyers) -> list[str]:
    said = []
    end = last_moment(study.log)
    if (
        study.log.facts.last is not None
        and not study.log.facts.simulated
        and end > datetime.now(UTC).timestamp() * 1e6
    ):
        said.append(f"The log ends on {_day(buyers.cuts[-1])}, after today: rows dated ahead make everybody look silent. "
                    "Correct them, or leave them out with `until`.")  # fmt: skip
    days = np.flatnonzero(buyers.daily["orders"])
    gaps = np.diff(np.append(days, len(buyers.daily["orders"]) - 1))
    if len(days) and gaps.max(initial=0) >= _STRAY_DAYS:
        place = int(np.argmax(gaps))
        after = int(buyers.daily["orders"][days[place] + 1 :].sum())
        if after <= _STRAY_SHARE * buyers.daily["orders"].sum():
            said.append(f"After {_day(buyers.origin + int(days[place]))} no order came for {int(gaps[place]):,} days, though the log "
                        f"goes on to {_day(buyers.cuts[-1])}: if later rows are misdated, leave them out with `until`.")  # fmt: skip
    return said


def _day(number: int) -> str:
    return str(np.datetime64(int(number), "D"))
