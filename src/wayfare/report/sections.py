"""What the page shows, as plain values: sections, tables, key figures, and what was read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup, escape

from wayfare.charts.numbers import MISSING, intervals_of, is_number, money, shown_row, written
from wayfare.report.figures import Figure, figure_of
from wayfare.report.standard import Outcome, StudyReport
from wayfare.result import rows

ROWS, COLUMNS = 15, 11
"""So much of a table is on the page; what comes later in a table matters less."""
GROUPS = {
    "journey": "The journey",
    "measurement": "The figures",
    "value_chain": "Value chain",
}
_SPECIAL = {"at": "Ingested at", "dropoff": "Drop-off", "repurchase_rate_90d": "Re-purchase rate in 90 days"}
_TIMES = re.compile(r"_(seconds|days)(?=_|$)")
_LETTERS = re.compile(r"\b(ces|csat|nps|rfm)\b")
"""Measures that are called by their letters."""
KEY_FIGURES = ("net_revenue", "orders", "active_customers", "average_order_value", "conversion_rate", "repeat_rate",
               "repurchase_rate_90d", "retention")  # fmt: skip
_ALL = "all"


@dataclass(frozen=True)
class Cell:
    """One value as text, and whether it is a number."""

    text: str
    number: bool


@dataclass(frozen=True)
class Table:
    """The first rows of a table as text."""

    caption: str
    heads: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int
    left_out: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return self.total - len(self.rows)


@dataclass(frozen=True)
class Section:
    """One analysis on the page."""

    id: str
    group: str
    label: str
    name: str
    question: str
    findings: tuple[str, ...]
    figure: Figure | None
    table: Table | None
    about: tuple[Markup, ...]
    columns: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    observational: str
    warnings: tuple[str, ...]
    error: str

    @property
    def titled(self) -> str:
        """The finding that the picture's title says already."""
        return self.figure.title if self.figure else ""


@dataclass(frozen=True)
class KeyFigure:
    """A figure of the scorecard."""

    label: str
    value: str
    range: str
    about: str


def label_of(name: str) -> str:
    """A name for people: `average_order_value` → Average order value; a time's unit stands with its value."""
    text = _TIMES.sub("_time", name).replace("_", " ").strip()
    text = _LETTERS.sub(lambda found: found[1].upper(), text)
    return _SPECIAL.get(name, text[:1].upper() + text[1:])


def section_of(outcome: Outcome, currency: str, said: Collection[str] = ()) -> Section:
    """One analysis as the page shows it; warnings that were `said` above are not said again."""
    analysis, result = outcome.analysis, outcome.result
    main = next(iter(analysis.returns.columns().items()), None)
    figure = figure_of(result, f"picture-{analysis.name}") if result else None
    texts = tuple(finding.text for finding in result.findings) if result else ()
    return Section(
        id=f"analysis-{analysis.name}",
        group=GROUPS.get(analysis.group, label_of(analysis.group)),
        label=label_of(analysis.name),
        name=analysis.name,
        question=analysis.question,
        findings=texts,
        figure=figure,
        table=table_of(main[0], result.tables[main[0]], currency) if result and main else None,
        about=_paragraphs(analysis.about),
        columns=tuple((label_of(name), said) for name, said in (main[1] if main else {}).items()),
        parameters=_parameters(result.context.params if result else {}),
        observational=result.observational if result else "",
        warnings=tuple(
            w for w in (result.warnings if result else ()) if not (w in said or w.startswith("Observational"))
        ),
        error=outcome.error,
    )


def table_of(name: str, table: pa.Table, currency: str, limit: int = ROWS) -> Table:
    """The first rows of a table, every number in the unit that its column says and its interval behind it."""
    shown = rows(table.slice(0, limit))
    names = table.column_names
    ends = intervals_of(names)
    whole = [column for column in names if column not in {end for pair in ends.values() for end in pair}]
    known = [column for column in whole if not table.num_rows or _anything(table.column(column))]
    kept, left_out = known[:COLUMNS], tuple(label_of(column).lower() for column in known[COLUMNS:])
    unknown = tuple(label_of(column).lower() for column in whole if column not in known)
    numbers = {column: _holds_numbers(table.column(column)) for column in kept}
    heads = tuple(Cell(label_of(column), numbers[column]) for column in kept)
    body = []
    for row in shown:
        texts = dict(zip(row, shown_row(row, currency), strict=True))
        body.append(
            tuple(Cell(_with_interval(texts, column, ends.get(column)), numbers[column]) for column in kept)
        )
    return Table(label_of(name), heads, tuple(body), table.num_rows, left_out, unknown)


