"""The answers in a file, one row each, whether a line holds a respondent (wide) or an answer (long)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from wayfare.domain.survey import Choices, Column, KanoPair, Question, Survey
from wayfare.errors import BadInput
from wayfare.histories.ingest.cells import MISSING, as_text, literal, quoted, trimmed
from wayfare.histories.ingest.raw import ID_COLUMN, Raw
from wayfare.histories.ingest.scope import Scope
from wayfare.histories.ingest.survey_coding import ANSWER, DYSFUNCTIONAL, FUNCTIONAL, IMPORTANCE, PARTS
from wayfare.histories.ingest.workbench import one

LINES, ANSWERS = "survey_lines", "survey_answers_said"
RESPONDENT = "respondent"
"""The column with the respondent where the survey names none: in what the quarantine shows of an anonymous answer."""
UNNAMED = "anonymous:"
_TICK = "tick"


@dataclass(frozen=True)
class Lines:
    """Where a file's answers are: `LINES` has what each line says (n, line, id, rid, at, wave, touchpoint, extras);
    `ANSWERS` what it answers (n, q, item, wide, asked, label, answer, functional, dysfunctional, importance).

    Attributes:
        count: How many lines there are.
        shown: The columns of `LINES` that stand in the quarantine, by their names in the source, each with its SQL type.
        unread: Columns that the survey does not mention.
    """

    count: int
    shown: dict[str, tuple[str, str]]
    unread: tuple[str, ...]


def said_lines(con: duckdb.DuckDBPyConnection, raw: Raw, survey: Survey, origin: str) -> Lines:
    """Takes apart the lines of `raw`; `origin` tells the file from all others where nobody says who answered."""
    again = ID_COLUMN in raw.columns
    scope = Scope(raw.columns, where=raw.name, optional=again)
    wide, long = _form(raw, survey, again=again)
    shown = _lines(con, raw, survey, scope, origin)
    columns = _answer_columns(survey, scope, wide=wide)
    for name in columns:
        scope.column(name)
    places = {name: f"c{place}" for place, name in enumerate(dict.fromkeys([*columns, *long.values()]))}
    _texts(con, raw, scope, places)
    parts = (
        list(_wide(survey, places, f"WHERE {places[long['question']]} IS NULL" if long else ""))
        if wide
        else []
    )
    if long:
        _names(con, survey)
        parts += list(_long(survey, {role: places[name] for role, name in long.items()}))
    con.execute(f"CREATE OR REPLACE TABLE {ANSWERS} AS {' UNION ALL '.join(parts)}")
    (count,) = one(con, f"SELECT count(*) FROM {LINES}")
    return Lines(count, shown, _unread(raw, survey, {*columns, *long.values()}))


def _form(raw: Raw, survey: Survey, *, again: bool) -> tuple[bool, dict[str, str]]:
    """Whether lines are respondents, and the columns of a long file by their roles; both only for mended lines."""
    has = Scope(raw.columns).has
    roles = {
        role: name
        for role in ("question", *PARTS)
        if has(name := str(getattr(survey.long, role))) and (survey.kano or role in ("question", ANSWER))
    }
    long = roles if "question" in roles and len(roles) > 1 else {}
    columns = {column for question in survey.questions for column in question.columns}
    wide = any(has(column) for column in columns - set(long.values()))
    if again:
        return wide, long
    if wide or not long:
        return True, {}
    return False, long


def _answer_columns(survey: Survey, scope: Scope, *, wide: bool) -> list[str]:
    if not wide:
        return []
    named = [column for question in survey.questions for column in question.columns]
    return [column for column in named if not scope.optional or scope.has(column)]


def _unread(raw: Raw, survey: Survey, read: set[str]) -> tuple[str, ...]:
    spoken = {survey.respondent, survey.time, *survey.attributes.values(), *read, RESPONDENT}
    spoken |= {each.column for each in (survey.wave, survey.touchpoint) if isinstance(each, Column)}
    known = {name.casefold() for name in spoken}
    return tuple(name for name in raw.data_columns if name.casefold() not in known)


def _lines(
    con: duckdb.DuckDBPyConnection, raw: Raw, survey: Survey, scope: Scope, origin: str
) -> dict[str, tuple[str, str]]:
    """Makes `LINES`; gives the columns to show in the quarantine, by name: the column in `LINES` and its type."""
    line = _line(raw)
    time = scope.column(survey.time) if survey.time else None
    identity = quoted(ID_COLUMN) if ID_COLUMN in raw.columns else "-1"
    fields = {
        "line": f"({line})::BIGINT", "id": f"({identity})::BIGINT", "rid": _respondent(survey, scope, origin, line),
        "at": time.sql if time else literal(str(survey.date)), "at_said": _one_form(as_text(time)) if time else "NULL::VARCHAR",
        "wave": _said(survey.wave, scope), "touchpoint": _said(survey.touchpoint, scope),
    }  # fmt: skip
    shown = {survey.respondent or RESPONDENT: ("rid", "VARCHAR")}
    if time:
        shown[survey.time] = ("at", time.type)
    for place, name in enumerate(survey.attributes.values()):
        cell = scope.column(name)
        fields[f"extra_{place}"] = cell.sql
        shown.setdefault(name, (f"extra_{place}", cell.type))
    for part, value in (("wave", survey.wave), ("touchpoint", survey.touchpoint)):
        if isinstance(value, Column):
            shown.setdefault(value.column, (part, "VARCHAR"))
    select = ", ".join(f"{sql} AS {name}" for name, sql in fields.items())
    con.execute(f"CREATE OR REPLACE TABLE {LINES} AS SELECT rowid AS n, {select} FROM {quoted(raw.table)}")
    return shown


def _one_form(time: str) -> str:
    """A time's text in one form, so that an answer is known again: `2024-03-01T00:00:00Z` and `2024-03-01` are one."""
    time = f"replace(upper({time}), 'T', ' ')"
    for pattern, kept in (
        ("(Z|[+]00(:?00)?)$", ""),
        ("[.]0+$", ""),
        ("( [0-9]{2}:[0-9]{2}):00$", "\\1"),
        (" 00:00$", ""),
    ):
        time = f"regexp_replace({time}, {literal(pattern)}, {literal(kept)})"
    return time


