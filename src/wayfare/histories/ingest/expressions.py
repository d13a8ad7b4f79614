"""What a preset may say about a value: a small vocabulary, compiled to SQL whose names and texts are all quoted.

    Total                            the column Total; `A|B` is whichever of the two the source has
    {constant: web}                  one text (or number) for all rows
    {first: [Email, Customer ID]}    the first that is not blank
    {product: [Quantity, Price]}     numbers multiplied; {sum: [...]}, {difference: [a, b]}, {negative: x},
                                     {quotient: [a, b]}, {absolute: x}
    {join: [a, b], with: "-"}        texts, one after the other
    {path: properties.url}           a field inside a nested column, JSON or not
    {param: ga_session_id, of: event_params}   the value of a key in a list of key and value
    {before: "@", of: Email}         the text before (or `after`) the first such mark
    {clock: {received: a, sent: b, original: c}}   the time c by the receiver's clock: a - (b - c)
    {date: x}                   without the midnight behind a date
    {lower: x}, {stripped: x, of: "$"}   small letters; leading marks taken off
    {when: CONDITION, then: x, else: y}

Conditions: {column: X, starts: C}, {equals: v or list}, {above: n}, {below: n}, {filled: true},
{all: [...]}, {any: [...]}, {not: ...}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wayfare.errors import BadInput
from wayfare.histories.ingest.cells import (
    MISSING,
    Cell,
    as_number,
    as_text,
    is_blank,
    literal,
    trimmed,
    unreadable_number,
)
from wayfare.histories.ingest.scope import Scope

Node = Any


def compiled(node: Node, scope: Scope) -> Cell:
    """The expression as SQL."""
    if isinstance(node, str):
        return scope.column(node)
    if isinstance(node, Mapping):
        for word, compile_it in _WORDS.items():
            if word in node:
                return scope.kept(compile_it(node, scope))
    raise BadInput(f"{node!r} is not an expression.", where=scope.where, allowed=("a column's name", *_WORDS))


def condition(node: Node, scope: Scope) -> str:
    """A condition as SQL, never null."""
    if isinstance(node, Mapping):
        for word, glue in (("all", " AND "), ("any", " OR ")):
            if word in node:
                return "(" + glue.join(condition(part, scope) for part in node[word]) + ")"
        if "not" in node:
            return f"(NOT {condition(node['not'], scope)})"
        for word, test in _TESTS.items():
            if word in node and "column" in node:
                return f"coalesce({test(compiled(node['column'], scope), node[word])}, false)"
    raise BadInput(f"{node!r} is not a condition.", where=scope.where, allowed=("all", "any", "not", *_TESTS))


def columns_of(node: Node) -> set[str]:
    """The column names that an expression or a condition mentions, alternatives apart."""
    if isinstance(node, str):
        return {node, *node.split("|")}
    if isinstance(node, list | tuple):
        return {name for part in node for name in columns_of(part)}
    if not isinstance(node, Mapping):
        return set()
    if "path" in node:
        return {str(node["path"]).split(".")[0]}
    literals = {
        "constant",
        "starts",
        "equals",
        "above",
        "below",
        "filled",
        "with",
        "param",
        "before",
        "after",
        "stripped",
    }
    return {name for word, part in node.items() if word not in literals for name in columns_of(part)}


def _constant(node: Node, _: Scope) -> Cell:
    value = node["constant"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Cell(f"({float(value)!r})::DOUBLE", "DOUBLE")
    return Cell(f"{literal(str(value))}::VARCHAR", "VARCHAR")


def _first(node: Node, scope: Scope) -> Cell:
    cells = [compiled(part, scope) for part in node["first"]]
    if len({cell.type for cell in cells}) == 1 and not cells[0].is_text:
        return Cell(f"coalesce({', '.join(cell.sql for cell in cells)})", cells[0].type, _broken(cells))
    return Cell(
        f"coalesce({', '.join(trimmed(cell) for cell in cells)})", "VARCHAR", _broken(cells), scope.decimal
    )


def _number(cell: Cell, scope: Scope) -> str:
    return scope.kept(Cell(as_number(cell), "DOUBLE")).sql


def _arithmetic(word: str, mark: str) -> Callable[[Node, Scope], Cell]:
    def compile_it(node: Node, scope: Scope) -> Cell:
        cells = [compiled(part, scope) for part in node[word]]
        broken = " OR ".join(condition for cell in cells if (condition := unreadable_number(cell)))
        return Cell(
            "(" + f" {mark} ".join(f"({_number(cell, scope)})" for cell in cells) + ")", "DOUBLE", broken
        )

    return compile_it


def _of_number(word: str, form: str) -> Callable[[Node, Scope], Cell]:
    def compile_it(node: Node, scope: Scope) -> Cell:
        cell = compiled(node[word], scope)
        return Cell(form.format(_number(cell, scope)), "DOUBLE", unreadable_number(cell))

    return compile_it


def _sum(node: Node, scope: Scope) -> Cell:
    cells = [compiled(part, scope) for part in node["sum"]]
    broken = " OR ".join(condition for cell in cells if (condition := unreadable_number(cell)))
    numbers = [_number(cell, scope) for cell in cells]
    total = " + ".join(f"coalesce({number}, 0)" for number in numbers)
    known = " AND ".join(f"({number}) IS NULL" for number in numbers)
    return Cell(f"(CASE WHEN {known} THEN NULL ELSE {total} END)", "DOUBLE", broken)


def _join(node: Node, scope: Scope) -> Cell:
    texts = ", ".join(trimmed(compiled(part, scope)) for part in node["join"])
    return Cell(f"nullif(concat_ws({literal(str(node.get('with', ' ')))}, {texts}), '')", "VARCHAR")


def _path(node: Node, scope: Scope) -> Cell:
    column, _, inside = str(node["path"]).partition(".")
    cell = scope.column(column)
    if cell is MISSING or not inside:
        return cell
    pointer = "$" + "".join(f'."{part}"' for part in inside.replace('"', "").split("."))
    nested = scope.kept(Cell(json_of(cell), "JSON")).sql
    return Cell(f"json_extract_string({nested}, {literal(pointer)})", "VARCHAR", decimal=".")


def json_of(cell: Cell) -> str:
    """The cell as JSON; text that is none reads as missing."""
    if cell.type == "JSON":
        return cell.sql
    if cell.type == "VARCHAR":
        return f"CASE WHEN json_valid({cell.sql}) THEN {cell.sql}::JSON END"
    return f"to_json({cell.sql})"


def _param(node: Node, scope: Scope) -> Cell:
    cell = compiled(node["of"], scope)
    if cell is MISSING:
        return cell
    pairs = f"""from_json({json_of(cell)}, '[{{"key":"VARCHAR","value":"JSON"}}]')"""
    value = scope.kept(
        Cell(f"list_filter({pairs}, lambda p: p.key = {literal(str(node['param']))})[1].value", "JSON")
    ).sql
    kinds = ("string_value", "int_value", "double_value", "float_value")
    inside = ", ".join(f"json_extract_string({value}, '$.{kind}')" for kind in kinds)
    bare = (
        f"CASE WHEN json_type({value}) NOT IN ('OBJECT', 'ARRAY') THEN json_extract_string({value}, '$') END"
    )
    return Cell(f"coalesce({inside}, {bare})", "VARCHAR")


def _part(word: str, index: int) -> Callable[[Node, Scope], Cell]:
    def compile_it(node: Node, scope: Scope) -> Cell:
        text, mark = as_text(compiled(node["of"], scope)), literal(str(node[word]))
        if index == 1:
            return Cell(f"split_part({text}, {mark}, 1)", "VARCHAR")
        return Cell(
            f"CASE WHEN contains({text}, {mark}) THEN substr({text}, strpos({text}, {mark}) + {len(str(node[word]))}) END",
            "VARCHAR",
        )

    return compile_it


def _clock(node: Node, scope: Scope) -> Cell:
    # Segment's specification: timestamp = receivedAt - (sentAt - originalTimestamp)
    received, sent, original = (
        f"epoch_us(try_cast({trimmed(compiled(node['clock'][word], scope))} AS TIMESTAMPTZ))"
        for word in ("received", "sent", "original")
    )
    return Cell(f"(make_timestamp({received} - ({sent} - {original}))::VARCHAR || 'Z')", "VARCHAR")


def _lower(node: Node, scope: Scope) -> Cell:
    return Cell(f"lower({as_text(compiled(node['lower'], scope))})", "VARCHAR")


def _date(node: Node, scope: Scope) -> Cell:
    text = as_text(compiled(node["date"], scope))
    return Cell(f"regexp_replace({text}, '[ T]00:00(:00([.]0+)?)?$', '')", "VARCHAR")


def _stripped(node: Node, scope: Scope) -> Cell:
    return Cell(f"ltrim({as_text(compiled(node['of'], scope))}, {literal(str(node['stripped']))})", "VARCHAR")


def _when(node: Node, scope: Scope) -> Cell:
    test = scope.kept(Cell(condition(node["when"], scope), "BOOLEAN")).sql
    then, other = (
        compiled(node[word], scope) if node.get(word) is not None else MISSING for word in ("then", "else")
    )
    broken = (
        f"CASE WHEN {test} THEN {then.broken or 'false'} ELSE {other.broken or 'false'} END"
        if then.broken or other.broken
        else ""
    )
    if {then.type, other.type} == {"DOUBLE"} or (
        "DOUBLE" in (then.type, other.type) and MISSING in (then, other)
    ):
        return Cell(f"CASE WHEN {test} THEN {as_number(then)} ELSE {as_number(other)} END", "DOUBLE", broken)
    if then.type == other.type:
        return Cell(
            f"CASE WHEN {test} THEN {then.sql} ELSE {other.sql} END", then.type, broken, scope.decimal
        )
    return Cell(
        f"CASE WHEN {test} THEN {as_text(then)} ELSE {as_text(other)} END", "VARCHAR", broken, scope.decimal
    )


def _broken(cells: list[Cell]) -> str:
    return " OR ".join(cell.broken for cell in cells if cell.broken)


_WORDS: dict[str, Callable[[Node, Scope], Cell]] = {
    "constant": _constant, "first": _first, "product": _arithmetic("product", "*"), "sum": _sum,
    "difference": _arithmetic("difference", "-"), "quotient": _arithmetic("quotient", "/"),
    "negative": _of_number("negative", "(-({}))"), "absolute": _of_number("absolute", "abs({})"),
    "join": _join, "path": _path, "param": _param, "before": _part("before", 1), "after": _part("after", 2),
    "clock": _clock, "lower": _lower, "date": _date, "stripped": _stripped, "when": _when,
    "column": lambda node, scope: scope.column(node["column"]),
}  # fmt: skip


def _among(cell: Cell, values: Any) -> str:
    texts = values if isinstance(values, list | tuple) else [values]
    return f"lower({trimmed(cell)}) IN ({', '.join(literal(str(text).lower()) for text in texts)})"


def _starts(cell: Cell, prefixes: Any) -> str:
    texts = prefixes if isinstance(prefixes, list | tuple) else [prefixes]
    return "(" + " OR ".join(f"starts_with({trimmed(cell)}, {literal(str(text))})" for text in texts) + ")"


_TESTS: dict[str, Callable[[Cell, Any], str]] = {
    "starts": _starts,
    "equals": _among,
    "above": lambda cell, number: f"({as_number(cell)}) > {float(number)!r}",
    "below": lambda cell, number: f"({as_number(cell)}) < {float(number)!r}",
    "filled": lambda cell, yes: f"{'NOT ' if yes else ''}{is_blank(cell)}",
}
