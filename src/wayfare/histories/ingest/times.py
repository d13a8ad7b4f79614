"""Times as they are written, read as microseconds in UTC: ISO, other orders, epoch numbers, with a zone or without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from wayfare.errors import BadInput, InvalidParameter
from wayfare.histories.calendar import _offsets
from wayfare.histories.ingest.cells import LOCAL_MICROS, UTC_MICROS, Cell, literal, said, trimmed
from wayfare.histories.ingest.workbench import one

EARLIEST = 0
LATEST = 4_102_444_800_000_000
"""1970-01-01 and 2100-01-01 in UTC: times outside are slips, not history."""

ISO = "ISO"
"""The time format of ISO text, where it need not be looked for."""

UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0}
DIGITS = {
    "day": "%Y%m%d", "yyyy": "%Y", "yyyymm": "%Y%m", "yyyymmddhhmm": "%Y%m%d%H%M", "yyyymmddhhmmss": "%Y%m%d%H%M%S",
}  # fmt: skip
EXCEL = "excel"
ALL_UNITS = (*UNITS, *DIGITS, EXCEL)
"""What a number may be as a time: a count since 1970, the digits of a date, or a spreadsheet's count of days."""

_RANGES = {
    "yyyy": (1_970, 2_100), EXCEL: (20_000, 80_000), "yyyymm": (197_001, 210_012), "day": (19_000_101, 21_001_231),
    "yyyymmddhhmm": (190_001_010_000, 210_012_312_359), "yyyymmddhhmmss": (19_000_101_000_000, 21_001_231_235_959),
    "s": (-1e11, 1e11), "ms": (1e11, 1e14), "us": (1e14, 1e17), "ns": (1e17, 9.3e18),
}  # fmt: skip
_SURE = 0.99
"""The share of numbers from which on small ones are taken for years, months or a spreadsheet's days."""

_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %H:%M:%S,%f", " %I:%M %p", " %I:%M:%S %p", ":%H.%M")
_DATES = {
    "day": ("%d{s}%m{s}%Y", "%d{s}%m{s}%y"),
    "month": ("%m{s}%d{s}%Y", "%m{s}%d{s}%y"),
}
_NAMED = (
    "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
    "%a, %d %b %Y", "%a %b %d %Y", "%Y%m%d", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ", "%d/%b/%Y:%H:%M:%S",
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m", "%Y/%m", "%b %Y", "%B %Y",
)  # fmt: skip
SEPARATED = "^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}([ T,:].*)?$"


@dataclass(frozen=True)
class Shape:
    """An ISO form that every value of a column has, so that it can be read without a second look."""

    condition: str
    type: str


SHAPES = (
    Shape("strlen({c}) = 19 AND array_extract({c}, 17) = ':'", LOCAL_MICROS),
    Shape("strlen({c}) = 20 AND suffix({c}, 'Z') AND array_extract({c}, 17) = ':'", UTC_MICROS),
    Shape("strlen({c}) = 25 AND suffix({c}, '+00:00') AND array_extract({c}, 17) = ':'", UTC_MICROS),
    Shape("strlen({c}) = 22 AND suffix({c}, '+00') AND array_extract({c}, 17) = ':'", UTC_MICROS),
    Shape("strlen({c}) = 10 AND array_extract({c}, 5) = '-' AND array_extract({c}, 8) = '-'", LOCAL_MICROS),
    Shape("strlen({c}) = 16 AND array_extract({c}, 14) = ':' AND array_extract({c}, 5) = '-'", LOCAL_MICROS),
    Shape("strlen({c}) = 24 AND suffix({c}, 'Z') AND array_extract({c}, 20) = '.'", UTC_MICROS),
)
"""DuckDB's cast to TIMESTAMP drops an offset without a word, so each form leaves no room for one."""


def shaped(column: str, shape: Shape) -> str:
    """The column (quoted) as microseconds; null where a value does not have the shape."""
    return f"CASE WHEN {shape.condition.format(c=column)} THEN epoch_us(try_cast({column} AS TIMESTAMP)) END"