def _line(raw: Raw) -> str:
    """The line that a row stood on, lines that could not be taken apart counted in."""
    if raw.line_column:
        return quoted(raw.line_column)
    first = raw.first_line or 1
    # The j-th such line (from 0) stands after line - first - j good rows.
    before = ", ".join(str(rejected.line - first - j) for j, rejected in enumerate(raw.rejected))
    shift = f" + len(list_filter([{before}], lambda x: x <= rowid))" if before else ""
    return f"rowid + {first}{shift}"


def _respondent(survey: Survey, scope: Scope, origin: str, line: str) -> str:
    """The respondent's id; for an anonymous answer one that nothing else has."""
    name = survey.respondent or (RESPONDENT if scope.optional else "")
    given = trimmed(scope.column(name)) if name else "NULL::VARCHAR"
    if not survey.is_anonymous:
        return given
    alone = f"concat_ws(chr(31), {literal(origin)}, ({line})::VARCHAR)"
    told = f"sha256(concat_ws(chr(31), {literal(survey.name)}, coalesce({given}, {alone})))"
    return f"CASE WHEN starts_with({given}, {literal(UNNAMED)}) THEN {given} ELSE {literal(UNNAMED)} || left({told}, 16) END"


def _said(value: str | Column | None, scope: Scope) -> str:
    if isinstance(value, Column):
        return trimmed(scope.column(value.column))
    return "NULL::VARCHAR" if value is None else f"{literal(value)}::VARCHAR"


def _texts(con: duckdb.DuckDBPyConnection, raw: Raw, scope: Scope, places: dict[str, str]) -> None:
    """The columns with answers as text, blank ones null, beside the line's number `n`."""
    cells = {place: scope.column(name) for name, place in places.items()}
    texts = "".join(
        f", {trimmed(cell) if cell is not MISSING else cell.sql} AS {place}" for place, cell in cells.items()
    )
    con.execute(f"CREATE OR REPLACE TABLE survey_texts AS SELECT rowid AS n{texts} FROM {quoted(raw.table)}")


def _row(number: str, wide: str, values: Mapping[str, str], rest: str, **other: str) -> str:
    """A SELECT of the columns of `ANSWERS`, in their order; `other` are those that are not as usual."""
    fields = {
        "n": other.get("n", "n"), "q": f"({number})::INTEGER", "item": f"({other.get('item', '0')})::INTEGER", "wide": wide,
        **{name: f"({other.get(name, 'NULL')})::VARCHAR" for name in ("asked", "label")},
        **{part: f"({values.get(part, 'NULL')})::VARCHAR" for part in PARTS},
    }  # fmt: skip
    return f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in fields.items())} {rest}"


def _wide(survey: Survey, places: dict[str, str], where: str) -> Iterator[str]:
    """A SELECT for each question: a row for each line (for a multiple choice, for each option)."""
    for number, question in enumerate(survey.questions):
        rest = f"FROM survey_texts {where}"
        columns = [places.get(column, "NULL") for column in question.columns]
        if isinstance(question, KanoPair):
            roles = (FUNCTIONAL, DYSFUNCTIONAL, IMPORTANCE)
            yield _row(str(number), "true", dict(zip(roles, columns, strict=False)), rest)
        elif isinstance(question, Choices) and question.ticked:
            for item, (column, option) in enumerate(zip(columns, question.ticked.values(), strict=True)):
                yield _row(str(number), "true", {ANSWER: column}, rest, item=str(item), label=literal(option))
        elif isinstance(question, Choices):
            yield _row(
                str(number), "true", {ANSWER: "piece"}, _pieces(question, columns[0], rest), item="item"
            )
        else:
            yield _row(str(number), "true", {ANSWER: columns[0]}, rest)


