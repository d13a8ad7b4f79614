"""The different ways through: whole sequences of events, and how many customers went each of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wayfare.analysis import analysis
from wayfare.charts.picture import Picture
from wayfare.domain.duration import in_words
from wayfare.errors import InvalidParameter
from wayfare.histories.block import Block
from wayfare.histories.fold import Fold
from wayfare.histories.orders import ORDER_COLUMNS, one_row_an_order, orders_of
from wayfare.histories.stages import StageMap
from wayfare.histories.tally import Tally
from wayfare.result import Columns, Finding, Result, table
from wayfare.stats.proportions import wilson
from wayfare.stats.quantiles import bucket_of, sparse_quantile
from wayfare.study import Study

JOIN = " > "
CUT = "…"
FEW = 10
"""Fewer customers than this are too few to call a way usual."""
DRAWN = 12

_Print = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class VariantsResult(Result):
    """The customers' whole ways, the most trodden first."""

    variants: Annotated[
        pa.Table,
        Columns(
            path=f"the events in order, joined by '{JOIN.strip()}'; '{CUT}' at its end where the history was cut",
            customers="customers who went exactly this way",
            share="of all customers",
            share_low="95% interval (Wilson)",
            share_high="95% interval (Wilson)",
            cumulative_share="of all customers, with all variants above",
            events="events on the path, as far as it is written",
            median_seconds="median time from the first to the last event",
            orders="orders that its customers placed",
            value="what these orders were worth per customer of the variant; empty where the log has no values",
        ),
    ]
    summary: Annotated[
        pa.Table,
        Columns(
            customers="customers with at least one event",
            variants="different ways",
            shown="of these, how many stand in the main table",
            single="ways that only one customer went",
            for_half="how many of the most trodden ways half of all customers went",
        ),
    ]

    def draw(self) -> Picture | None:
        """The most trodden ways by their share of customers."""
        from wayfare.charts.flow import Way, ways

        if self.variants.num_rows == 0:
            return None
        top = self.variants.slice(0, DRAWN).to_pylist()
        rows = [
            Way(tuple(r["path"].split(JOIN)), f"{r['share']:.1%}  ({r['customers']:,})", r["share"])
            for r in top
        ]
        whole = self.summary.to_pylist()[0]
        subtitle = f"Share of customers (number) of the {len(rows)} most frequent ways, first event to last"
        note = f"n = {whole['customers']:,} customers on {whole['variants']:,} different ways."
        return ways(rows, title=self.findings[0].text, subtitle=subtitle, note=note)


@dataclass(frozen=True)
class _Writing:
    """How a history becomes a path: the events' prints by position, and what is left out.

    A path's print is the sum, modulo 2**64, of one pseudo-random number for each (position, event): Zobrist
    hashing (Zobrist 1970). The numbers come from the events' names, so that prints do not depend on codes.
    """

    names: tuple[str, ...]
    limit: int
    collapse: bool

    def numbers(self) -> _Print:
        """The number for each (position, event); past the limit there is only the cut (limit + 1, events)."""
        seeds = np.array([_print_of(name) for name in self.names], dtype=np.uint64)
        places = np.arange(1, self.limit + 1, dtype=np.uint64)[:, None] * np.uint64(0x9E3779B97F4A7C15)
        return np.vstack((_mixed(seeds + places), np.zeros((1, len(self.names)), dtype=np.uint64)))

    def written(self, block: Block) -> Block:
        """The block without repeats, where they are to be left out, and with one row an order."""
        block = one_row_an_order(block)
        if not self.collapse:
            return block
        return block.keep(block.changes("event"))

    def prints(self, block: Block, numbers: _Print) -> _Print:
        """Per customer: the print of its path (customers,); `block` is a written one."""
        if block.rows == 0:
            return np.empty(0, dtype=np.uint64)
        length = np.diff(block.starts)
        position = np.arange(block.rows) - np.repeat(block.starts[:-1], length)
        cell = np.minimum(position, self.limit) * len(self.names) + block["event"]
        found = np.add.reduceat(numbers.ravel()[cell], block.starts[:-1])
        return found + np.where(length > self.limit, np.uint64(_print_of(CUT)), np.uint64(0))

    def path(self, codes: NDArray[np.int64], cut: bool) -> str:
        """A path's text from the codes of its events."""
        return JOIN.join([*(self.names[code] for code in codes), *([CUT] if cut else [])])


