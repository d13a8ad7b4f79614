"""Recipes for well-known exports, each a short YAML file that anyone can add; `expressions` has the words they use.

name: shop-orders
about: One sentence on what export this reads.
expects: [Order ID, "Total|Amount"]     # columns that must be there; A|B is either
rows:                                   # the rows that a line gives, each with its columns
  - {event: {constant: purchase}, customer: Email, time: Date, order: Order ID, value: "Total|Amount"}
  - when: {column: Status, equals: refunded}
    event: {constant: refund}
    ...
properties: all | none | [Country]      # what else travels
zone, time_format, time_unit, decimal   # how the export writes, where it always does so
spread: [properties]                    # nested columns whose fields become properties
expand: {list: EXPRESSION, when: CONDITION}   # a row for each element of a list (`item`, `item_number`)
expand: {fill: [Email], by: Order ID}   # columns that only an order's first line fills
expand: {paths: path, conversions: ..., value: ..., nulls: ..., by: ">"}   # counted paths
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from wayfare.errors import BadInput, UnknownName
from wayfare.histories.ingest.expressions import Node, compiled, condition
from wayfare.histories.ingest.mapping import Mapping, Properties
from wayfare.histories.ingest.recipe import Recipe, RowRule
from wayfare.histories.ingest.scope import Scope
from wayfare.histories.schema import REQUIRED

_KEYS = (
    "name",
    "about",
    "expects",
    "rows",
    "properties",
    "zone",
    "time_format",
    "time_unit",
    "decimal",
    "spread",
    "expand",
    "notes",
)


@dataclass(frozen=True)
class PresetInfo:
    """A preset's name, what export it reads, and the columns it expects (`A|B`: either)."""

    name: str
    about: str
    expects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preset:
    """A recipe with a name. `data` is the file's content, from which it can be built again."""

    name: str
    about: str
    recipe: Recipe
    notes: tuple[str, ...] = ()
    data: AnyMapping[str, Any] = field(default_factory=dict, repr=False)

    def shown(self) -> Mapping:
        """What the preset takes for what, as a mapping to look at."""
        columns: dict[str, str] = {}
        for rule in self.recipe.rows:
            for key, node in rule.values.items():
                columns.setdefault(key, _said(node))
        recipe = self.recipe
        return Mapping(
            columns, {}, recipe.zone, recipe.time_format, recipe.time_unit, recipe.decimal, recipe.properties
        )


def presets() -> list[PresetInfo]:
    """Which presets there are."""
    return [
        PresetInfo(preset.name, preset.about, preset.recipe.expects)
        for name in _names()
        if (preset := _built_in(name))
    ]


def load_preset(name_or_path: str) -> Preset:
    """The preset of that name, or in that YAML file.

    Raises:
        UnknownName: There is no such preset, with the names of those there are.
        BadInput: The file is no preset, with what is wrong in it.
    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise BadInput("There is no such file.", where=name_or_path)
        return preset_of(_parsed(path.read_text("utf8"), path.name), path.name)
    if name_or_path not in _names():
        raise UnknownName.among("preset", name_or_path, _names())
    return _built_in(name_or_path)


def preset_of(data: Any, where: str) -> Preset:
    """The preset that a YAML document says."""
    if not isinstance(data, AnyMapping):
        raise BadInput("A preset is a list of settings with names.", where=where, allowed=_KEYS)
    unknown = [key for key in data if key not in _KEYS]
    if unknown:
        raise UnknownName.among("setting", str(unknown[0]), _KEYS, where=where)
    rules = data.get("rows")
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, AnyMapping) for rule in rules):
        raise BadInput(
            "A preset needs `rows`: one or more lists of columns with their expressions.", where=where
        )
    rows = tuple(
        RowRule({key: node for key, node in rule.items() if key != "when"}, rule.get("when"))
        for rule in rules
    )
    recipe = Recipe(
        rows, _properties(data.get("properties", "all")), str(data.get("zone", "")), str(data.get("time_format", "")),
        str(data.get("time_unit", "")), str(data.get("decimal", "")), tuple(data.get("expects", ())), dict(data.get("expand", {})),
        tuple(data.get("spread", ())), lenient=True,
    )  # fmt: skip
    _check(recipe, where)
    return Preset(
        str(data.get("name", where)), str(data.get("about", "")), recipe, tuple(data.get("notes", ())), data
    )


def _check(recipe: Recipe, where: str) -> None:
    """Compiles every expression once, so that a mistake shows when the preset is read."""
    scope = Scope({}, where=where, optional=True)
    for number, rule in enumerate(recipe.rows, start=1):
        absent = [key for key in REQUIRED if key not in rule.values]
        if absent:
            raise BadInput(f"Row {number} does not say {' and '.join(absent)}.", where=where)
        for node in rule.values.values():
            compiled(node, scope)
        if rule.when is not None:
            condition(rule.when, scope)


def _properties(value: Any) -> Properties:
    if value in ("all", "none"):
        return "all" if value == "all" else ()
    return tuple(str(name) for name in value)


def _said(node: Node) -> str:
    if isinstance(node, str):
        return node
    return yaml.safe_dump(
        node, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000
    ).strip()


def _parsed(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"The preset is no YAML ({error}).", where=where) from error


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    folder = files("wayfare.histories.ingest") / "presets"
    return tuple(
        sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    )


@lru_cache(maxsize=64)
def _built_in(name: str) -> Preset:
    text = (files("wayfare.histories.ingest") / "presets" / f"{name}.yaml").read_text("utf8")
    return preset_of(_parsed(text, name), name)