def check_written(con: duckdb.DuckDBPyConnection, time_format: str, time_unit: str, decimal: str) -> None:
    """The error that a setting says nothing, where it does.

    Raises:
        InvalidParameter: With the settings there are.
    """
    if time_unit and time_unit not in ALL_UNITS:
        raise InvalidParameter(f"{time_unit!r} is not a unit of time.", where="time_unit", allowed=ALL_UNITS)
    if decimal not in ("", ".", ","):
        raise InvalidParameter(f"{decimal!r} is not a decimal mark.", where="decimal", allowed=(".", ","))
    for form in time_format.split("|"):
        if form not in ("", ISO) and not _is_format(con, form):
            raise InvalidParameter(
                f"{form!r} does not say how times are written.", where="time_format",
                hint="Write it in strptime's letters, as in '%d.%m.%Y %H:%M'; several forms with | between them.",
            )  # fmt: skip


def _is_format(con: duckdb.DuckDBPyConnection, form: str) -> bool:
    try:
        (text,) = one(con, f"SELECT strftime(TIMESTAMP '2001-02-03 04:05:06', {literal(form)})")
    except duckdb.Error:
        return False
    return bool(text != form)


def local_to_utc(sql: str, zone: str) -> str:
    """Microseconds in UTC from wall-clock ones in `zone`, as `calendar.utc_time` gives them."""
    changes, offsets = _offsets(zone)
    if len(offsets) == 1:
        return sql if not offsets[0] else f"({sql} - {int(offsets[0])})"
    wall = [
        int(change + max(after, before))
        for change, before, after in zip(changes[1:], offsets, offsets[1:], strict=False)
    ]
    return f"({sql} - ({_offset_tree(sql, wall, [int(offset) for offset in offsets])}))"


def _offset_tree(sql: str, wall: Sequence[int], offsets: Sequence[int]) -> str:
    if not wall or len(set(offsets)) == 1:
        return str(offsets[0])
    middle = len(wall) // 2
    low = _offset_tree(sql, wall[:middle], offsets[: middle + 1])
    high = _offset_tree(sql, wall[middle + 1 :], offsets[middle + 1 :])
    return f"CASE WHEN {sql} < {wall[middle]} THEN {low} ELSE {high} END"


@dataclass(frozen=True)
class Reading:
    """How a value becomes a time: microseconds in UTC where it says so, else of the wall clock of its zone."""

    utc: str = ""
    local: str = ""


def reading(cell: Cell, formats: Sequence[str] = (), unit: str = "") -> Reading:
    """The value as microseconds; null where it is missing or can't be read.

    Args:
        cell: The value as the source gives it; text best `cleaned` before.
        formats: How text is written where it is not ISO (strptime), as `forms` found them; `ISO` among them lets ISO stand
            beside them.
        unit: What numbers count since 1970 (s, ms, us, ns), or another of `ALL_UNITS`.
    """
    if cell.type == UTC_MICROS:
        return Reading(utc=cell.sql)
    if cell.type == LOCAL_MICROS:
        return Reading(local=cell.sql)
    if cell.type in ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"):
        return Reading(utc=f"epoch_us(({cell.sql})::TIMESTAMPTZ)")
    if cell.is_time:
        return Reading(local=f"epoch_us(({cell.sql})::TIMESTAMP)")
    if cell.is_number and not formats:
        return _from_number(cell.sql, unit)
    if unit:
        whole = unit in DIGITS or unit == "ns"
        return _from_number(f"try_cast({trimmed(cell)} AS {'BIGINT' if whole else 'DECIMAL(38, 6)'})", unit)
    return _from_text(said(cell), formats)


def in_utc(found: Reading, zone: str) -> str:
    """A reading (of plain columns: its parts are repeated) as microseconds in UTC; a time that names no zone is in `zone`."""
    if not found.local:
        return found.utc
    local = local_to_utc(found.local, zone)
    return f"coalesce({found.utc}, {local})" if found.utc else local


