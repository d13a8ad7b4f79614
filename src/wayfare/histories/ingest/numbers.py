"""Numbers as people and shops write them, in SQL: thousands in groups, a currency's mark, a minus behind, brackets."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from wayfare.histories.ingest.workbench import one

_CODES = (
    "EUR|USD|GBP|CHF|JPY|CNY|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|INR|BRL|MXN|ZAR|SGD|HKD|KRW|IDR|THB|"
    "MYR|PHP|VND|ILS|AED|SAR|UAH|CLP|COP|ARS|PEN|ISK|TWD|EGP|NGN|KES|MAD"
)
_MARK = rf"(?:(?:[A-Z]{{1,3}})?\p{{Sc}}|{_CODES}|kr\.?|Kč|zł|Ft|lei|Fr\.)"
_MINUS = "[-\u2212\u2013]"
_BLANK = "[ \u00a0\u202f\u2009]"
_GROUPS = {".": f"[,'\u2019]|{_BLANK}", ",": f"[.'\u2019]|{_BLANK}"}


def _digits(decimal: str) -> str:
    """The pattern of digits with thousands in groups (also India's of two) and a fraction."""
    mark, group = ("[.]", ",") if decimal == "." else (",", "[.]")
    whole = f"[0-9]{{1,3}}(?:(?:{_GROUPS[decimal]})[0-9]{{3}})+|[0-9]{{1,2}}(?:{group}[0-9]{{2}})+{group}[0-9]{{3}}|[0-9]+"
    return f"(?:{whole})(?:{mark}[0-9]*)?|{mark}[0-9]+"


def written_number(text: str, decimal: str) -> str:
    """The text (an SQL expression) as a DOUBLE, by its decimal mark; null where it is no number so written."""
    digits = f"regexp_extract({text}, {_sql(_pattern(decimal))}, 1)"
    kept = f"regexp_replace({digits}, '[^0-9{decimal}]', '', 'g')"
    number = f"try_cast(replace({kept}, ',', '.') AS DOUBLE)"
    minus = f"regexp_matches({text}, '{_MINUS}|^[(]')"
    fits = f"regexp_matches({text}, {_sql(_pattern(decimal))}) AND starts_with({text}, '(') = suffix({text}, ')')"
    return f"CASE WHEN {fits} THEN {number} * CASE WHEN {minus} THEN -1 ELSE 1 END END"


def decimal_evidence(text: str, mark: str) -> str:
    """The condition that the text (an SQL expression) can only be a number if `mark` (`.` or `,`) is its decimal mark."""
    other = "," if mark == "." else "."
    digits = (
        f"regexp_replace(regexp_extract({text}, '[0-9.,\u2019'' \u00a0\u202f]*[0-9]'), '[^0-9.,]', '', 'g')"
    )
    forms = (
        f"[0-9{other}]*[{mark}]([0-9]{{1,2}}|[0-9]{{4,}})", f"0*[{mark}][0-9]+", f"[0-9]{{4,}}[{mark}][0-9]{{3}}",
        f"[0-9]{{1,3}}([{other}][0-9]{{3}})+[{mark}][0-9]*",
    )  # fmt: skip
    return f"regexp_full_match({digits}, {_sql('|'.join(forms))})"


def decimal_mark(con: duckdb.DuckDBPyConnection, table: str, texts: Sequence[str]) -> str:
    """The decimal mark of a table's columns of text (quoted): a comma where only that can be meant; empty where nothing shows it."""
    comma, point = (
        " OR ".join(f"bool_or({decimal_evidence(text, mark)})" for text in texts) for mark in ",."
    )
    found = one(con, f"SELECT coalesce({comma}, false), coalesce({point}, false) FROM {table}")
    return "," if found[0] and not found[1] else "." if any(found) else ""


def either_mark(text: str) -> str:
    """The condition that the text holds one mark three digits from its end, which may be either mark: 1,234."""
    digits = f"regexp_extract({text}, '[0-9.,]*[0-9]')"
    return f"regexp_full_match({digits}, '[1-9][0-9]{{0,2}}[.,][0-9]{{3}}')"


def _pattern(decimal: str) -> str:
    gap = f"{_BLANK}*"
    signed = f"{gap}(?:[+]|{_MINUS})?{gap}"
    return rf"^\(?{signed}{_MARK}?{signed}({_digits(decimal)}){gap}{_MARK}?{gap}{_MINUS}?{gap}\)?$"


def _sql(pattern: str) -> str:
    return "'" + pattern.replace("'", "''") + "'"
