"""YAML files of one folder of this package, by name."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from wayfare.errors import UnknownName

_HOME = "wayfare.domain.kano"


@lru_cache(maxsize=8)
def names(folder: str) -> tuple[str, ...]:
    """The names of the files in `folder`, sorted."""
    entries = (files(_HOME) / folder).iterdir()
    return tuple(sorted(e.name.removesuffix(".yaml") for e in entries if e.name.endswith(".yaml")))


@lru_cache(maxsize=64)
def content(folder: str, kind: str, name: str) -> Any:
    """What the file `name` of `folder` says; `kind` is what it is called where there is none."""
    if name not in names(folder):
        raise UnknownName.among(kind, name, names(folder))
    return yaml.safe_load((files(_HOME) / folder / f"{name}.yaml").read_text("utf8"))