def _from_number(sql: str, unit: str) -> Reading:
    if unit in DIGITS:
        return Reading(local=f"epoch_us(try_strptime(try_cast({sql} AS BIGINT)::VARCHAR, '{DIGITS[unit]}'))")
    if unit == EXCEL:
        # Day 25,569 is 1970-01-01; a spreadsheet's times are wall-clock ones, to the second.
        return Reading(local=f"(try_cast(round((({sql}) - 25569) * 86400) AS BIGINT) * 1000000)")
    if unit == "ns":
        return Reading(utc=f"(({sql})::BIGINT // 1000)")
    return Reading(utc=f"try_cast(round(({sql}) * {UNITS[unit]}) AS BIGINT)")


def _from_text(text: str, formats: Sequence[str]) -> Reading:
    if ISO in formats:
        iso, other = _from_text(text, ()), _from_text(text, [form for form in formats if form != ISO])
        dashed = f"regexp_matches({text}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
        return Reading(
            f"CASE WHEN {dashed} THEN {iso.utc} ELSE {other.utc or 'NULL'} END",
            f"CASE WHEN {dashed} THEN {iso.local} ELSE {other.local or 'NULL'} END",
        )
    names = "[" + ", ".join(literal(form) for form in formats) + "]"
    if formats and any("%z" in form or "%Z" in form for form in formats):
        return Reading(utc=f"epoch_us(try_strptime({text}, {names})::TIMESTAMPTZ)")
    if formats:
        return Reading(local=f"epoch_us(try_strptime({text}, {names}))")
    # A zone shows in the last letter (Z, UTC, Europe/Paris), a plus sign, or a minus sign after the date. It is looked
    # for because DuckDB's cast to TIMESTAMP drops an offset without a word.
    named = f"(NOT array_extract({text}, -1) BETWEEN '0' AND '9' OR contains({text}, '+') OR contains(substr({text}, 11), '-'))"
    joined = f"regexp_replace({text}, ' ([+-][0-9]{{2}}:?[0-9]{{2}})$', '\\1')"
    # A Z alone is cheaper without DuckDB's calendar library.
    zulu = f"CASE WHEN suffix({text}, 'Z') THEN epoch_us(try_cast({text} AS TIMESTAMP)) WHEN {named} THEN epoch_us(try_cast({joined} AS TIMESTAMPTZ)) END"
    return Reading(utc=zulu, local=f"CASE WHEN NOT {named} THEN epoch_us(try_cast({text} AS TIMESTAMP)) END")


def forms(con: duckdb.DuckDBPyConnection, table: str, cell: Cell, where: str) -> tuple[tuple[str, ...], str]:
    """How a whole column of text or numbers writes its times: (formats, unit), both empty for ISO.

    Raises:
        BadInput: Where 01/02/2024 could be either order, or nothing that is known fits most values.
    """
    if cell.is_time:
        return (), ""
    if cell.is_number:
        return (), _unit(con, f"(SELECT {cell.sql} AS number FROM {table})")
    said_once = f"(SELECT {said(cell)} AS said FROM {table})"
    # What DuckDB can cast is not all that is read: it drops an AM or PM, so a value with one is no ISO form.
    once = _from_text("said", ())
    known, numbers, separated, iso = one(
        con,
        f"SELECT count(said), count(number), count(CASE WHEN number IS NULL AND regexp_matches(said, {literal(SEPARATED)}) THEN 1 END),"
        f" count(coalesce({once.utc}, {once.local})) FROM (SELECT said, try_cast(said AS DECIMAL(38, 6)) AS number FROM {said_once})",
    )
    beside = (ISO,) if iso else ()
    # DuckDB takes 31/12/10 for a day of the year 31, so this comes before the ISO forms.
    if known and separated * 2 >= known:
        dashed = one(
            con, f"SELECT count(*) FROM {said_once} WHERE regexp_matches(said, '^[0-9]{{4}}-[0-9]{{2}}-')"
        )[0]
        return (*_separated(con, said_once, "said", where), *((ISO,) if dashed else ())), ""
    if known == 0 or iso * 2 >= known:
        return (), ""
    if numbers * 2 >= known:
        return (), _unit(con, f"(SELECT try_cast(said AS DECIMAL(38, 6)) AS number FROM {said_once})")
    return (*_named(con, said_once, "said", where, fallback=bool(iso)), *beside), ""


