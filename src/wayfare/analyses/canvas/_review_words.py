"""The state of a canvas's reviews in sentences, and the picture of what revenue rests on."""

from __future__ import annotations

from collections.abc import Sequence

from wayfare.analyses.canvas._opportunity_words import START, short
from wayfare.analyses.canvas._review_revenue import CUSTOMERS, Row
from wayfare.analyses.canvas._review_rows import Standing
from wayfare.charts.picture import Picture
from wayfare.result import Finding

_SHOWN = 5
_ALL = 0.9995
_GROUPS = {CUSTOMERS: "By customers"}


def findings_of(
    standing: Standing | None, changes: Sequence[Row], notes: Sequence[Row], shares: Sequence[Row]
) -> tuple[Finding, ...]:
    """Whether a review is due, what flipped, what came since, and on what revenue rests most."""
    rests = _rests(shares)
    if standing is None:
        first = Finding(
            f"There is no Business Model Canvas yet, so that none can be reviewed. Start one: {START}."
        )
        return (first, *rests)
    return (_due(standing), *_flips(standing, changes), *_came(standing, notes), *rests)


def _due(standing: Standing) -> Finding:
    name, last = standing.canvas.name, standing.last
    do = f"wayfare documents DIR review {name}"
    if last is None:
        return Finding(f"The canvas {name!r} has never been reviewed. Date a first review: {do}.")
    if standing.overdue:
        return Finding(
            f"The review of the canvas {name!r} due on {standing.due} is {_days(standing.overdue)} overdue; the last was on {last.date}, "
            f"by {short(last.who, 40)}."
        )
    return Finding(
        f"The canvas {name!r} was last reviewed on {last.date}, and the next review is due on {standing.due}."
    )


def _days(number: int) -> str:
    return f"{number:,} day{'' if number == 1 else 's'}"


def _flips(standing: Standing, changes: Sequence[Row]) -> tuple[Finding, ...]:
    judged = [row for row in changes if row["verdict_then"]]
    if standing.last is None or not judged:
        return ()
    flipped = [row for row in changes if row["flipped"]]
    if not flipped:
        return (
            Finding(f"None of {len(judged):,} hypotheses flipped since the review of {standing.last.date}."),
        )
    said = "; ".join(
        f"“{short(row['text'] or row['item'])}” {row['verdict_now']} now, {_was(row)}" for row in flipped[:3]
    )
    more = f"; and {len(flipped) - 3:,} more" if len(flipped) > 3 else ""
    return (
        Finding(
            f"{len(flipped):,} of {len(judged):,} hypotheses flipped since the review of {standing.last.date}: {said}{more}."
        ),
    )


def _was(row: Row) -> str:
    return "it held then" if row["verdict_then"] == "holds" else "it failed then"


def _came(standing: Standing, notes: Sequence[Row]) -> tuple[Finding, ...]:
    if not notes:
        return ()
    counts = [(sum(row["kind"] == kind for row in notes), kind) for kind in ("feedback", "trend")]
    said = " and ".join(
        f"{n:,} {'trend' if kind == 'trend' else 'piece'}{'' if n == 1 else 's'}{' of feedback' if kind == 'feedback' else ''}"
        for n, kind in counts
        if n
    )
    since = (
        f"since the review of {standing.last.date}" if standing.last else "and no review has looked at them"
    )
    newest = notes[0]
    return (
        Finding(f"{said} came {since}; the newest, of {newest['date']}, is from {short(newest['source'])}."),
    )


def _rests(shares: Sequence[Row]) -> tuple[Finding, ...]:
    """What all revenue comes from, and the largest part of the cut that has the largest one beside others."""
    first = {row["of"]: row for row in reversed(shares)}
    told = [row for of, row in first.items() if row["low"] is not None and of != CUSTOMERS]
    alone = [row for row in told if row["share"] > _ALL]
    beside = [row for row in told if row["share"] <= _ALL]
    said = [Finding(f"All {_what(row)} comes from one {row['of']}: “{short(row['name'])}”.", customers=row["customers"])
            for row in alone[:1]]  # fmt: skip
    if beside:
        top = max(beside, key=lambda row: (row["share"], row["of"]))
        said.append(Finding(
            f"One {top['of']}, “{short(top['name'])}”, brings {top['share']:.0%} of {_what(top)} (95% interval {top['low']:.0%} to "
            f"{top['high']:.0%}): as if it came from {top['as_equal']:.1f} equal ones (Herfindahl–Hirschman index "
            f"{top['herfindahl']:.2f}).",
            customers=top["customers"],
        ))  # fmt: skip
    return tuple(said)


def _what(row: Row) -> str:
    return "ordering" if "no values" in row["note"] else "revenue"


def concentration_bars(shares: Sequence[Row], title: str) -> Picture | None:
    """The largest parts of each cut, with the interval of each; None without revenue."""
    from wayfare.analyses.canvas._opportunity_picture import grouped_bars
    from wayfare.charts import theme

    rows = []
    for of in dict.fromkeys(row["of"] for row in shares):
        mine = [row for row in shares if row["of"] == of]
        head = f"{_GROUPS.get(of, f'By {of}')} (index {_index(mine[0]['herfindahl'])})"
        rows += [
            {"group": head, "name": row["name"], "value": row["share"], "low": row["low"], "high": row["high"],
             "label": f"{row['share']:.0%}", "colour": theme.PALE if number else theme.ACCENT}
            for number, row in enumerate(mine[:_SHOWN])
        ]  # fmt: skip
    subtitle = "Shares of revenue of the largest parts; 95% intervals where they can be said"
    note = "In brackets the Herfindahl–Hirschman index: 1 where all rests on one; that of customers is over single ones."
    return grouped_bars(rows, title, subtitle, note, ".0%") if rows else None


def _index(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.2g}"
