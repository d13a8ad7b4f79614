"""What other analyses found, where they can answer."""

from __future__ import annotations

import pyarrow as pa

from wayfare.analysis import Analysis
from wayfare.errors import WayfareError
from wayfare.study import Study


def table_of(study: Study, asked: Analysis, name: str, lacking: list[str]) -> pa.Table | None:
    """A table of another analysis with its defaults; where it can't answer None, and why is added to `lacking`."""
    try:
        return study.result(asked).tables[name]
    except WayfareError as error:
        said = f"Without what {asked.name} would say: {error.problem}"
        lacking += [said] if said not in lacking else []
        return None