def _unit(con: duckdb.DuckDBPyConnection, numbers: str) -> str:
    """What most numbers of a column count, by their size: a slip among them decides nothing."""
    tests = {unit: f"number BETWEEN {low!r} AND {high!r}" for unit, (low, high) in _RANGES.items()}
    tests["yyyymm"] += " AND number::BIGINT % 100 BETWEEN 1 AND 12"
    counts = one(
        con,
        f"SELECT count(number), {', '.join(f'count(CASE WHEN {test} THEN 1 END)' for test in tests.values())} FROM {numbers}",
    )
    found = dict(zip(tests, counts[1:], strict=True))
    for unit in ("yyyy", EXCEL, "yyyymm"):
        if counts[0] and found[unit] >= _SURE * counts[0]:
            return unit
    found["s"] -= found["day"]
    found["ms"] -= found["yyyymmddhhmm"] + found["yyyymmddhhmmss"]
    return max(("s", "day", "yyyymmddhhmm", "yyyymmddhhmmss", "ms", "us", "ns"), key=lambda unit: found[unit])


def _separated(con: duckdb.DuckDBPyConnection, table: str, text: str, where: str) -> tuple[str, ...]:
    parts = f"regexp_extract({text}, '^([0-9]{{1,2}})([-/.])([0-9]{{1,2}})[-/.]', ['a', 'm', 'b'])"
    found = one(
        con,
        f"SELECT max(try_cast(p.a AS INTEGER)), max(try_cast(p.b AS INTEGER)), any_value(t), list(DISTINCT p.m) FROM"
        f" (SELECT {parts} AS p, {text} AS t FROM {table} WHERE regexp_matches({text}, {literal(SEPARATED)}))",
    )
    first, second, example, marks = found[0], found[1], found[2], sorted(found[3])
    either = {
        order: _fitting(con, table, text, [date.format(s=mark) for mark in marks for date in dates])
        for order, dates in _DATES.items()
    }
    if (first > 12) == (second > 12):
        both = "both orders occur" if first > 12 else "either order is possible"
        allowed = tuple("|".join(formats) for formats in either.values())
        raise BadInput(
            f"Is {example!r} day first or month first? In this column {both}.", where=where, allowed=allowed,
            hint=f"Say which: --map time_format='{allowed[0]}' (day first), or '{allowed[1]}' (month first).",
        )  # fmt: skip
    return either["day" if first > 12 else "month"]


def _named(
    con: duckdb.DuckDBPyConnection, table: str, text: str, where: str, *, fallback: bool
) -> tuple[str, ...]:
    formats = _fitting(con, table, text, _NAMED)
    if not formats and not fallback:
        example = one(con, f"SELECT any_value({text}) FROM {table}")
        raise BadInput(
            f"The times look like {example[0][:60]!r}, a form that is not known.", where=where,
            hint="Name another column with --time, or say how they are written, in strptime's letters: --map time_format='%d.%m.%Y %H:%M'.",
        )  # fmt: skip
    return formats


def _fitting(con: duckdb.DuckDBPyConnection, table: str, text: str, dates: Sequence[str]) -> tuple[str, ...]:
    joined = [date + clock for date in dates for clock in _CLOCKS] + [date + "T%H:%M:%S" for date in dates]
    zoned = [form + " %z" for form in joined] + [form + " %Z" for form in joined]
    sample = f"(SELECT {text} AS t FROM {table} WHERE {text} IS NOT NULL LIMIT 20000)"
    for group in (joined, zoned):
        parsed = {form: f"try_strptime(t, {literal(form)})" for form in group}
        tests = ", ".join(
            f"count(CASE WHEN year({sql}) BETWEEN 1000 AND 9999 THEN 1 END)" for sql in parsed.values()
        )
        counts = one(con, f"SELECT {tests} FROM {sample}")
        if any(counts):
            # Two-digit years come first: %y leaves the end of 2010 over and fails, %Y reads 10 as the year 10.
            fitting = [form for form, count in zip(group, counts, strict=True) if count]
            return tuple(sorted(fitting, key=lambda form: "%Y" in form))
    return ()