def _pieces(question: Choices, column: str, rows: str) -> str:
    """A row for each option in the column, with its number; one without any where the column is blank."""
    pieces = f"list_transform(string_split({column}, {literal(question.separator)}), lambda o: trim(o))"
    options = f"list_filter({pieces}, lambda o: o <> '')"
    listed = (
        f"SELECT *, CASE WHEN len({options}) > 0 THEN {options} ELSE [NULL::VARCHAR] END AS pieces {rows}"
    )
    return f"FROM (SELECT *, unnest(pieces) AS piece, unnest(range(len(pieces))) AS item FROM ({listed}))"


def _names(con: duckdb.DuckDBPyConnection, survey: Survey) -> None:
    """The table of what a long file may call a question: its key, or the column it would have in a wide file."""
    rows: dict[str, tuple[int, str, str | None]] = {}
    for number, question in enumerate(survey.questions):
        rows |= {name.lower(): said for name, said in _called(number, question)}
    for number, question in enumerate(survey.questions):
        rows[question.key.lower()] = (number, ANSWER, None)
    numbers, parts, labels = zip(*rows.values(), strict=True)
    table = {
        "name": list(rows),
        "q": pa.array(numbers, pa.int32()),
        "part": parts,
        "label": pa.array(labels, pa.string()),
    }
    con.register("names_of_questions_now", pa.table(table))
    con.execute("CREATE OR REPLACE TABLE names_of_questions AS SELECT * FROM names_of_questions_now")
    con.unregister("names_of_questions_now")


def _called(number: int, question: Question) -> Iterator[tuple[str, tuple[int, str, str | None]]]:
    if isinstance(question, KanoPair):
        for column, role in zip(question.columns, (FUNCTIONAL, DYSFUNCTIONAL, IMPORTANCE), strict=False):
            yield column, (number, role, None)
    elif isinstance(question, Choices) and question.ticked:
        for column, option in question.ticked.items():
            yield column, (number, _TICK, option)
    else:
        yield question.columns[0], (number, ANSWER, None)


def _long(survey: Survey, places: dict[str, str]) -> Iterator[str]:
    """SELECTs for lines that hold one answer each, and for those that hold one half of a Kano pair."""
    asked = places["question"]
    columns = ", ".join(f"t.{place} AS said_{role}" for role, place in places.items())
    named = (
        f"(SELECT t.n, k.q, k.part, k.label, {columns} FROM survey_texts t LEFT JOIN names_of_questions k"
        f" ON lower(t.{asked}) = k.name WHERE t.{asked} IS NOT NULL)"
    )
    said = {role: f"said_{role}" for role in places if role != "question"}
    answer = {ANSWER: said.get(ANSWER, "NULL")}
    split = {n: q for n, q in enumerate(survey.questions) if isinstance(q, Choices) and not q.ticked}
    pairs = [str(n) for n, q in enumerate(survey.questions) if isinstance(q, KanoPair)]
    plain = f"part = 'answer' AND q NOT IN ({', '.join([*pairs, *map(str, split), '-1'])})"
    whole = f"FROM {named} WHERE q IS NULL OR ({plain}) OR part = {literal(_TICK)}"
    yield _row("q", "false", answer, whole, label="label", asked="said_question")
    for number, question in split.items():
        rows = f"FROM {named} WHERE q = {number} AND part = 'answer'"
        pieces = _pieces(question, answer[ANSWER], rows)
        yield _row(str(number), "false", {ANSWER: "piece"}, pieces, item="item")
    if pairs:
        halves = {role: sql for role, sql in said.items() if role != ANSWER}
        yield _row("q", "false", halves, f"FROM {named} WHERE part = 'answer' AND q IN ({', '.join(pairs)})")
        if ANSWER in said:
            yield _joined_halves(named, said[ANSWER])


def _joined_halves(named: str, answer: str) -> str:
    """Pairs whose halves are lines of their own: those of one respondent, the first with the first, and so on."""
    roles = (FUNCTIONAL, DYSFUNCTIONAL, IMPORTANCE)
    who = "concat_ws(chr(31), coalesce(l.rid, chr(30) || l.line::VARCHAR), coalesce(l.wave, ''), coalesce(l.at_said, ''))"
    halves = (
        f"SELECT h.n, h.q, h.part, h.{answer} AS said, {who} AS who FROM {named} h JOIN {LINES} l ON h.n = l.n"
        f" WHERE h.part IN ({', '.join(literal(role) for role in roles)}) AND h.{answer} IS NOT NULL"
    )
    ranked = f"SELECT *, row_number() OVER (PARTITION BY who, q, part ORDER BY n) AS nth FROM ({halves})"
    values = {role: f"max(said) FILTER (WHERE part = {literal(role)})" for role in roles}
    return _row("q", "false", values, f"FROM ({ranked}) GROUP BY q, who, nth", n="min(n)")


def check_form(survey: Survey, raw: Raw) -> None:
    """The error that a file holds none of the survey's questions."""
    wide, long = _form(raw, survey, again=True)
    if wide or long:
        return
    columns = [column for question in survey.questions for column in question.columns]
    raise BadInput(
        f"The file has none of the columns of the survey {survey.name!r}: {', '.join(columns[:5])}.", where=raw.name,
        allowed=raw.data_columns,
        hint=f"Name each question's `column`; for a line an answer, the columns {survey.long.question!r} and {survey.long.answer!r} (`long:`).",
    )  # fmt: skip