def _print_of(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def _mixed(values: _Print) -> _Print:
    """SplitMix64's finaliser (Steele, Lea & Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@dataclass(frozen=True)
class _Census(Fold[Tally]):
    """Customers by print."""

    writing: _Writing
    numbers: _Print

    @property
    def columns(self) -> tuple[str, ...]:
        return ("event", "order")

    def scan(self, block: Block) -> Tally:
        return Tally.of(self.writing.prints(self.writing.written(block), self.numbers))


@dataclass(frozen=True)
class _Portrait(Fold[dict[str, Any]]):
    """Of the variants shown: one path as codes, the times that they took, their orders."""

    writing: _Writing
    numbers: _Print
    shown: _Print
    stages: StageMap

    @property
    def columns(self) -> tuple[str, ...]:
        return ORDER_COLUMNS

    def scan(self, block: Block) -> dict[str, Any]:
        written = self.writing.written(block)
        prints = self.writing.prints(written, self.numbers)
        number = np.minimum(np.searchsorted(self.shown, prints), max(len(self.shown) - 1, 0))
        known = (
            np.flatnonzero(self.shown[number] == prints) if len(self.shown) else np.empty(0, dtype=np.int64)
        )
        variant = number[known]
        took = block["time"][block.starts[1:][known] - 1] - block["time"][block.starts[:-1][known]]
        orders = orders_of(block, self.stages)
        placed = np.bincount(orders.owner, minlength=block.customers)[known]
        value = np.bincount(orders.owner, np.nan_to_num(orders.value), minlength=block.customers)[known]
        return {
            "paths": self._paths(written, known, variant),
            "took": Tally.of(variant * _FACTOR + bucket_of(took / 1e6)),
            "orders": np.bincount(variant, placed, minlength=len(self.shown)),
            "value": np.bincount(variant, value, minlength=len(self.shown)),
        }

    def _paths(self, written: Block, known: NDArray[np.int64], variant: NDArray[np.int64]) -> dict[int, Any]:
        """The first customer's path for each variant of the block: its codes, and whether it was cut."""
        found, first = np.unique(variant, return_index=True)
        limit, paths = self.writing.limit, {}
        for number, customer in zip(found.tolist(), known[first].tolist(), strict=True):
            start, stop = written.starts[customer : customer + 2]
            paths[number] = (
                written["event"][start : min(stop, start + limit)].copy(),
                bool(stop - start > limit),
            )
        return paths

    def merge(self, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        return {
            "paths": {**right["paths"], **left["paths"]},
            "took": left["took"] + right["took"],
            "orders": left["orders"] + right["orders"],
            "value": left["value"] + right["value"],
        }


_FACTOR = 1 << 13  # above the number of a histogram's buckets


@analysis
def variants(study: Study, *, limit: int = 50, collapse: bool = False, top: int = 1000) -> VariantsResult:
    """Which whole ways do customers go, and how many go each of them?

    A variant is a customer's whole sequence of events, first to last (process mining's trace variant). A
    history of more than `limit` events is cut there and ends in "…", so that customers who went the same way
    so far share a variant. The lines of one order are one event. Sorted by customers, then by path. Medians are
    within 0.4% of the exact ones.

    Paths are told apart by a 64-bit print of their text: among a million different ways, the chance that any
    two are taken for one is below 1 in 10 million. Where more ways than `top` are equally rare, the prints
    decide which are shown.

    Args:
        limit: After how many events a history is cut, 1 to 1,000.
        collapse: Whether an event that is repeated at once counts as one.
        top: How many variants the table shows at most, 1 to 100,000; the shares and the summary are of all.
    """
    for name, number, most in (("limit", limit, 1_000), ("top", top, 100_000)):
        if not 1 <= number <= most:
            raise InvalidParameter(
                f"{number} is out of range.", where=name, hint=f"Give a number from 1 to {most:,}."
            )
    writing = _Writing(tuple(study.log.names("event").to_list()), limit, collapse)
    numbers = writing.numbers()
    prints, counts = study.fold(_Census(writing, numbers)).counted()
    order = np.lexsort((prints, -counts))[:top]
    shown = np.sort(prints[order])
    found = study.fold(_Portrait(writing, numbers, shown, study.stages)) if len(shown) else None
    main = _variants(found, counts[np.searchsorted(prints, shown)], int(counts.sum()), writing, study)
    summary = _summary(counts, main.num_rows)
    return VariantsResult(
        variants=main, summary=summary, findings=_findings(main, summary.to_pylist()[0], study)
    )


def _variants(
    found: Any, customers: NDArray[np.int64], total: int, writing: _Writing, study: Study
) -> pa.Table:
    if found is None:
        found = {
            "paths": {},
            "took": Tally.of(np.empty(0, np.int64)),
            "orders": np.empty(0),
            "value": np.empty(0),
        }
    paths = {number: writing.path(*path) for number, path in found["paths"].items()}
    keys, counts = found["took"].counted()
    _, median = sparse_quantile(keys // _FACTOR, keys % _FACTOR, counts, 0.5)
    order = np.array(sorted(paths, key=lambda number: (-customers[number], paths[number])), dtype=np.int64)
    n = customers[order]
    certain = wilson(n, total)
    worth = found["value"][order] / n if "value" in study.log.schema else np.full(len(n), np.nan)
    return table(
        path=pa.array([paths[number] for number in order], pa.string()),
        customers=n, share=n / max(total, 1), share_low=certain.low, share_high=certain.high,
        cumulative_share=np.cumsum(n) / max(total, 1),
        events=np.array([len(found["paths"][number][0]) for number in order], dtype=np.int64),
        median_seconds=median[order], orders=found["orders"][order].astype(np.int64), value=worth,
    )  # fmt: skip


def _summary(counts: NDArray[np.int64], shown: int) -> pa.Table:
    total = int(counts.sum())
    largest = np.cumsum(np.sort(counts)[::-1])
    half = int(np.searchsorted(largest, total / 2) + 1) if total else 0
    single = int((counts == 1).sum())
    return table(customers=[total], variants=[len(counts)], shown=[shown], single=[single], for_half=[half])


def _findings(main: pa.Table, summary: dict[str, int], study: Study) -> tuple[Finding, ...]:
    total = summary["customers"]
    if total < FEW:
        return (Finding(f"Too few to say which ways are usual (n = {total})."),)
    first = main.slice(0, 1).to_pylist()[0]
    took = (
        f"within {in_words(first['median_seconds'])} (median)" if first["events"] > 1 else "and nothing more"
    )
    text = (
        f"The most frequent way is {_shortened(first['path'])}: {first['customers']:,} of {total:,} customers "
        f"({_percent(first['share'])}), {took}."
    )
    if first["customers"] < 2:
        text = f"No two of {total:,} customers went the same way."
    return (Finding(text), *_spread(summary), *_worth(main, study))


def _spread(summary: dict[str, int]) -> list[Finding]:
    """How many different ways there are; nothing where there is one."""
    if summary["variants"] < 2:
        return []
    half = "the most frequent one" if summary["for_half"] == 1 else f"one of {summary['for_half']:,}"
    own = summary["single"] / summary["customers"]
    text = f"Customers went {summary['variants']:,} different ways; {_percent(own)} went a way of their own"
    return [Finding(f"{text}, half went {half}." if summary["for_half"] <= 100 else f"{text}.")]


def _percent(share: float) -> str:
    """A share in percent; near none or all with a decimal, so that few are not nobody and most not everybody."""
    return f"{share:.0%}" if share in (0, 1) or 0.01 <= share <= 0.99 else f"{share:.1%}"


def _worth(main: pa.Table, study: Study) -> list[Finding]:
    """The way with the most order value, where the log has values."""
    if "value" not in study.log.schema:
        return []
    rows = [row for row in main.to_pylist() if row["customers"] >= FEW and row["value"] > 0]
    if not rows:
        return []
    best = max(rows, key=lambda row: row["value"] * row["customers"])
    money = best["value"] * best["customers"]
    text = (
        f"Of the ways that {FEW} or more customers went, the one that earned most is {_shortened(best['path'])}: "
        f"{study.currency} {money:,.0f} from {best['customers']:,} customers, {study.currency} {best['value']:,.2f} each."
    )
    return [Finding(text, customers=best["customers"])]


def _shortened(path: str, most: int = 60) -> str:
    """A path that fits on a line: its start and its last event."""
    events = path.split(JOIN)
    if len(path) <= most or len(events) < 4:
        return path
    last, kept = events[-1], events[:1]
    for event in events[1:-1]:
        if len(JOIN.join([*kept, event, CUT, last])) > most:
            break
        kept.append(event)
    between = len(events) - len(kept) - 1
    return JOIN.join([*kept, f"({between} more)", last]) if between else path
