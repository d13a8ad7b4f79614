"""Which column is probably what: by its name, and by what stands in it."""

from __future__ import annotations

import re
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from wayfare.histories.ingest.cells import Cell, as_number, quoted, said
from wayfare.histories.ingest.mapping import Detected, Mapping
from wayfare.histories.ingest.raw import Raw
from wayfare.histories.ingest.recipe import AND
from wayfare.histories.ingest.workbench import one
from wayfare.histories.schema import CANONICAL, REQUIRED, Kind

_SYNONYMS: dict[str, tuple[str, ...]] = {
    "customer": (
        "customer", "customerid", "custid", "userid", "user", "clientid", "client", "visitorid", "visitor", "memberid", "member",
        "contactid", "contact", "personid", "distinctid", "userpseudoid", "shopperid", "accountid", "householdid", "household",
        "email", "customeremail", "caseid", "caseconceptname", "case", "anonymousid", "masterid", "uid",
    ),
    "time": (
        "time", "timestamp", "datetime", "date", "eventtime", "eventtimestamp", "eventdate", "ts", "occurredat", "createdat",
        "orderdate", "ordertime", "purchasedate", "invoicedate", "transactiondate", "transactiontimestamp", "timetimestamp",
        "completetimestamp", "starttimestamp", "sentat", "receivedat", "createdon", "visittime", "at", "when",
    ),
    "event": (
        "event", "eventname", "eventtype", "activity", "action", "touchpoint", "conceptname", "type", "activityname", "page", "pagename",
        "title", "step", "interaction",
    ),
    "channel": ("channel", "acquisitionchannel", "trafficsource", "medium", "utmmedium", "sourcemedium", "channelgrouping"),
    "session": ("session", "sessionid", "visitid", "gasessionid"),
    "order": ("order", "orderid", "ordernumber", "orderno", "invoice", "invoiceno", "invoiceid", "invoicenumber", "basketid", "transactionid"),
    "product": ("product", "productid", "sku", "stockcode", "itemid", "item", "productname", "article", "articleid"),
    "category": ("category", "productcategory", "department", "categoryname"),
    "quantity": ("quantity", "qty", "units", "count", "cds"),
    "value": ("value", "revenue", "amount", "spend", "sales", "salesvalue", "total", "price", "ordervalue", "totalprice", "turnover"),
    "cost": ("cost", "costs", "adcost"),
    "score": ("score", "rating", "satisfaction", "nps", "csat", "stars"),
    "campaign": ("campaign", "campaignid", "campaignname", "utmcampaign"),
    "referrer": ("referrer", "referredby", "referrerid"),
    "event_id": ("eventid", "messageid", "insertid"),
    "source": ("source",),
}  # fmt: skip
SAMPLE_ROWS = 5000


def detect(source: str, *, query: str | None = None, table: str | None = None) -> Detected:
    """Which column of a source is probably what, why, and three of its rows to judge by."""
    from wayfare.histories.ingest.sources import Wanted, pieces, read
    from wayfare.histories.ingest.workbench import workbench

    with workbench() as (con, scratch):
        piece = pieces([source])[0]
        raw = read(con, piece, "raw_0", Wanted({}, scratch, query, table, SAMPLE_ROWS))
        return detect_in(con, raw)


def detect_in(con: duckdb.DuckDBPyConnection, raw: Raw) -> Detected:
    """The same for a source that was read."""
    seen = _Seen(con, raw)
    columns: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for key, words in _SYNONYMS.items():
        found = next(
            (
                name
                for word in words
                for name in seen.named(word)
                if name not in columns.values() and seen.fits(name, key)
            ),
            None,
        )
        if found is not None:
            columns[key] = found
            reasons[key] = f"its name is {found!r}"
    if "time" not in columns and (guess := seen.only_time(columns.values())):
        columns["time"], reasons["time"] = guess, f"{guess!r} is the only column of dates"
    if "time" in columns and (clock := seen.clock_beside(columns["time"], columns.values())):
        reasons["time"] = f"{columns['time']!r} holds days and {clock!r} the time of day"
        columns["time"] = f"{columns['time']}{AND}{clock}"
    warnings = [
        f"No column looks like {key}: name it with --{key} COL." for key in REQUIRED if key not in columns
    ]
    warnings += [
        f"The column {name!r} holds no numbers, so it is not taken for {key}."
        for key in CANONICAL
        if CANONICAL[key] is Kind.NUMBER and key not in columns
        for name in seen.named(key)
    ]
    return Detected(Mapping(columns), reasons, seen.sample(), tuple(warnings))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


