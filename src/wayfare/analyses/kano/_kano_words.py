"""What `kano` says in plain words."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from wayfare.analyses.kano._asked import OTHER, UNKNOWN, Asked
from wayfare.analyses.kano._categories import NAMES, listed, noun, plural
from wayfare.analyses.kano._kano_tables import ENOUGH
from wayfare.result import Finding

_SURE = 0.05
MANY = 12
"""More features than this are counted, and only the strongest named."""


def findings_of(found: Asked, tables: dict[str, pa.Table], by: str) -> tuple[Finding, ...]:
    """What the features are, how surely, what changed, and who differs."""
    rows = tables["features"].to_pylist()
    if not rows:
        return (Finding("No Kano answers are in the log: too few to say which features are must-haves."),)
    enough = [row for row in rows if row["n"] >= ENOUGH]
    if not enough:
        most = max(row["n"] for row in rows)
        return (
            Finding(
                f"Too few to say: {len(rows)} {_features(rows)} asked about, {most} answers at most; "
                f"{ENOUGH} is the least for a category."
            ),
        )
    needed = {row["feature"]: row["answers_needed"] for row in tables["certainty"].to_pylist()}
    said = [_headline(enough, found.respondents), _unsure(enough, tables["certainty"], needed)]
    said += [_moved(tables["changes"]), _differing(tables["groups"], by)]
    return tuple(finding for finding in said if finding is not None)[:4]


def warnings_of(found: Asked, left_out: bool) -> tuple[str, ...]:
    """How many gave one answer to everything."""
    if not found.straight:
        return ()
    what = "their answers are left out" if left_out else "they count; leave them out with `straight_liners`"
    return (
        f"{found.straight:,} of {found.respondents:,} respondents gave one and the same answer to everything: {what}.",
    )


def _features(rows: list[Any]) -> str:
    return "feature" if len(rows) == 1 else "features"


def _headline(rows: list[dict[str, Any]], respondents: int) -> Finding:
    of = {letter: [row["feature"] for row in rows if row["category"] == letter] for letter in NAMES}
    least, top = min(row["n"] for row in rows), max(row["n"] for row in rows)
    answers = f"{least:,}" if least == top else f"{least:,} to {top:,}"
    text = _by_name(of) if len(rows) <= MANY else _by_number(of, len(rows))
    return Finding(f"{_capital(text)} ({answers} answers each).", customers=float(respondents))


def _by_name(of: dict[str, list[str]]) -> str:
    parts = []
    for letter, names in of.items():
        if names:
            what = noun(letter) if len(names) == 1 else plural(letter)
            parts.append(f"{listed(names)} {'is' if len(names) == 1 else 'are'} {what}")
    return "; ".join(parts)


def _by_number(of: dict[str, list[str]], features: int) -> str:
    kinds = [f"{len(names)} {plural(letter)}" for letter, names in of.items() if names]
    kinds[0] = kinds[0].replace(" ", " are ", 1)
    first = next(letter for letter, names in of.items() if names)
    return f"Of {features} features, {listed(kinds, 6)}; the strongest {plural(first)} are {listed(of[first][:3])}"


def _unsure(rows: list[dict[str, Any]], certainty: pa.Table, needed: dict[str, int | None]) -> Finding | None:
    second = {row["feature"]: (row["first"], row["second"]) for row in certainty.to_pylist()}
    unsure = [row for row in rows if row["top_two_p"] >= _SURE]
    if not unsure:
        return Finding(
            "Every feature's most frequent category is told from the second (exact test, 5% level)."
        )
    worst = min(unsure, key=lambda row: (needed[row["feature"]] or 1 << 40, row["feature"]))
    first, then = (noun(letter) for letter in second[worst["feature"]])
    it_takes = needed[worst["feature"]]
    text = (
        f"Of {len(rows)} {_features(rows)}, {len(unsure)} can't be told from the next category with the answers so far: "
        f"{worst['feature']} may be {first} or {then}"
    )
    more = (
        f", and it would take about {it_takes:,} answers to tell ({worst['n']:,} so far)."
        if it_takes
        else "."
    )
    return Finding(text + more)


def _moved(changes: pa.Table) -> Finding | None:
    rows = [
        row
        for row in changes.to_pylist()
        if row["significant"] and row["from_category"] != row["to_category"]
    ]
    if not rows:
        return None
    longest = {row["feature"]: row for row in rows}  # the last row of a feature spans the most waves
    # A delighter that became a must-have is what changes the work to do; the largest move in CS- leads.
    row = min(
        longest.values(),
        key=lambda r: (
            not (r["from_category"] == "A" and r["to_category"] in "OM"),
            r["cs_minus_change"],
            r["feature"],
        ),
    )
    text = (
        f"{_capital(row['feature'])} was {noun(row['from_category'])} in {_wave(row['from_wave'])} and is "
        f"{noun(row['to_category'])} in {_wave(row['to_wave'])}: CS− moved by {_signed(row['cs_minus_change'])} (95% interval "
        f"{_signed(row['cs_minus_change_low'])} to {_signed(row['cs_minus_change_high'])})"
    )
    others = [name for name in longest if name != row["feature"]]
    return Finding(f"{text}; {listed(sorted(others))} changed category too." if others else f"{text}.")


def _wave(label: str) -> str:
    """A number alone is no year where it is short."""
    return f"wave {label}" if label.isdigit() and len(label) < 4 else label


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _differing(groups: pa.Table, by: str) -> Finding | None:
    rows = [
        row
        for row in groups.to_pylist()
        if row["significant"]
        and row["group"] not in (OTHER, UNKNOWN)
        and row["category"] != row["others_category"]
    ]
    if not rows:
        return None
    row = min(rows, key=lambda r: (r["p"], r["feature"], r["group"]))
    more = f" ({len(rows) - 1} more such differences in the table)" if len(rows) > 1 else ""
    return Finding(
        f"Where {by} is {row['group']}, {row['feature']} is {noun(row['category'])}, to all others "
        f"{noun(row['others_category'])}; {row['n']:,} answers{more}.",
        customers=float(row["n"]),
    )
