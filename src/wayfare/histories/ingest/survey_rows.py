"""Answers judged and made rows of the log: coded, with what is wrong with each or nothing."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pyarrow as pa

from wayfare.domain.kano import ANSWERS as FIVE
from wayfare.domain.survey import SURVEY_ANSWER, Choice, Choices, KanoPair, Scored, Survey
from wayfare.histories.ingest.cells import literal, quoted
from wayfare.histories.ingest.expressions import Node
from wayfare.histories.ingest.load import Load
from wayfare.histories.ingest.raw import FAULT, ID_COLUMN, LINE, Raw
from wayfare.histories.ingest.recipe import Recipe, RowRule
from wayfare.histories.ingest.survey_coding import (
    ANSWER,
    DYSFUNCTIONAL,
    FUNCTIONAL,
    IMPORTANCE,
    PARTS,
    readers,
)
from wayfare.histories.ingest.survey_lines import ANSWERS, LINES, Lines, check_form, said_lines
from wayfare.histories.ingest.survey_notes import notes_on
from wayfare.histories.schema import Kind

NOTHING = "no question answered"
SECOND = "second answer of the respondent"
REVERSED = "reversed pair: most do not want this feature, or its halves are swapped"
FEWEST_REVERSED = 5
"""Fewer reversed answers than this are no sign of swapped halves."""

KINDS = {
    "survey": Kind.CODE, "wave": Kind.CODE, "question": Kind.CODE, "question_kind": Kind.CODE, "touchpoint": Kind.CODE,
    "answer": Kind.CODE, "comment": Kind.TEXT, "feature": Kind.CODE, "functional": Kind.CODE, "dysfunctional": Kind.CODE,
    "importance": Kind.NUMBER, "straight_line": Kind.FLAG,
}  # fmt: skip
"""How the columns of `domain.survey.ANSWER_COLUMNS` are stored."""

_JUDGED = "survey_judged"
_HIDDEN = "\x1f"


def answers_load(
    con: duckdb.DuckDBPyConnection, raw: Raw, survey: Survey, origin: str, present_ids: str = ""
) -> Load:
    """The answers in the source as a load: one row an answer, judged, with the rule that makes it a row of the log.

    Args:
        con: Where the source's table is.
        raw: The source, wide or long; mended rows of the quarantine may be both.
        survey: What was asked.
        origin: What tells the source from all others, where nobody says who answered.
        present_ids: A relation with the column `event_id` of the log that the answers will join.
    """
    check_form(survey, raw)
    lines = said_lines(con, raw, survey, origin)
    _code(con, survey, keep_blank=ID_COLUMN in raw.columns)
    _mark_reversed(con, survey)
    _mark_second(con, present_ids)
    _find_straight(con, survey)
    notes = notes_on(con, survey, raw, lines)
    return _load(con, raw, survey, lines, notes)


def _code(con: duckdb.DuckDBPyConnection, survey: Survey, *, keep_blank: bool) -> None:
    """Makes `_JUDGED` (without blanks) and `survey_blanks` (how many there are of each question)."""
    _register_meanings(con, survey)
    _register_questions(con, survey)
    meanings = {"a": ANSWER, "f": FUNCTIONAL, "d": DYSFUNCTIONAL, "i": IMPORTANCE}
    joins = " ".join(
        f"LEFT JOIN survey_meanings {alias} ON {alias}.q = s.q AND {alias}.part = '{part}' AND {alias}.said = s.{part}"
        for alias, part in meanings.items()
    )
    con.execute(
        "CREATE OR REPLACE TABLE survey_coded AS SELECT s.*, k.key, k.kind, k.is_text, k.is_kano, k.feature, k.swapped,"
        " a.number AS number, coalesce(s.label, a.code) AS code, f.code AS f_code, d.code AS d_code, i.number AS importance_number,"
        " coalesce(a.fault, f.fault, d.fault, i.fault) AS wrong,"
        " CASE WHEN s.q IS NULL THEN s.answer IS NULL WHEN k.is_kano THEN (s.functional IS NULL OR f.blank) AND (s.dysfunctional IS NULL OR d.blank)"
        f" AND (s.importance IS NULL OR i.blank) ELSE s.answer IS NULL OR coalesce(a.blank, false) END AS blank FROM {ANSWERS} s"
        f" LEFT JOIN survey_questions k USING (q) {joins}"
    )
    con.execute(
        "CREATE OR REPLACE TABLE survey_blanks AS SELECT key, count(*) AS blanks FROM survey_coded WHERE blank AND label IS NULL AND key IS NOT NULL GROUP BY key"
    )
    _judge(con, survey, keep_blank=keep_blank)


def _register_meanings(con: duckdb.DuckDBPyConnection, survey: Survey) -> None:
    """What each text that was answered means, as the table `survey_meanings`; open texts speak for themselves."""
    read = readers(survey)
    texts = [number for number, question in enumerate(survey.questions) if question.kind == "text"]
    rows = []
    for part in PARTS:
        aside = (
            f" AND q NOT IN ({', '.join(map(str, texts))})"
            if texts and part == ANSWER and not survey.no_answer
            else ""
        )
        found = con.execute(
            f"SELECT DISTINCT q, {part} FROM {ANSWERS} WHERE q IS NOT NULL AND {part} IS NOT NULL{aside}"
        ).fetchall()
        rows += [(q, part, text, *read[q, part](text)) for q, text in found if (q, part) in read]
    columns = list(zip(*rows, strict=True)) or [()] * 7
    types = {
        "q": pa.int32(), "part": pa.string(), "said": pa.string(), "number": pa.float64(), "code": pa.string(), "fault": pa.string(),
        "blank": pa.bool_(),
    }  # fmt: skip
    _table(
        con,
        "survey_meanings",
        {name: pa.array(c, t) for (name, t), c in zip(types.items(), columns, strict=True)},
    )


def _register_questions(con: duckdb.DuckDBPyConnection, survey: Survey) -> None:
    questions = survey.questions
    pairs = [question if isinstance(question, KanoPair) else None for question in questions]
    turned = [
        question.scale.low + question.scale.high
        if isinstance(question, Scored) and question.reverse
        else None
        for question in questions
    ]
    _table(con, "survey_questions", {
        "q": pa.array(range(len(questions)), pa.int32()), "key": pa.array([question.key for question in questions]),
        "kind": pa.array([question.kind for question in questions]),
        "is_text": pa.array([question.kind == "text" for question in questions]),
        "is_kano": pa.array([pair is not None for pair in pairs]),
        "feature": pa.array([pair.label if pair else None for pair in pairs], pa.string()),
        "swapped": pa.array([bool(pair and pair.reverse) for pair in pairs]),
        "about": pa.array(turned, pa.float64()),
        "chosen": pa.array([isinstance(question, Choice | Choices) for question in questions]),
    })  # fmt: skip


def _table(con: duckdb.DuckDBPyConnection, name: str, columns: dict[str, pa.Array]) -> None:
    con.register("given_now", pa.table(columns))
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM given_now")
    con.unregister("given_now")


def _judge(con: duckdb.DuckDBPyConnection, survey: Survey, *, keep_blank: bool) -> None:
    """Makes `_JUDGED`: an answer a row in the order of the lines, and a row for each line of a wide file without any."""
    at = "''" if survey.answers_once else "coalesce(at_said, '')"
    key = f"md5(concat_ws(chr(31), {literal(survey.name)}, coalesce(wave, ''), rid, {at}, key))"
    value = "concat_ws(chr(31), number::VARCHAR, code, f_code, d_code, importance_number::VARCHAR, CASE WHEN is_text THEN answer END)"
    wrong = (
        "CASE WHEN q IS NULL THEN 'unknown question' WHEN is_kano AND f_code IS NULL AND wrong IS NULL THEN"
        " CASE WHEN d_code IS NULL THEN 'both halves of the pair missing' ELSE 'functional half of the pair missing' END"
        " WHEN is_kano AND d_code IS NULL AND wrong IS NULL THEN 'dysfunctional half of the pair missing' ELSE wrong END"
    )
    silent = f"n NOT IN (SELECT n FROM survey_coded WHERE NOT blank) AND (wide OR {str(keep_blank).lower()})"
    con.execute(
        f"CREATE OR REPLACE TABLE {_JUDGED} AS SELECT c.*, l.* EXCLUDE (n), {wrong} AS fault, CASE WHEN rid IS NOT NULL THEN {key} END AS answer_key,"
        f" left(md5({value}), 8) AS answer_mark, false AS straight FROM survey_coded c JOIN {LINES} l USING (n) WHERE NOT blank"
        f" UNION ALL BY NAME SELECT * EXCLUDE (place), {literal(NOTHING)} AS fault FROM (SELECT n, any_value(wide) AS wide, 0 AS place"
        f" FROM survey_coded WHERE {silent} GROUP BY n) JOIN {LINES} USING (n)"
    )


def _mark_reversed(con: duckdb.DuckDBPyConnection, survey: Survey) -> None:
    """Puts a fault on all answers to a pair that more people reject than want."""
    tables = {
        n: survey.table_of(q).rows
        for n, q in enumerate(survey.questions)
        if isinstance(q, KanoPair) and not q.accept_reversed
    }
    cells = [
        (number, answer, other, category)
        for number, rows in tables.items()
        for answer, row in rows.items()
        for other, category in zip(FIVE, row, strict=True)
    ]
    if not cells:
        return
    names = ("q", "f_code", "d_code", "category")
    _table(
        con,
        "survey_categories",
        {name: pa.array(column) for name, column in zip(names, zip(*cells, strict=True), strict=True)},
    )
    halves = "CASE WHEN swapped THEN j.d_code ELSE j.f_code END = c.f_code AND CASE WHEN swapped THEN j.f_code ELSE j.d_code END = c.d_code"
    con.execute(
        f"UPDATE {_JUDGED} SET fault = {literal(REVERSED)} WHERE fault IS NULL AND q IN (SELECT j.q FROM {_JUDGED} j JOIN survey_categories c"
        f" ON j.q = c.q AND {halves} WHERE fault IS NULL GROUP BY j.q HAVING count(*) FILTER (WHERE category = 'R') >="
        f" greatest({FEWEST_REVERSED}, 1 + count(*) FILTER (WHERE category IN ('A', 'O', 'M')), count(*) / 2))"
    )


def _mark_second(con: duckdb.DuckDBPyConnection, present_ids: str) -> None:
    """Puts a fault on an answer where the respondent gave another one before: in the source, or in the log."""
    # One line of a long file may hold one of several options, so there a second line is no second answer.
    several = "(NOT wide AND kind = 'choices')"
    con.execute(
        f"CREATE OR REPLACE TABLE survey_first AS SELECT answer_key, min(n) AS first FROM {_JUDGED} WHERE fault IS NULL AND NOT {several} GROUP BY 1"
    )
    con.execute(
        f"CREATE OR REPLACE TABLE survey_known AS SELECT j.answer_key, answer_mark FROM {_JUDGED} j JOIN survey_first f"
        f" ON j.answer_key = f.answer_key AND j.n = f.first WHERE fault IS NULL"
    )
    if present_ids:
        con.execute(
            "CREATE OR REPLACE TABLE survey_there AS SELECT left(event_id, 32) AS answer_key, right(event_id, 8) AS answer_mark"
            f" FROM {present_ids} WHERE regexp_full_match(event_id, '[0-9a-f]{{32}}[.][0-9a-f]{{8}}')"
        )
        con.execute("DELETE FROM survey_known WHERE answer_key IN (SELECT answer_key FROM survey_there)")
        con.execute("INSERT INTO survey_known SELECT * FROM survey_there")
    con.execute(
        f"UPDATE {_JUDGED} SET fault = {literal(SECOND)} WHERE fault IS NULL AND NOT {several}"
        " AND answer_key IN (SELECT answer_key FROM survey_known)"
        " AND (answer_key, answer_mark) NOT IN (SELECT answer_key, answer_mark FROM survey_known WHERE answer_key IS NOT NULL)"
    )


def _find_straight(con: duckdb.DuckDBPyConnection, survey: Survey) -> None:
    """Flags the answers of those who gave one and the same answer to everything."""
    who = "CASE WHEN rid IS NULL THEN n::VARCHAR ELSE concat_ws(chr(31), rid, coalesce(wave, ''), coalesce(at_said, '')) END"
    said = (
        f"SELECT {who} AS who, 1 AS sort, number::VARCHAR AS said FROM {_JUDGED} WHERE fault IS NULL AND number IS NOT NULL"
        f" UNION ALL SELECT {who}, 2, unnest([f_code, d_code]) FROM {_JUDGED} WHERE fault IS NULL AND f_code IS NOT NULL"
    )
    con.execute(
        f"UPDATE {_JUDGED} SET straight = true WHERE {who} IN (SELECT who FROM ({said}) GROUP BY who, sort"
        f" HAVING count(*) >= {survey.STRAIGHT} AND count(DISTINCT said) = 1)"
    )


def _load(
    con: duckdb.DuckDBPyConnection, raw: Raw, survey: Survey, lines: Lines, notes: tuple[str, ...]
) -> Load:
    columns = _columns(survey)
    hidden = {
        LINE: ("line", "BIGINT"),
        FAULT: ("fault", "VARCHAR"),
        **{_HIDDEN + name: value for name, value in columns.items()},
    }
    if ID_COLUMN in raw.columns:
        # One line may give several answers; only one of them can have its place in the quarantine.
        hidden[ID_COLUMN] = (
            "CASE WHEN row_number() OVER (PARTITION BY id ORDER BY n, q, item) = 1 THEN id ELSE -1 END",
            "BIGINT",
        )
    shown = {
        **{name: (f"j.{sql}", kind) for name, (sql, kind) in lines.shown.items()},
        **_said(survey),
    }
    table = f"{raw.table}_answers"
    select = ", ".join(f"{sql} AS {quoted(name)}" for name, (sql, _) in {**shown, **hidden}.items())
    con.execute(
        f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT {select} FROM {_JUDGED} j LEFT JOIN survey_questions k USING (q) ORDER BY n, q, item"
    )
    con.execute(f"DROP TABLE {quoted(raw.table)}")
    types = {name: kind for name, (_, kind) in {**shown, **hidden}.items()}
    answers = replace(
        raw,
        table=table,
        columns=types,
        line_column=LINE,
        hidden=frozenset(hidden),
        notes=(*raw.notes, *notes),
        first_line=raw.first_line,
    )
    return Load(answers, _recipe(survey, columns))


def _said(survey: Survey) -> dict[str, tuple[str, str]]:
    """The answer as it stands in a long file, for the quarantine: mended there, it is read as one."""
    names = survey.long
    asked = (
        f"CASE WHEN j.label IS NULL THEN k.key ELSE list_extract({_ticked(survey)}, j.item + 1) END"
        if _ticked(survey)
        else "k.key"
    )
    said = {names.question: (f"coalesce({asked}, j.asked)", "VARCHAR"), names.answer: ("j.answer", "VARCHAR")}
    if survey.kano:
        said |= {
            getattr(names, part): (f"j.{part}", "VARCHAR") for part in (FUNCTIONAL, DYSFUNCTIONAL, IMPORTANCE)
        }
    return said


def _ticked(survey: Survey) -> str:
    cases = [
        f"WHEN {number} THEN [{', '.join(literal(column) for column in question.ticked)}]"
        for number, question in enumerate(survey.questions)
        if isinstance(question, Choices) and question.ticked
    ]
    return f"CASE j.q {' '.join(cases)} END" if cases else ""


def _columns(survey: Survey) -> dict[str, tuple[str, str]]:
    """The columns of the log that answers to this survey fill, but the time and attributes: SQL and type."""
    kinds = {question.kind for question in survey.questions}
    columns = {
        "customer": ("j.rid", "VARCHAR"), "question": ("k.key", "VARCHAR"), "question_kind": ("k.kind", "VARCHAR"),
        "score": ("coalesce(k.about - j.number, j.number)", "DOUBLE"), "straight_line": ("coalesce(j.straight, false)", "BOOLEAN"),
        "event_id": ("j.answer_key || '.' || j.answer_mark", "VARCHAR"),
    }  # fmt: skip
    if not survey.time:
        columns["time"] = ("j.at", "VARCHAR")
    for name in ("wave", "touchpoint"):
        if getattr(survey, name) is not None:
            columns[name] = (f"j.{name}", "VARCHAR")
    if kinds - {"kano", "text"}:
        columns["answer"] = (
            "CASE WHEN k.chosen THEN j.code WHEN NOT (k.is_text OR k.is_kano) THEN j.answer END",
            "VARCHAR",
        )
    if "text" in kinds:
        columns["comment"] = ("CASE WHEN k.is_text THEN j.answer END", "VARCHAR")
    if "kano" in kinds:
        columns |= {
            "feature": ("k.feature", "VARCHAR"), "importance": ("j.importance_number", "DOUBLE"),
            "functional": ("CASE WHEN k.swapped THEN j.d_code ELSE j.f_code END", "VARCHAR"),
            "dysfunctional": ("CASE WHEN k.swapped THEN j.f_code ELSE j.d_code END", "VARCHAR"),
        }  # fmt: skip
    return columns


def _recipe(survey: Survey, columns: dict[str, tuple[str, str]]) -> Recipe:
    values: dict[str, Node] = {"event": {"constant": SURVEY_ANSWER}, "survey": {"constant": survey.name}}
    if survey.time:
        values["time"] = {"column": survey.time}
    values |= {name: {"column": _HIDDEN + name} for name in columns}
    values |= {name: {"column": column} for name, column in survey.attributes.items()}
    return Recipe((RowRule(values),), properties=(), lenient=True, kinds=KINDS)