class _Seen:
    """The columns of a table under their plain names, with a look at what is in them."""

    def __init__(self, con: duckdb.DuckDBPyConnection, raw: Raw) -> None:
        self.con, self.raw = con, raw
        self.columns: AnyMapping[str, str] = raw.data_columns
        self.rows = f"(SELECT * FROM {quoted(raw.table)} LIMIT {SAMPLE_ROWS})"

    def named(self, word: str) -> Sequence[str]:
        return [name for name in self.columns if _plain(name) == word]

    def fits(self, name: str, key: str) -> bool:
        """Whether the column can be `key`: dates for time, numbers for numbers; the more so if it has just that name."""
        enough = 0.1 if _plain(name) == key else 0.5
        cell = Cell(quoted(name), self.columns[name])
        if key == "time":
            return cell.is_time or self._share(cell, _time_test(cell), nothing=1.0) > enough
        if CANONICAL[key] is Kind.NUMBER:
            return (
                cell.is_number
                or self._share(cell, _number_test(cell) if cell.is_text else "NULL", nothing=1.0) > enough
            )
        return not cell.type.endswith("[]") and not cell.type.startswith(("STRUCT", "MAP"))

    def only_time(self, taken: Any) -> str | None:
        free = [name for name in self.columns if name not in taken]
        dated = [
            name for name in free if self.columns[name].startswith(("TIMESTAMP", "DATE")) or self._dated(name)
        ]
        return dated[0] if len(dated) == 1 else None

    def clock_beside(self, date: str, taken: Any) -> str | None:
        """The column that holds the time of day, where the column `date` holds days alone."""
        cell = Cell(quoted(date), self.columns[date])
        said_time = f"CASE WHEN contains({said(cell)}, ':') AND NOT regexp_matches({said(cell)}, '[ T]00:00(:00([.]0+)?)?$') THEN 1 END"
        if cell.type != "DATE" and not (cell.is_text and self._share(cell, said_time) == 0):
            return None
        wanted = {*_CLOCK_NAMES, _plain(date).replace("date", "time").replace("day", "time")}
        free = [name for name in self.columns if name not in taken and _plain(name) in wanted]
        return next((name for name in free if self._is_clock(Cell(quoted(name), self.columns[name]))), None)

    def _is_clock(self, cell: Cell) -> bool:
        clock = (
            f"CASE WHEN regexp_full_match({said(cell)}, '{_CLOCK}') THEN 1 END" if cell.is_text else "NULL"
        )
        return cell.type == "TIME" or self._share(cell, clock) > 0.9

    def _dated(self, name: str) -> bool:
        cell = Cell(quoted(name), self.columns[name])
        return cell.is_text and self._share(cell, f"try_cast({said(cell)} AS TIMESTAMPTZ)") > 0.9

    def _share(self, cell: Cell, test: str, nothing: float = 0.0) -> float:
        known = said(cell) if cell.is_text else cell.sql
        row = one(self.con, f"SELECT count({test}), count({known}) FROM {self.rows}")
        return row[0] / row[1] if row[1] else nothing

    def sample(self) -> list[dict[str, Any]]:
        shown = ", ".join(f"{quoted(name)}::VARCHAR AS {quoted(name)}" for name in self.columns)
        return (
            self.con.sql(f"SELECT {shown} FROM {quoted(self.raw.table)} LIMIT 3").to_arrow_table().to_pylist()
        )


def _number_test(cell: Cell) -> str:
    texts = said(cell)
    return f"coalesce({as_number(replace(cell, decimal='.'))}, CASE WHEN {texts} IS NOT NULL THEN {as_number(replace(cell, decimal=','))} END)"


_CLOCK_NAMES = ("time", "timeofday", "clock", "hour", "timestamp", "ordertime", "eventtime", "starttime")
_CLOCK = "[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?[AaPp][Mm])?"
"""A time of day, which is no moment."""


def _time_test(cell: Cell) -> str:
    if not cell.is_text:
        return cell.sql if cell.is_number else "NULL"
    text = said(cell)
    return f"CASE WHEN NOT regexp_full_match({text}, '{_CLOCK}') THEN coalesce(try_cast({text} AS TIMESTAMPTZ)::VARCHAR, CASE WHEN regexp_matches({text}, '[0-9]{{1,4}}[-/. :]?[0-9a-zA-Z]+[-/. :]?[0-9]{{2}}') THEN 'like a date' END) END"


__all__ = ["Path", "detect", "detect_in"]
