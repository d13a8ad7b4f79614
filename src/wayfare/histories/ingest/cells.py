"""A value read from a source as SQL: the expression, its type, and how it becomes text, a number or a flag."""

from __future__ import annotations

from dataclasses import dataclass

from wayfare.errors import BadInput
from wayfare.histories.ingest.numbers import written_number

MISSING_WORDS = (
    "", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NaT", "null", "NULL", "Null", "None", "none", "-", "\\N",
)  # fmt: skip
"""What stands for *missing* in a column of numbers or times; an id `NA` stays the id `NA`."""

UTC_MICROS = "UTC_MICROS"
LOCAL_MICROS = "LOCAL_MICROS"
"""Types of our own: microseconds since 1970, in UTC or on the wall clock of the source's zone."""

_WHOLE = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)
_FRACTIONS = ("FLOAT", "DOUBLE")


@dataclass(frozen=True)
class Cell:
    """One value of each row: an SQL expression of a DuckDB type (or one of ours)."""

    sql: str
    type: str
    broken: str = ""
    """An SQL condition that holds where something the value was computed from can't be read as a number."""
    decimal: str = "."
    clean: bool = False
    """Whether the text is trimmed already and null where it is missing."""

    @property
    def is_text(self) -> bool:
        """Whether the value is text, whose content decides what it may become."""
        return self.type in ("VARCHAR", "JSON") or self.type.startswith("ENUM")

    @property
    def is_number(self) -> bool:
        """Whether the value is stored as a number."""
        return self.type in _WHOLE or self.type in _FRACTIONS or self.type.startswith("DECIMAL")

    @property
    def is_whole(self) -> bool:
        """Whether the value is stored as a whole number."""
        return self.type in _WHOLE

    @property
    def is_time(self) -> bool:
        """Whether the value is stored as a date or a time."""
        return self.type.startswith(("TIMESTAMP", "DATE")) or self.type in (UTC_MICROS, LOCAL_MICROS)


_BLANKS = "' \t\n\r\u00a0'"
_MISSING_LIST = ", ".join(f"'{word}'" for word in MISSING_WORDS)

MISSING = Cell("NULL::VARCHAR", "VARCHAR")


def quoted(name: str) -> str:
    """`name` as an SQL identifier, whatever it holds."""
    return '"' + _without_nul(name).replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as an SQL string, whatever it holds."""
    return "'" + _without_nul(text).replace("'", "''") + "'"


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise BadInput("A name or value holds a NUL character.", where=text.replace("\0", "\\0"))
    return text


def as_text(cell: Cell) -> str:
    """The value as text: `12345.0` of a column of fractions is `12345`; missing is null."""
    if cell.type == "VARCHAR":
        return cell.sql
    if cell.type == "JSON":
        return f"json_extract_string({cell.sql}, '$')"
    if cell.type in _FRACTIONS:
        whole = f"{cell.sql} = trunc({cell.sql}) AND abs({cell.sql}) < 9e15"
        return f"CASE WHEN isnan({cell.sql}) THEN NULL WHEN {whole} THEN {cell.sql}::BIGINT::VARCHAR ELSE {cell.sql}::VARCHAR END"
    if cell.type in (UTC_MICROS, LOCAL_MICROS):
        return f"make_timestamp({cell.sql})::VARCHAR"
    return f"({cell.sql})::VARCHAR"


def trimmed(cell: Cell) -> str:
    """The value as text without surrounding blanks; null where nothing is left."""
    return cell.sql if cell.clean else f"nullif(trim({as_text(cell)}, {_BLANKS}), '')"


def is_blank(cell: Cell) -> str:
    """The condition that the value is missing or blank, cheap where it is not."""
    if cell.type == "VARCHAR":
        # Text that starts with a blank sorts before '!', or is the no-break space.
        edge = f"{cell.sql} < '!' OR {cell.sql} BETWEEN '\u00a0' AND '\u00a1'"
        return f"({cell.sql} IS NULL OR CASE WHEN {edge} THEN {trimmed(cell)} IS NULL ELSE false END)"
    if cell.type in _FRACTIONS:
        return f"({cell.sql} IS NULL OR isnan({cell.sql}))"
    if cell.is_text:
        return f"({trimmed(cell)} IS NULL)"
    return f"({cell.sql} IS NULL)"


def as_number(cell: Cell) -> str:
    """The value as a DOUBLE; null where it is missing or can't be read.

    `$1,234.50`, `12,50 €` (by the cell's decimal mark), `1'000`, `(5)` and `5-` are numbers.
    """
    if cell.type in _FRACTIONS:
        return (
            f"CASE WHEN isfinite({cell.sql}) THEN {cell.sql}::DOUBLE END"
            if cell.sql[-1] == '"'
            else _finite(f"({cell.sql})::DOUBLE")
        )
    if not cell.is_text:
        return f"({cell.sql})::DOUBLE" if cell.type == "BOOLEAN" or cell.is_number else "NULL::DOUBLE"
    text = trimmed(cell)
    written = written_number(text, cell.decimal or ".")
    if cell.decimal == ",":
        plain = f"coalesce(try_cast(replace({text}, ',', '.') AS DOUBLE), {written})"
        return _finite(f"CASE WHEN contains({text}, '.') THEN {written} ELSE {plain} END")
    return _finite(f"coalesce(try_cast({text} AS DOUBLE), {written})")


def as_bare_number(cell: Cell) -> str:
    """Text as a DOUBLE where it is digits (thousands in groups or not) and nothing else: `USD 5` may be a code's name."""
    text = trimmed(cell)
    thousands = f"regexp_full_match({text}, '[-+]?[0-9]{{1,3}}(,[0-9]{{3}})+([.][0-9]+)?')"
    grouped = f"CASE WHEN {thousands} THEN try_cast(replace({text}, ',', '') AS DOUBLE) END"
    return _finite(f"coalesce(try_cast({text} AS DOUBLE), {grouped})")


def _finite(sql: str) -> str:
    return f"nullif(nullif(nullif({sql}, 'inf'::DOUBLE), '-inf'::DOUBLE), 'nan'::DOUBLE)"


def cleaned(cell: Cell, alias: str) -> tuple[str, Cell]:
    """An SQL expression to select as `alias`, and the cell that stands for it there: text is trimmed once."""
    if cell.is_text:
        return said(cell), Cell(alias, "VARCHAR", decimal=cell.decimal, clean=True)
    return cell.sql, Cell(alias, cell.type)


def unreadable_number(cell: Cell) -> str:
    """The condition that the value is there but no finite number; empty where that can't be."""
    if cell.type in _FRACTIONS:
        own = f"isinf({cell.sql})"
    elif cell.is_text:
        own = f"({said(cell)} IS NOT NULL AND {as_number(cell)} IS NULL)"
    elif cell.type == "BOOLEAN" or cell.is_number:
        own = ""
    else:
        own = f"{cell.sql} IS NOT NULL"
    return " OR ".join(condition for condition in (own, cell.broken) if condition)


def said(cell: Cell) -> str:
    """The value as text, null where it is a word for *missing*."""
    if cell.clean:
        return cell.sql
    return f"CASE WHEN trim({as_text(cell)}, {_BLANKS}) NOT IN ({_MISSING_LIST}) THEN trim({as_text(cell)}, {_BLANKS}) END"


def as_flag(cell: Cell) -> str:
    """The value as 1, 0 or null."""
    if cell.is_text:
        return f"try_cast({said(cell)} AS BOOLEAN)::TINYINT"
    return f"({cell.sql})::BOOLEAN::TINYINT"
