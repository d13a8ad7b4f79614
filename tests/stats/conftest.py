"""The published attribution paths, packed."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from wayfare.stats.attribution import pack_paths


@pytest.fixture(scope="session")
def published_paths(shared_data):
    """Channel names, offsets, codes, conversions, nulls and values of the `channel_attribution` paths."""
    with gzip.open(shared_data / "channel_attribution" / "pathdata.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    paths = [row["path"].split(" > ") for row in rows]
    names = sorted({name for path in paths for name in path})
    code = {name: index for index, name in enumerate(names)}
    packed = pack_paths([[code[name] for name in path] for path in paths])
    columns = ("total_conversions", "total_null", "total_conversion_value")
    return names, *packed, *(np.array([float(row[column]) for row in rows]) for column in columns)
