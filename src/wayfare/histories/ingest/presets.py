"""Recipes for well-known exports, each a short YAML file."""

from __future__ import annotations

from dataclasses import dataclass

from wayfare.histories.ingest.mapping import Mapping
from wayfare.histories.ingest.recipe import Recipe


@dataclass(frozen=True)
class PresetInfo:
    name: str
    about: str
    expects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preset:
    name: str
    about: str
    recipe: Recipe

    def shown(self) -> Mapping:
        return Mapping({})


def presets() -> list[PresetInfo]:
    return []


def load_preset(name: str) -> Preset:
    raise NotImplementedError