def _with_interval(texts: Mapping[str, str], column: str, ends: tuple[str, str] | None) -> str:
    if ends is None or MISSING in (texts[ends[0]], texts[ends[1]]):
        return texts[column]
    return f"{texts[column]} ({texts[ends[0]]} to {texts[ends[1]]})"


def key_figures(report: StudyReport) -> tuple[KeyFigure, ...]:
    """The scorecard's figures over the whole time; where there is no scorecard, the log's size."""
    card = report.result("scorecard")
    if card is not None and "metrics" in card.tables:
        found = {row["metric"]: row for row in card.tables["metrics"].to_pylist() if row["period"] == _ALL}
        figures = [_key_figure(found[name], report.currency) for name in KEY_FIGURES if name in found]
        known = tuple(islice((figure for figure in figures if figure is not None), len(KEY_FIGURES)))
        if known:
            return known
    facts = report.facts
    return (
        KeyFigure("Customers", f"{facts.customers:,}", "", ""),
        KeyFigure("Events", f"{facts.rows:,}", "", ""),
    )


def _key_figure(row: Mapping[str, Any], currency: str) -> KeyFigure | None:
    texts = dict(zip(row, shown_row(row, currency), strict=True))
    if row["value"] is None or row["value"] != row["value"]:
        return None
    known = row["low"] is not None and row["low"] == row["low"]
    about = "" if row.get("kind") == "count" or not row.get("n") else f"n = {row['n']:,}"
    return KeyFigure(
        label_of(row["metric"]), texts["value"], f"{texts['low']} to {texts['high']}" if known else "", about
    )


def period_of(report: StudyReport) -> str:
    """From which day to which, in the study's zone."""
    first, last = report.facts.first, report.facts.last
    return (
        "nothing yet"
        if first is None or last is None
        else f"{day_of(first, report.zone)} to {day_of(last, report.zone)}"
    )


def read_facts(report: StudyReport) -> tuple[tuple[str, str], ...]:
    """What was read: sizes, time, filters, fingerprint."""
    facts = report.facts
    said = [
        ("Events", f"{facts.rows:,}"), ("Customers", f"{facts.customers:,}"), ("Period", f"{period_of(report)} ({report.zone})"),
        ("Only customers with", ", ".join(report.segments)), ("Orders", ", ".join(report.journey.orders)),
        ("Currency", report.currency), ("Fingerprint of the log", facts.fingerprint),
    ]  # fmt: skip
    return tuple((name, text) for name, text in said if text)


def lineage_of(report: StudyReport) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Each ingest as names and texts; hashes of contents are left to the log itself."""
    return tuple(
        tuple(
            (label_of(str(key)), _lineage_text(value))
            for key, value in entry.items()
            if key not in ("contents", "recipe")
        )
        for entry in report.facts.lineage
    )


def money_of(value: float | None, currency: str) -> str:
    """Money at stake, or nothing."""
    return "" if value is None else money(round(value), currency).replace("-", "−")


def _lineage_text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(
            str(key) if key == inner else f"{key}: {_lineage_text(inner)}" for key, inner in value.items()
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_lineage_text(inner) for inner in value)
    return written("plain", value)


def _holds_numbers(column: pa.ChunkedArray) -> bool:
    return any(is_number(value) for value in column.slice(0, ROWS).to_pylist()) or pa.types.is_floating(
        column.type
    )


def _anything(column: pa.ChunkedArray) -> bool:
    """Whether a column has a value in any row."""
    missing = pc.sum(pc.is_null(column, nan_is_null=pa.types.is_floating(column.type))).as_py()
    return bool(missing < len(column))


def _paragraphs(text: str) -> tuple[Markup, ...]:
    """A docstring's paragraphs, with its `code` and *stressed* words marked."""
    return tuple(_marked(" ".join(part.split())) for part in re.split(r"\n\s*\n", text) if part.strip())


def _marked(text: str) -> Markup:
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"<em>\1</em>", safe))  # noqa: S704 - escaped above


def _parameters(params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, "not set" if value in (None, [], ()) else written("plain", value))
        for name, value in params.items()
    )


def day_of(moment: int, zone: str) -> str:
    """The day of a moment (µs, UTC) in a zone, as people write it: 3 May 2024."""
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%B %Y}"
